"""A network applied slice by slice that sees nothing but the slice: what published methods of self-supervision assume.

The networks of `one_scan` also see a Wiener-filtered slice, of which every pixel knows the noise of all others: no blind spot
and no splitting of pixels would survive that. Here the network sees the slice x in two units,

- `(x - m) / s`, bounded, m the mean of x around every pixel and s the noise level of the image,
- `(x - centre) / width`, the scale of the anatomy,

both made from what it is given, a hidden pixel hidden in both. The result is `x + s f`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.learning.device import best_device, has_fast_bfloat16
from demottle.methods.base import Denoiser, Tensors
from demottle.methods.filters.plane_filter import kept, level_of
from demottle.methods.one_scan.calibration import keep_ct_numbers
from demottle.methods.one_scan.protection import changeable, fill_invalid
from demottle.methods.one_scan.slice_network import _local_mean

VIEWS = 2
"""Number of input images of such a network."""
_FINE_RANGE = 8.0  # noise levels around the local mean
_FARTHEST = 4.0  # widths


class Plain(nn.Module):
    """A network wrapped in its normalization: maps slices to denoised slices.

    Shapes: (batch, 1, rows, columns) in and out, rows and columns divisible by `multiple`.

    Args:
        network: two input images, one output.
        centre, width: centre and width of the anatomy, in the image's unit.
        level: level of the noise.
    """

    def __init__(self, network: nn.Module, centre: float, width: float, level: float) -> None:
        """Keep network and scale."""
        super().__init__()
        self.network, self.centre, self.width, self.level = network, centre, width, level
        self.multiple = int(getattr(network, "multiple", 1))
        self.low_precision = has_fast_bfloat16()

    def forward(self, image: Tensor) -> Tensor:
        """Return the denoised slices."""
        fine = ((image - _local_mean(image)) / self.level).clamp(-_FINE_RANGE, _FINE_RANGE)
        coarse = ((image - self.centre) / self.width).clamp(-_FARTHEST, _FARTHEST)
        views = torch.cat([fine, coarse], dim=1).contiguous(memory_format=torch.channels_last)
        with torch.autocast(image.device.type, torch.bfloat16, enabled=self.low_precision):
            answer = self.network(views)
        out: Tensor = image + self.level * answer.float()
        return out


class PlainNetwork(Denoiser):
    """A fitted network; air, metal and padding stay as they are, tissues keep their mean CT numbers, as in all of demottle."""

    def __init__(self, method: str, settings: Any, fitted: Mapping[str, Any], network: nn.Module) -> None:
        """Keep the network; `fitted` holds centre and width of the anatomy, and the noise level."""
        self.method, self.settings = method, asdict(settings)
        self.fitted: dict[str, Any] = dict(fitted)
        self._network = network
        self._device = best_device()
        self._network.to(self._device).eval()

    def tensors(self) -> Tensors:
        """Return the weights."""
        return {name: value.detach().cpu().float().numpy() for name, value in self._network.state_dict().items()}

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Denoise slice by slice; the noise level is measured on the image itself."""
        level = level_of(image, self.fitted)
        if level == 0:
            return image  # without noise there is nothing to remove
        whole = Plain(self._network, self.fitted["centre"], self.fitted["width"], level)
        out = np.empty(image.shape, np.float32)
        for index in range(image.shape[0]):
            listener(Progress(Stage.APPLY, index, image.shape[0]))
            out[index] = kept(image, index, self._plane(whole, fill_invalid(image, index)))
        listener(Progress(Stage.APPLY, image.shape[0], image.shape[0]))
        keep_ct_numbers(image, out, lambda index: changeable(image, index), listener)
        return image.with_voxels(out)

    def _plane(self, whole: Plain, plane: Voxels) -> Voxels:
        rows, columns = plane.shape
        with torch.inference_mode():
            x = torch.from_numpy(np.array(plane, np.float32))[None, None].to(self._device)
            pad = (0, -columns % whole.multiple, 0, -rows % whole.multiple)
            out: Voxels = whole(functional.pad(x, pad, mode="replicate"))[0, 0, :rows, :columns].cpu().numpy()
        return out
