"""MSR2AU-Net: the multi-scale recurrent residual attention U-Net, the teacher of UDCA (arXiv 2411.00830)."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

PAPER = (64, 128, 256, 512)
"""Channels of the published teacher: about 9.9 million parameters with a stem of 32."""
_SIZES = (3, 5, 7)


class RecurrentResidualAttentionUNet(nn.Module):
    """Predict a hidden frame from the frames around it.

    Every frame passes its own 3 x 3, 5 x 5 and 7 x 7 convolution (the scales). Then follows a U-Net of recurrent residual
    blocks: a 1 x 1 convolution, and added to it two recurrent units, `h <- f(x + h)` with one shared 3 x 3 convolution f applied
    `recurrences` times. Additive attention gates weigh the skips.

    Shapes: (batch, frames, rows, columns) to (batch, 1, rows, columns); rows and columns divisible by `multiple`.

    Args:
        frames: number of frames that are seen.
        channels: channels of each level, from full resolution downward.
        stem: channels of each frame and scale.
        recurrences: how often a unit's convolution is applied, at least 1.
        norm: batch normalization in the units, as published. Without it a step takes half the time on a CPU.
    """

    def __init__(
        self,
        frames: int = 4,
        channels: tuple[int, ...] = PAPER,
        stem: int = 32,
        recurrences: int = 3,
        norm: bool = True,
    ) -> None:
        """Build the layers; the last one starts at zero, so that an untrained network predicts nothing."""
        super().__init__()
        self.multiple = 2 ** (len(channels) - 1)
        self.scales = nn.ModuleList(
            nn.Conv2d(1, stem, size, padding=size // 2) for _ in range(frames) for size in _SIZES
        )
        down = (3 * stem * frames, *channels)
        self.encode = nn.ModuleList(_Block(a, b, recurrences, norm) for a, b in pairwise(down))
        up = channels[::-1]
        self.grow = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(up))
        self.gates = nn.ModuleList(_Gate(b) for b in up[1:])
        self.decode = nn.ModuleList(_Block(2 * b, b, recurrences, norm) for b in up[1:])
        self.last = nn.Conv2d(channels[0], 1, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the prediction."""
        shown = [x[:, index // len(_SIZES), None] for index in range(len(self.scales))]
        h = torch.cat([_bend(conv(frame)) for conv, frame in zip(self.scales, shown, strict=True)], 1)
        skips: list[Tensor] = []
        for level, block in enumerate(self.encode):
            h = block(h if level == 0 else functional.max_pool2d(h, 2))
            skips.append(h)
        skips.pop()
        for grow, gate, block in zip(self.grow, self.gates, self.decode, strict=True):
            h = _bend(grow(functional.interpolate(h, scale_factor=2.0, mode="nearest")))
            h = block(torch.cat([gate(skips.pop(), h), h], 1))
        out: Tensor = self.last(h)
        return out


class _Block(nn.Module):
    """1 x 1 convolution plus two recurrent units of it."""

    def __init__(self, inputs: int, outputs: int, recurrences: int, norm: bool) -> None:
        super().__init__()
        self.enter = nn.Conv2d(inputs, outputs, 1)
        self.units = nn.Sequential(_Recurrent(outputs, recurrences, norm), _Recurrent(outputs, recurrences, norm))

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        out: Tensor = x + self.units(x)
        return out


class _Recurrent(nn.Module):
    """`h <- f(x + h)`, starting from `f(x)`; one set of weights for all times."""

    def __init__(self, channels: int, recurrences: int, norm: bool) -> None:
        super().__init__()
        self.recurrences = recurrences
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=not norm)
        self.norm = nn.BatchNorm2d(channels) if norm else nn.Identity()
        if not norm:  # nothing else keeps what is applied again and again from growing
            with torch.no_grad():
                self.conv.weight.mul_(0.5)

    def forward(self, x: Tensor) -> Tensor:
        h = self._once(x)
        for _ in range(self.recurrences - 1):
            h = self._once(x + h)
        return h

    def _once(self, x: Tensor) -> Tensor:
        return _bend(self.norm(self.conv(x)))


class _Gate(nn.Module):
    """Additive attention (Oktay 2018): `skip sigmoid(psi(relu(a skip + b signal)))`, one weight for each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 2)
        self.of_skip = nn.Conv2d(channels, inner, 1)
        self.of_signal = nn.Conv2d(channels, inner, 1)
        self.weight = nn.Conv2d(inner, 1, 1)

    def forward(self, skip: Tensor, signal: Tensor) -> Tensor:
        weight = self.weight(functional.relu(self.of_skip(skip) + self.of_signal(signal)))
        return skip * torch.sigmoid(weight)


def _bend(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, 0.1)
