"""The networks of ASCON's contrast (arXiv 2307.12225, "MAC-Net"): used in training only.

Where the authors' program has batch normalization there is group normalization, so that what one patch gives does not depend on
the others, nor on how many processes share them.
"""

import copy
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

_GROUPS = 8


class AnatomyFeatures(nn.Module):
    """A U-Net with two results: its bottom, at 1/16 of the resolution, and a decoder that leaves the bottom out, at all of it.

    Shapes: (batch, 1, rows, columns), rows and columns divisible by 16, to (batch, channels[4], rows / 16, columns / 16) and
    (batch, channels[0], rows, columns).

    Args:
        channels: channels of the five levels, multiples of 8.
    """

    def __init__(self, channels: tuple[int, int, int, int, int] = (64, 128, 256, 256, 512)) -> None:
        """Build the layers."""
        super().__init__()
        a, b, c, d, _ = channels
        self.encode = nn.ModuleList(_convolutions(i, o, o) for i, o in pairwise((1, *channels)))
        self.decode = nn.ModuleList(
            (
                _convolutions(d + c, (d + c) // 2, b),
                _convolutions(2 * b, b, a),
                _convolutions(2 * a, a, a),
            )
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the deep and the fine features."""
        found: list[Tensor] = []
        for encode in self.encode:
            found.append(encode(functional.max_pool2d(found[-1], 2) if found else x))
        *skips, deep = found
        fine = skips.pop()
        for decode in self.decode:
            fine = functional.interpolate(fine, scale_factor=2.0, mode="bilinear", align_corners=False)
            fine = decode(torch.cat([fine, skips.pop()], dim=1))
        return deep, fine


class AnatomyNetworks(nn.Module):
    """Features with heads that learn, and the same once more as a target that follows them.

    `deep` and `fine` are heads of vectors (..., channels) to (..., vector); `predictor` takes deep vectors further. The target
    has no predictor and never gets a gradient: call `follow` after each move.

    Args:
        channels: of `AnatomyFeatures`.
        width: of the hidden layer of `deep` and `predictor`, a multiple of 8.
        vector: length of the vectors.
    """

    def __init__(self, channels: tuple[int, int, int, int, int], width: int = 1024, vector: int = 256) -> None:
        """Build the networks; the target begins as a copy."""
        super().__init__()
        self.online = nn.ModuleDict(
            {
                "features": AnatomyFeatures(channels),
                "deep": _head(channels[-1], width, vector),
                "fine": nn.Sequential(nn.Linear(channels[0], vector), nn.ReLU(), nn.Linear(vector, vector)),
            }
        )
        self.predictor = _head(vector, width, vector)
        self.target = copy.deepcopy(self.online)

    @torch.no_grad()
    def follow(self, momentum: float) -> None:
        """Move the target: `target <- momentum target + (1 - momentum) online`."""
        torch._foreach_lerp_(list(self.target.parameters()), list(self.online.parameters()), 1 - momentum)


class _Normalized(nn.GroupNorm):
    """Group normalization of vectors (..., channels), each by itself."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, -2)).reshape(x.shape)


def _head(inputs: int, width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, width), _Normalized(_GROUPS, width), nn.ReLU(), nn.Linear(width, outputs))


def _convolutions(inputs: int, inside: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, o in pairwise((inputs, inside, outputs)):
        layers += [nn.Conv2d(i, o, 3, padding=1, bias=False), nn.GroupNorm(_GROUPS, o), nn.ReLU()]
    return nn.Sequential(*layers)
