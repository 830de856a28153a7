"""The light student for real time without a GPU: a small U-Net at half resolution, and a thin path at full resolution."""

from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional

_SLOPE = 0.1


class HalfResolutionStudent(nn.Module):
    """Predict one image from several input images of the same size.

    Every 2 x 2 block of pixels becomes four channels (nothing is lost); one convolution there, two residual ones at a quarter
    of the resolution and one on the way back see far at a small price. A few channels at full resolution join them at the end:
    without these, edges came out wider and learning took longer. With three inputs and the channels below 33,617 parameters.

    The convolutions at full resolution are computed at half of it as well, as what they are there: convolutions between blocks
    of four pixels. That takes more multiplications (4,800 for each pixel in all, a sixth of `LightCausalStudent`'s), but no
    time in rearranging pixels; the result is the same.

    Shapes: (batch, inputs, rows, columns) to (batch, 1, rows, columns); rows and columns divisible by `multiple`.

    Args:
        inputs: number of input images.
        channels: at half and at a quarter of the resolution.
        full: channels at full resolution.
    """

    multiple = 4
    places: Tensor

    def __init__(self, inputs: int = 3, channels: tuple[int, int] = (24, 32), full: int = 8) -> None:
        """Build the layers; the last one starts at zero, so that an untrained network predicts nothing."""
        super().__init__()
        half, quarter = channels
        self.at_full = nn.Conv2d(inputs, full, 3, padding=1)
        self.enter = nn.Conv2d(4 * inputs, half, 3, padding=1)
        self.shrink = nn.Conv2d(half, quarter, 2, stride=2)
        self.deep = nn.ModuleList(nn.Conv2d(quarter, quarter, 3, padding=1) for _ in range(2))
        self.grow = nn.ConvTranspose2d(quarter, half, 2, stride=2)
        self.join = nn.Conv2d(half, half, 3, padding=1)
        self.leave = nn.Conv2d(half, 4 * full, 1)
        self.last = nn.Conv2d(full, 1, 3, padding=1)
        self.register_buffer("places", _places(), persistent=False)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight, a=_SLOPE)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return the prediction."""
        halved = _bend(_of_blocks(x, self.enter.weight, self.enter.bias))
        h = _bend(self.shrink(halved))
        for layer in self.deep:
            h = h + _bend(layer(h))
        quarters = functional.conv2d(h, *_as_blocks(self.grow))
        h = _bend(self.join(functional.pixel_shuffle(quarters, 2) + halved))
        h = _bend(self.leave(h) + _of_blocks(x, *self._at_half(self.at_full)))
        return functional.pixel_shuffle(functional.conv2d(h, *self._at_half(self.last), padding=1), 2)

    def _at_half(self, layer: nn.Conv2d) -> tuple[Tensor, Tensor]:
        """Kernel and bias of a 3 x 3 convolution for full resolution, for blocks of 2 x 2 pixels as channels."""
        outputs, inputs = layer.weight.shape[:2]
        kernel = torch.einsum("oikl,pqabkl->opiqab", layer.weight, self.places.to(layer.weight.dtype))
        bias = layer.bias
        assert bias is not None
        return kernel.reshape(4 * outputs, 4 * inputs, 3, 3), bias.repeat_interleave(4)


def _of_blocks(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A 3 x 3 convolution of an image's 2 x 2 blocks as channels: one of 6 x 6 pixels, every other pixel."""
    outputs, inputs = weight.shape[0], weight.shape[1] // 4
    kernel = weight.reshape(outputs, inputs, 2, 2, 3, 3).permute(0, 1, 4, 2, 5, 3).reshape(outputs, inputs, 6, 6)
    return functional.conv2d(x, kernel, bias, stride=2, padding=2)


def _as_blocks(layer: nn.ConvTranspose2d) -> tuple[Tensor, Tensor]:
    """A transposed convolution of 2 x 2 pixels as an ordinary one to 2 x 2 blocks as channels."""
    inputs, outputs = layer.weight.shape[:2]
    bias = layer.bias
    assert bias is not None
    return layer.weight.permute(1, 2, 3, 0).reshape(4 * outputs, inputs, 1, 1), bias.repeat_interleave(4)


def _places() -> Tensor:
    """Where each weight of a 3 x 3 kernel goes: (4, 4, 3, 3, 3, 3), 1 where pixel q of the block (a, b) lies at (k, l) from
    pixel p of the middle block, all counted from the upper left."""
    found = torch.zeros(4, 4, 3, 3, 3, 3)
    for p, k, l in product(range(4), range(3), range(3)):  # noqa: E741 (rows and columns of a kernel)
        row, column = p // 2 + k - 1, p % 2 + l - 1
        found[p, 2 * (row % 2) + column % 2, row // 2 + 1, column // 2 + 1, k, l] = 1
    return found


def _bend(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, _SLOPE, inplace=True)
