"""The network of Deep Image Prior (Ulyanov, Vedaldi and Lempitsky, CVPR 2018), small: an hourglass with thin skips."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SKIP = 4
"""Channels of a skip: few, so that detail has to come through the depth."""


class Hourglass(nn.Module):
    """Make one image from random input images.

    Shapes: (batch, inputs, rows, columns) to (batch, 1, rows, columns); rows and columns divisible by `multiple`.

    Args:
        inputs: number of input images.
        channels: channels of each level below full resolution.
    """

    def __init__(self, inputs: int = 32, channels: tuple[int, ...] = (32, 32, 64, 64)) -> None:
        """Build the layers."""
        super().__init__()
        self.multiple = 2 ** len(channels)
        self.down = nn.ModuleList(_down(a, b) for a, b in pairwise((inputs, *channels)))
        above = (inputs, *channels[:-1])
        self.skips = nn.ModuleList(nn.Sequential(nn.Conv2d(c, SKIP, 1), nn.LeakyReLU(0.1)) for c in above)
        below = (*channels[1:], channels[-1])
        self.up = nn.ModuleList(_up(SKIP + b, c) for b, c in zip(below, channels, strict=True))
        self.last = nn.Conv2d(channels[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the image."""
        kept: list[Tensor] = []
        for skip, block in zip(self.skips, self.down, strict=True):
            kept.append(skip(x))
            x = block(x)
        for block in reversed(self.up):
            x = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = block(torch.cat([kept.pop(), x], dim=1))
        out: Tensor = self.last(x)
        return out


def _down(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1),
    )


def _up(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(inputs), nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1)
    )
