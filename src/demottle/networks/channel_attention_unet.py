"""A U-Net with attention over channels: ESAU-Net, the generator of ASCON (Chen et al., MICCAI 2023, arXiv 2307.12225)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.errors import InputError
from demottle.networks.attention_unet import SOFT_TISSUE

_SLOPE = 0.01


class ChannelAttentionUNet(nn.Module):
    """Predict what to add to a slice: `output = input + predicted` (the sum is ours; the last layer begins at zero).

    Four levels, halved by max pooling and doubled bilinearly; skips are added. Every level is a `ChannelBlock`. No normalization
    and no biases, so what is predicted grows in proportion to the distance from `SOFT_TISSUE`.

    Shapes: slices scaled to about 0 to 1, (batch, 1, rows, columns), to the same; rows and columns divisible by `multiple`.

    Args:
        channels: channels of the first level, a multiple of 2; 64 in the paper.
        heads: heads of attention on each level, from full resolution downward.

    Raises:
        InputError: where the heads do not divide the channels.
    """

    multiple = 8

    def __init__(self, channels: int = 64, heads: tuple[int, int, int, int] = (1, 2, 4, 8)) -> None:
        """Build the layers."""
        super().__init__()
        c = channels
        given = (c // 2, c, 2 * c, 4 * c)
        if c < 2 or c % 2 or len(heads) != 4 or any(h < 1 or i % h for h, i in zip(heads, given, strict=True)):
            raise InputError(f"heads is {heads}; each has to divide the channels of its level, which are {given}.")
        self.enter = nn.Sequential(_convolution(1, c // 2), nn.LeakyReLU(_SLOPE))
        self.encode = nn.ModuleList(
            (
                ChannelBlock(c // 2, c, heads[0]),
                ChannelBlock(c, 2 * c, heads[1]),
                ChannelBlock(2 * c, 4 * c, heads[2]),
            )
        )
        self.bottom = ChannelBlock(4 * c, 4 * c, heads[3], inside=8 * c)
        self.decode = nn.ModuleList(
            (
                ChannelBlock(4 * c, 2 * c, heads[2]),
                ChannelBlock(2 * c, c, heads[1]),
                ChannelBlock(c, c // 2, heads[0]),
            )
        )
        self.leave = nn.Sequential(_convolution(c // 2, c // 2), nn.LeakyReLU(_SLOPE))
        self.last = _convolution(c // 2, 1)
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` with what is predicted added."""
        h = self.enter(x - SOFT_TISSUE)
        skips = []
        for encode in self.encode:
            skips.append(encode(h))
            h = functional.max_pool2d(skips[-1], 2)
        h = self.bottom(h)
        for decode in self.decode:
            h = functional.interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False)
            h = decode(h + skips.pop())
        out: Tensor = x + self.last(self.leave(h))
        return out


class ChannelBlock(nn.Module):
    """`u = x + A(x)`, then two 3 x 3 convolutions, and `u` once more around them, through 1 x 1 where the channels differ.

    Shapes: (batch, inputs, rows, columns) to (batch, outputs, rows, columns).
    """

    def __init__(self, inputs: int, outputs: int, heads: int, inside: int | None = None) -> None:
        """Build the layers; `inside`: channels between the two convolutions (None: `inputs`)."""
        super().__init__()
        inside = inside or inputs
        self.attention = ChannelAttention(inputs, heads)
        self.convolve = nn.Sequential(
            _convolution(inputs, inside),
            nn.LeakyReLU(_SLOPE),
            _convolution(inside, outputs, 0.5),
            nn.LeakyReLU(_SLOPE),
        )
        self.around = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's result."""
        u = x + self.attention(x)
        out: Tensor = self.convolve(u) + self.around(u)
        return out


class ChannelAttention(nn.Module):
    """Attention over channels: `softmax(T q k^T) v`, q and k brought to length 1 along all pixels, one learned T per head.

    The matrix has (channels / heads)^2 entries, so the cost grows in proportion to the pixels. Its entries depend on *all* pixels
    in view: what is learned on patches holds for views of the same size.

    Shapes: (batch, channels, rows, columns) to the same.
    """

    def __init__(self, channels: int, heads: int) -> None:
        """Build the layers: 1 x 1 and a depthwise 3 x 3 for q, k and v, 1 x 1 for the result."""
        super().__init__()
        self.heads = heads
        self.project = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.spread = nn.Conv2d(
            3 * channels, 3 * channels, 3, padding=1, padding_mode="replicate", groups=3 * channels, bias=False
        )
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.out = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended features."""
        batch, channels, rows, columns = x.shape
        q, k, v = (
            part.reshape(batch, self.heads, channels // self.heads, rows * columns)
            for part in self.spread(self.project(x)).chunk(3, dim=1)
        )
        # Sums over thousands of pixels: bfloat16 would lose what they are about.
        with torch.autocast(x.device.type, enabled=False):
            q, k = (functional.normalize(part.float(), dim=-1) for part in (q, k))
            attention = torch.softmax(self.temperature.float() * (q @ k.transpose(-1, -2)), dim=-1)
        mixed = attention.to(v.dtype) @ v
        out: Tensor = self.out(mixed.reshape(batch, channels, rows, columns))
        return out


def _convolution(inputs: int, outputs: int, part: float = 1.0) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate", bias=False)
    nn.init.kaiming_normal_(layer.weight, _SLOPE)
    with torch.no_grad():
        layer.weight *= part  # nothing normalizes: blocks that add up would make features larger from level to level
    return layer
