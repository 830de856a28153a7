"""A residual U-Net that does its work at half the resolution, for machines without a GPU."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional


class HalfResolutionUNet(nn.Module):
    """Predict one image from several input images of the same size.

    Every 2 x 2 block of pixels becomes four channels (nothing is lost), three levels of residual blocks with additive skips
    follow, and two light convolutions at full resolution end it. Most of a U-Net's time goes into its first level; this one
    costs half of a plain U-Net of the same depth at the same quality.

    Shapes: (batch, inputs, rows, columns) to (batch, 1, rows, columns); rows and columns divisible by `multiple`.

    Args:
        inputs: number of input images.
        channels: channels of each level, from half resolution downward.
        full: channels at full resolution.
    """

    def __init__(self, inputs: int = 1, channels: tuple[int, ...] = (64, 128, 256), full: int = 16) -> None:
        """Build the layers; the last one starts at zero, so that an untrained network predicts nothing."""
        super().__init__()
        self.multiple = 2 ** len(channels)
        first = channels[0]
        self.at_full = nn.Conv2d(inputs, full, 3, padding=1)
        self.enter = nn.Conv2d(4 * inputs, first, 3, padding=1)
        self.encode = nn.ModuleList(_Residual(c) for c in channels)
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(channels))
        up = channels[::-1]
        self.grow = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in pairwise(up))
        self.decode = nn.ModuleList(_Residual(c) for c in up[1:])
        self.leave = nn.Conv2d(first, 4 * full, 3, padding=1)
        self.mix = nn.Conv2d(full, full, 3, padding=1)
        self.last = nn.Conv2d(full, 1, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the prediction."""
        h = self.enter(functional.pixel_unshuffle(x, 2))
        skips: list[Tensor] = []
        for level, block in enumerate(self.encode):
            h = block(h)
            if level < len(self.shrink):
                skips.append(h)
                h = self.shrink[level](h)
        for grow, block in zip(self.grow, self.decode, strict=True):
            h = block(grow(h) + skips.pop())
        h = functional.pixel_shuffle(self.leave(h), 2)
        out: Tensor = self.last(_bend(self.mix(_bend(h + self.at_full(x)))))
        return out


class _Residual(nn.Module):
    """Two 3 x 3 convolutions, added to their input; at first they add nothing, which makes high learning rates safe."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.second(_bend(self.first(x)))
        return out


def _bend(x: Tensor) -> Tensor:
    # Leaky: with plain ReLU and few channels at the end, whole networks died at the learning rates used here.
    return functional.leaky_relu(x, 0.1)
