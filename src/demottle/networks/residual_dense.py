"""PDML's generator: residual dense blocks at full resolution, every convolution spectrally normalized.

After Jung et al., MICCAI 2022 (arXiv 2207.02377), and the authors' program; blocks after ESRGAN (arXiv 1809.00219). Another
form of it (ours) has plain weights and adds what it makes to its input: with weights normalized and every block's part scaled by
0.1 twice, what the blocks compute hardly reaches the output, and the network stays near a linear filter of 5 x 5 pixels.
"""

from math import ceil
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

_SLOPE = 0.2
_TAPS = ((0, 0), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
"""Places of a 3 x 3 kernel, row and column from its middle."""


class ResidualDense(nn.Module):
    """Map one image to another of the same size; as published without a skip, but beginning near the identity.

    `f1 = head(x) + r blocks(head(x))`, `f2 = conv1x1(f1)`, `out = conv3x3(LeakyReLU(f2))`. Shapes: (batch, 1, rows, columns) in
    and out, any size. Reach: 17 pixels each way.

    Args:
        features: channels at full resolution.
        growth: channels that each convolution of a block adds.
        blocks: residual dense blocks.
        shared: True for the same block used again and again, as the original does (32,833 parameters at the defaults; 95,169
            with blocks of their own).
        normalized: True for spectral normalization of every convolution; False for plain weights, as in a model file.
        residual: r, the part of what a block computes that is added to its input.
        skip: add the output to the input (ours); the network then begins as the identity.
    """

    def __init__(
        self,
        features: int = 32,
        growth: int = 8,
        blocks: int = 3,
        shared: bool = True,
        normalized: bool = True,
        residual: float = 0.1,
        skip: bool = False,
    ) -> None:
        """Build the layers."""
        super().__init__()
        self.count, self.features_out, self.residual, self.skip = blocks, features, residual, skip
        self.head = _convolution(1, features, 3)
        self.blocks = nn.ModuleList(_Block(features, growth, residual) for _ in range(1 if shared else blocks))
        self.mix = _convolution(features, features, 1)
        self.last = _convolution(features, 1, 3)
        if skip:
            _begin_with_nothing(self.last)
        else:
            _begin_as_identity(self.head, self.mix, self.last, residual)
        if normalized:
            _normalize(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output alone."""
        return self.with_features(x)[0]

    def with_features(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return the output, and f1 and f2 (batch, features, rows, columns)."""
        features = self.features(x)
        made = self.output(features[1])
        return (x + made if self.skip else made), features

    def features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return f1 and f2 alone."""
        head = self.head(x)
        h = head
        for index in range(self.count):
            h = self.blocks[index % len(self.blocks)](h)
        first = head + self.residual * h
        return first, self.mix(first)

    def output(self, second: Tensor) -> Tensor:
        """Return what follows from f2: the output, or with a skip what is added to the input."""
        out: Tensor = self.last(functional.leaky_relu(second, _SLOPE))
        return out

    def inner_features(self, x: Tensor) -> Tensor:
        """Return f2 where it does not depend on the borders of `x`: without the outermost `reach - 1` pixels.

        The same numbers as `features`, but nothing is padded, which on a processor takes half of the time.
        """
        h = head = _bare(self.head, x)
        for index in range(self.count):
            h = cast(_Block, self.blocks[index % len(self.blocks)]).inner(h)
        return _bare(self.mix, _within(head, h) + self.residual * h)

    def inner_output(self, second: Tensor) -> Tensor:
        """Return what follows from f2, as `output`, without its outermost pixel."""
        return _bare(self.last, functional.leaky_relu(second, _SLOPE))

    @property
    def reach(self) -> int:
        """Pixels each way that an output pixel depends on: 17 with three blocks."""
        return 2 + self.count * len(cast(_Block, self.blocks[0]).layers)


class _Block(nn.Module):
    """Five convolutions, each of which sees all before it; `u + r last`."""

    def __init__(self, features: int, growth: int, residual: float) -> None:
        super().__init__()
        self.residual = residual
        outputs = (growth, growth, growth, growth, features)
        self.layers = nn.ModuleList(
            _convolution(features + index * growth, out, 3) for index, out in enumerate(outputs)
        )

    def forward(self, u: Tensor) -> Tensor:
        seen = u
        for layer in self.layers:
            last = functional.leaky_relu(layer(seen), _SLOPE)
            if layer is not self.layers[-1]:
                seen = torch.cat([seen, last], 1)
        return u + self.residual * last

    def inner(self, u: Tensor) -> Tensor:
        """The same without the outermost pixels, one for each layer."""
        seen = u
        for layer in self.layers:
            last = functional.leaky_relu(_bare(layer, seen), _SLOPE)
            if layer is not self.layers[-1]:
                seen = torch.cat([_within(seen, last), last], 1)
        return _within(u, last) + self.residual * last


def _bare(layer: nn.Module, x: Tensor) -> Tensor:
    """Convolve without padding."""
    return functional.conv2d(x, layer.weight, layer.bias)  # type: ignore[arg-type]


def _within(x: Tensor, smaller: Tensor) -> Tensor:
    """The middle of `x` that has the size of another."""
    edge = (x.shape[-1] - smaller.shape[-1]) // 2
    return x[..., edge:-edge, edge:-edge] if edge else x


def _convolution(inputs: int, outputs: int, size: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, padding=size // 2, padding_mode="replicate" if size > 1 else "zeros")


@torch.no_grad()
def _begin_with_nothing(last: nn.Conv2d) -> None:
    if not last.weight.is_meta:
        last.weight.zero_()
        nn.init.zeros_(cast(Tensor, last.bias))


@torch.no_grad()
def _begin_as_identity(head: nn.Conv2d, mix: nn.Conv2d, last: nn.Conv2d, residual: float) -> None:
    """Let the network give its input back to within some percent (ours).

    With random weights it takes thousands of steps to get there: spectral norms bound every layer's gain, so that only many
    channels together, each a shifted copy of the input, can hand it on. Channels come in pairs, copy and negative, because
    `LeakyReLU(z) - LeakyReLU(-z) = (1 + slope) z`. What is random is kept, at a hundredth, so that copies can become different.
    """
    channels = head.out_channels
    pairs = channels // 2
    if head.weight.is_meta or not pairs:
        return
    for layer in (head, mix, last):
        layer.weight.mul_(0.01)
        nn.init.zeros_(cast(Tensor, layer.bias))
    mix.weight += torch.eye(channels)[:, :, None, None]
    taps = [_TAPS[pair % len(_TAPS)] for pair in range(pairs)]
    copy = (2 * ceil(pairs / len(_TAPS))) ** -0.5  # the most that a spectral norm of 1 allows each copy
    first, others = _shares(pairs, 1 / (copy * (1 + residual) * (1 + _SLOPE)))
    for pair, (row, column) in enumerate(taps):
        share = others if pair else first
        for channel, sign in ((2 * pair, 1.0), (2 * pair + 1, -1.0)):
            head.weight[channel, 0, 1 + row, 1 + column] += sign * copy
            last.weight[0, channel, 1 - row, 1 - column] += sign * share


def _shares(pairs: int, total: float) -> tuple[float, float]:
    """Weights a of the first pair and b of each other one: `a + (n - 1) b = total`, `a^2 + (n - 1) b^2 = 1/2`.

    Their squares make up the last layer's norm of 1; where that allows less than the total, as much as it allows.
    """
    others = pairs - 1
    if not others:
        return 0.5**0.5, 0.0
    root = max(0.0, (total * others) ** 2 - (others**2 + others) * (total**2 - 0.5)) ** 0.5
    each = (total * others - root) / (others**2 + others)
    return total - others * each, each


def normalized(network: ResidualDense) -> ResidualDense:
    """Normalize every convolution of a network with plain weights spectrally from here on, and return it.

    Weights that `plain_weights` gave stay as they are, to within some tenths of a percent: their spectral norms are nearly 1.
    """
    _normalize(network)
    return network


def _normalize(network: nn.Module) -> None:
    for layer in [module for module in network.modules() if isinstance(module, nn.Conv2d)]:
        spectral_norm(layer)


def plain_weights(network: nn.Module) -> dict[str, Tensor]:
    """Return a spectrally normalized network's weights as those of a plain one, normalization carried out."""
    with torch.no_grad():
        weights = {}
        for name, module in network.named_modules():
            for kind in ("weight", "bias"):
                value = getattr(module, kind, None)
                if isinstance(module, nn.Conv2d) and isinstance(value, Tensor):
                    weights[f"{name}.{kind}"] = value.detach().clone()
    return weights
