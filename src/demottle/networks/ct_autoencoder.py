"""A CT autoencoder: features for a perceptual loss that know CT, without downloaded weights."""

from torch import Tensor, nn
from torch.nn import functional

from demottle.errors import InputError
from demottle.networks.attention_unet import SOFT_TISSUE

COARSE = 4


class CTAutoencoder(nn.Module):
    """Compress a slice to a code at a quarter of its resolution, and give the slice back from the code.

    Encoder: conv 3 x 3 c, c / pool / 2c, 2c / pool / 4c four times, ReLU after each. Decoder: mirrored, NO skip connections,
    or detail would bypass the code. Trained with the mean squared error on normal-dose slices (Adam 1e-3), then frozen.

    Shapes: slices scaled to about 0 to 1, (batch, 1, rows, columns), rows and columns divisible by 4, to the same; the code is
    (batch, 4c, rows / 4, columns / 4). `levels` needs rows and columns divisible by 16.

    Args:
        channels: c; 64 in full size.
    """

    def __init__(self, channels: int = 64) -> None:
        """Build the layers."""
        super().__init__()
        if channels < 1:
            raise InputError(f"An autoencoder with {channels} channels cannot be built.")
        c = channels
        self.encoder = nn.Sequential(
            *_layers(1, c, c),
            nn.MaxPool2d(2),
            *_layers(c, 2 * c, 2 * c),
            nn.MaxPool2d(2),
            *_layers(2 * c, 4 * c, 4 * c, 4 * c, 4 * c),
        )
        self.decoder = nn.Sequential(
            *_layers(4 * c, 4 * c, 4 * c, 4 * c, 2 * c),
            nn.Upsample(scale_factor=2, mode="nearest"),
            *_layers(2 * c, 2 * c, c),
            nn.Upsample(scale_factor=2, mode="nearest"),
            *_layers(c, c),
        )
        self.last = nn.Conv2d(c, 1, 3, padding=1, padding_mode="replicate")
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the slice as far as the code knows it."""
        out: Tensor = SOFT_TISSUE + self.last(self.decoder(self._code(x)))
        return out

    def levels(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the code of the slice, and that of the slice averaged over 4 x 4 pixels, in which little noise is left.

        Averages of the first code would not do: a rectified feature grows with noise, and its mean with it.
        """
        return self._code(x), self._code(functional.avg_pool2d(x, COARSE))

    def _code(self, x: Tensor) -> Tensor:
        code: Tensor = self.encoder(x - SOFT_TISSUE)
        return code


def _layers(inputs: int, *outputs: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for count in outputs:
        convolution = nn.Conv2d(inputs, count, 3, padding=1, padding_mode="replicate")
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
        layers += [convolution, nn.ReLU()]
        inputs = count
    return layers
