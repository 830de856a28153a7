"""The plain single-frame U-Net, the student of UDCA (arXiv 2411.00830)."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

PAPER = (64, 128, 256, 256)
"""Channels near the published student's 4.7 million parameters and 0.51 million multiplications per pixel."""


class SingleFrameUNet(nn.Module):
    """Predict one image from several input images of the same size, with two 3 x 3 convolutions per level and concatenated skips.

    Shapes: (batch, inputs, rows, columns) to (batch, 1, rows, columns); rows and columns divisible by `multiple`.

    Args:
        inputs: number of input images.
        channels: channels of each level, from full resolution downward.
    """

    def __init__(self, inputs: int = 1, channels: tuple[int, ...] = PAPER) -> None:
        """Build the layers; the last one starts at zero, so that an untrained network predicts nothing."""
        super().__init__()
        self.multiple = 2 ** (len(channels) - 1)
        self.encode = nn.ModuleList(_Twice(a, b) for a, b in pairwise((inputs, *channels)))
        self.decode = nn.ModuleList(_Twice(a + b, b) for a, b in pairwise(channels[::-1]))
        self.last = nn.Conv2d(channels[0], 1, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the prediction."""
        skips: list[Tensor] = []
        h = x
        for level, block in enumerate(self.encode):
            h = block(h if level == 0 else functional.max_pool2d(h, 2))
            skips.append(h)
        skips.pop()
        for block in self.decode:
            h = block(torch.cat([skips.pop(), functional.interpolate(h, scale_factor=2.0, mode="nearest")], 1))
        out: Tensor = self.last(h)
        return out


class _Twice(nn.Sequential):
    """Two 3 x 3 convolutions. Leaky, like the other networks here: plain ReLU died at the rates they are taught with."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            nn.LeakyReLU(0.1, inplace=True),
        )
