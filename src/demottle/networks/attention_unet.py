"""A U-Net with attention-gated skips and residual blocks at the bottom: the generator of the perceptual attention CycleGAN."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.errors import InputError

SOFT_TISSUE = 0.5
"""Taken off the input by the networks of the CycleGAN family: near 0 bfloat16 is finest, and borders of zeros are not a cliff."""
_SLOPE = 0.1


class AttentionUNet(nn.Module):
    """Predict what to add to a slice: `output = input + residual`.

    Encoder levels of two 3 x 3 convolutions, halved in between; residual blocks at the bottom; a decoder whose skips pass an
    additive attention gate. Nothing normalizes (no batch or instance normalization): that would rescale intensities and so
    move CT numbers. The last layer begins at zero, so that an untrained network gives its input back.

    Shapes: slices scaled to about 0 to 1, (batch, 1, rows, columns), to the same; rows and columns divisible by `multiple`.

    Source: arXiv 2605.00793 for the parts; it publishes no layer counts, these are the usual ones. Attention gates after
    arXiv 1804.03999.

    Args:
        channels: channels of each level, from full resolution downward.
        blocks: residual blocks at the bottom; 0 for two plain convolutions there.
        attention: gate the skips; without, they are handed over whole.

    Raises:
        InputError: for fewer than two levels, or a count that is not positive.
    """

    def __init__(
        self, channels: tuple[int, ...] = (64, 128, 256, 512), blocks: int = 9, attention: bool = True
    ) -> None:
        """Build the layers."""
        super().__init__()
        if len(channels) < 2 or min(channels) < 1 or blocks < 0:
            raise InputError(f"A U-Net with channels {channels} and {blocks} blocks at the bottom cannot be built.")
        self.multiple = 2 ** (len(channels) - 1)
        up = channels[::-1]
        self.enter = _convolutions(1, channels[0])
        self.shrink = nn.ModuleList(nn.Conv2d(a, a, 2, stride=2) for a in channels[:-1])
        self.encode = nn.ModuleList(_convolutions(a, b) for a, b in pairwise(channels))
        self.bottom = (
            nn.Sequential(*(ResidualBlock(up[0]) for _ in range(blocks))) if blocks else _convolutions(up[0], up[0])
        )
        self.grow = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in pairwise(up))
        self.gates = nn.ModuleList(AttentionGate(b) if attention else _Open() for b in up[1:])
        self.decode = nn.ModuleList(_convolutions(2 * b, b) for b in up[1:])
        self.last = _convolution(channels[0], 1)
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` with the predicted residual added."""
        return self.with_features(x)[0]

    def with_features(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the output, and `features(x)`."""
        features = self.features(x)
        *skips, h = features
        for grow, gate, decode in zip(self.grow, self.gates, self.decode, strict=True):
            h = grow(h)
            h = decode(torch.cat([gate(skips.pop(), h), h], dim=1))
        return x + self.last(h), features

    def features(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return what the encoder makes of `x`: one tensor (batch, channels, ...) for each level, the bottom's last."""
        found = [self.enter(x - SOFT_TISSUE)]
        for shrink, encode in zip(self.shrink, self.encode, strict=True):
            found.append(encode(shrink(found[-1])))
        return (*found[:-1], self.bottom(found[-1]))


class AttentionGate(nn.Module):
    """Additive attention: `psi = sigmoid(W relu(Wx x + Wg g))`, result `psi x`, psi one number between 0 and 1 per pixel.

    Shapes: skip x and gating signal g, both (batch, channels, rows, columns), to the same.
    """

    def __init__(self, channels: int) -> None:
        """Build the three 1 x 1 convolutions, with half as many channels inside."""
        super().__init__()
        inside = max(1, channels // 2)
        self.of_skip = nn.Conv2d(channels, inside, 1)
        self.of_gate = nn.Conv2d(channels, inside, 1, bias=False)
        self.weight = nn.Conv2d(inside, 1, 1)

    def forward(self, skip: Tensor, gate: Tensor) -> Tensor:
        """Return the gated skip."""
        out: Tensor = skip * torch.sigmoid(self.weight(functional.relu(self.of_skip(skip) + self.of_gate(gate))))
        return out


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions, their result added to the input. Shapes: (batch, channels, rows, columns) to the same."""

    def __init__(self, channels: int) -> None:
        """Build the layers; the second one begins at zero, so that a deep stack of blocks begins as the identity."""
        super().__init__()
        self.first, self.second = _convolution(channels, channels), _convolution(channels, channels)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return the input with the two convolutions' result added."""
        out: Tensor = x + self.second(_bend(self.first(x)))
        return out


class _Open(nn.Module):
    """A gate that is always open."""

    def forward(self, skip: Tensor, gate: Tensor) -> Tensor:
        return skip


def _convolutions(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        _convolution(inputs, outputs), nn.LeakyReLU(_SLOPE), _convolution(outputs, outputs), nn.LeakyReLU(_SLOPE)
    )


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    # Replicated borders: zeros would be one tissue's value wherever a patch ends in another.
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate")
    nn.init.kaiming_normal_(
        layer.weight, _SLOPE
    )  # without normalization layers, features have to keep their size by themselves
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def _bend(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, _SLOPE)
