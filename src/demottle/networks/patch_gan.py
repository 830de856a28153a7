"""The 70 x 70 patch discriminator of pix2pix and CycleGAN: one verdict for every 70 x 70 pixels, not one for the slice."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from demottle.errors import InputError
from demottle.networks.attention_unet import SOFT_TISSUE

NORMS = ("instance", "spectral", "none")


class PatchGAN(nn.Module):
    """4 x 4 convolutions c(stride 2)-2c(2)-4c(2)-8c(1)-1(1), LeakyReLU 0.2, linear output (for least squares).

    Shapes: slices scaled to about 0 to 1, (batch, 1, rows, columns), to (batch, 1, rows / 8 - 2, columns / 8 - 2); at least
    32 x 32.

    Source: arXiv 1611.07004 (appendix 6.1.2), arXiv 1703.10593; with `channels=64` and instance normalization 2,762,689
    weights.

    Args:
        channels: channels of the first layer.
        norm: "instance" as published, before the second to fourth LeakyReLU: every feature's mean and deviation over the patch
            are taken out; "spectral": every convolution's largest singular value is 1; "none".
    """

    def __init__(self, channels: int = 64, norm: str = "instance") -> None:
        """Build the layers; weights have deviation 0.02 as published at 64 channels, more in a narrower network."""
        super().__init__()
        if channels < 1 or norm not in NORMS:
            raise InputError(f'A discriminator with {channels} channels and norm "{norm}" cannot be built.')
        counts = [1, channels, 2 * channels, 4 * channels, 8 * channels, 1]
        layers: list[nn.Module] = []
        for index, (inputs, outputs) in enumerate(pairwise(counts)):
            convolution = nn.Conv2d(inputs, outputs, 4, stride=2 if index < 3 else 1, padding=1)
            nn.init.normal_(convolution.weight, std=0.02 * (64 / channels) ** 0.5)
            layers.append(spectral_norm(convolution) if norm == "spectral" else convolution)
            if index == 4:
                break
            if norm == "instance" and index > 0:
                layers.append(nn.InstanceNorm2d(outputs))
            layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return a verdict per patch: near 1 for what it takes for a real slice, near 0 for what it takes for a made one."""
        out: Tensor = self.layers(x - SOFT_TISSUE)
        return out.float()  # the squares and means that follow need more digits than bfloat16 has
