"""The convolutions of VGG-19 (arXiv 1409.1556), filled from a weights file that the user has. Nothing is downloaded."""

import pickle
import warnings
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from demottle.errors import InputError

_STAGES = ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512, 512, 512), (512, 512, 512, 512))
_FINE = 18  # layers up to and with relu3_4, at a quarter of the resolution
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, per color, which the weights expect


class VGG19(nn.Module):
    """The convolutions of VGG-19 up to conv5_4, numbered as torchvision numbers them.

    Shapes: `levels` takes slices (batch, 1, rows, columns) scaled to about 0 to 1, at least 16 x 16 pixels.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        """Build the layers, not yet filled."""
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for stage in _STAGES:
            for outputs in stage:
                layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
                inputs = outputs
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers[:-2])  # conv5_4 without its ReLU, as is usual
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)

    def levels(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return relu3_4 (256 channels, a quarter of the resolution) and conv5_4 (512 channels, a sixteenth)."""
        fine: Tensor = self.features[:_FINE]((x - self.mean) / self.deviation)  # the one gray value for all colors
        return fine, self.features[_FINE:](fine)


def load_vgg19(path: str | Path) -> VGG19:
    """Fill a VGG-19 from torchvision's state dict (`vgg19-*.pth`), or the same as safetensors.

    Only tensors are read (`weights_only=True`): a file that holds anything else is refused, and none of it is executed.

    Raises:
        InputError: where the file is missing, damaged, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no file {path} with the weights of VGG-19.")
    try:
        state = load_file(path) if path.suffix == ".safetensors" else _tensors(path)
        network = VGG19()
        network.load_state_dict({name: state[name] for name in network.state_dict()})
    except (
        SafetensorError,
        pickle.UnpicklingError,
        RuntimeError,
        OSError,
        EOFError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        raise InputError(
            f"{path} does not hold the weights of VGG-19; give torchvision's state dict of vgg19 (.pth or .safetensors)."
        ) from error
    return network


def _tensors(path: Path) -> dict[str, Tensor]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of unusual pickles that it then refuses
        state: dict[str, Tensor] = torch.load(path, "cpu", weights_only=True)
    return state
