"""PDML's discriminator: scores patches of an image; spectrally normalized, channels weighted by what the whole image shows.

After Jung et al., MICCAI 2022 (arXiv 2207.02377); weighting of channels after squeeze-and-excitation (arXiv 1709.01507).
"""

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class PatchDiscriminator(nn.Module):
    """Score an image patch by patch: (batch, 1, rows, columns) to (batch, 1, rows / 8, columns / 8), 1 for real.

    3 x 3 convolutions width (stride 2), 2 width (2), 4 width (2), 8 width (1), 1; LeakyReLU 0.2; channels weighted after the
    second to fourth; 401,373 parameters at the default width.

    Args:
        width: channels of the first layer.
        reduction: reduction of the channels inside the weighting.
    """

    def __init__(self, width: int = 32, reduction: int = 16) -> None:
        """Build the layers."""
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for index, (factor, stride) in enumerate(((1, 2), (2, 2), (4, 2), (8, 1))):
            layers += [_convolution(channels, factor * width, stride), nn.LeakyReLU(0.2)]
            channels = factor * width
            if index:
                layers.append(_ChannelWeights(channels, reduction))
        self.layers = nn.Sequential(*layers, _convolution(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores."""
        out: Tensor = self.layers(x)
        return out


class _ChannelWeights(nn.Module):
    """Multiply each channel by a weight in (0, 1) that follows from the means of all of them."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        inner = max(1, channels // reduction)
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, inner, 1),
            nn.ReLU(),
            nn.Conv2d(inner, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x * self.weigh(x)
        return out


def _convolution(inputs: int, outputs: int, stride: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1))
