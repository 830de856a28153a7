"""A U-Net that is told how strong the noise is: dose-diffusion's network (ours; small, without normalization or attention)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

_SLOPE = 0.1
_WAVES = 16
_SLOWEST, _PER_OCTAVE = 0.25, 3
_LEAST_NOISE = 1e-3
_HIDDEN = 64
COARSE = 4
"""A map of the noise is on every fourth row and column."""


class TimedUNet(nn.Module):
    """Predict `R = x - s e(x, s)`, x with noise of standard deviation s taken off; e has unit variance where all goes well.

    Three levels of c, 2c and 4c channels, halved by averaging and doubled bilinearly; skips are added. At each level the noise
    decides gain and offset of every channel, `h (1 + g) + b`, by sines and cosines of log s. The last layer begins at zero, so
    the network begins as the identity; where s is 0 it is the identity to the bit.

    Shapes: x (batch, 1, rows, columns), rows and columns divisible by `multiple`; s in the unit of x, (batch, 1, 1, 1), or a map
    on every fourth row and column, (batch, 1, rows / 4, columns / 4). Returns the shape of x, float32.

    Args:
        channels: c.
    """

    multiple = COARSE
    reach = 32
    """Pixels that a result depends on in each direction, at most."""

    def __init__(self, channels: int = 64) -> None:
        """Build the layers."""
        super().__init__()
        c = channels
        self.encode = nn.ModuleList((TimedBlock(1, c), TimedBlock(c, 2 * c)))
        self.bottom = TimedBlock(2 * c, 4 * c)
        self.rise = nn.ModuleList((nn.Conv2d(4 * c, 2 * c, 1), nn.Conv2d(2 * c, c, 1)))
        self.decode = nn.ModuleList((TimedBlock(2 * c, 2 * c), TimedBlock(c, c)))
        self.last = nn.Conv2d(c, 1, 3, padding=1, padding_mode="replicate")
        self._counts = [2 * count for count in (c, 2 * c, 4 * c, 2 * c, c)]
        told = nn.Conv2d(_HIDDEN, sum(self._counts), 1)
        self.noise = nn.Sequential(nn.Conv2d(2 * _WAVES, _HIDDEN, 1), nn.GELU(), told)
        for parameter in (*self.last.parameters(), *told.parameters()):
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        """Return what is left of `x` when noise of standard deviation `s` is taken off."""
        told = self.noise(waves(s)).split(self._counts, dim=1)
        first = self.encode[0](x, told[0])
        second = self.encode[1](functional.avg_pool2d(first, 2), told[1])
        h = self.bottom(functional.avg_pool2d(second, 2), told[2])
        for number, skip in enumerate((second, first)):
            h = functional.interpolate(self.rise[number](h), scale_factor=2.0, mode="bilinear", align_corners=False)
            h = self.decode[number](h + skip, told[3 + number])
        with torch.autocast(x.device.type, enabled=False):  # bfloat16 has steps of a percent of the noise
            out: Tensor = x - _as_fine_as(s.float(), x) * self.last(h.float())
        return out


class TimedBlock(nn.Module):
    """Two 3 x 3 convolutions; the noise decides gain and offset of what the first one gives.

    Shapes: (batch, inputs, rows, columns), and what the noise says (batch, 2 outputs, any, any), to (batch, outputs, rows,
    columns).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        """Build the layers."""
        super().__init__()
        self.first, self.second = _convolution(inputs, outputs), _convolution(outputs, outputs)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """Return the block's result."""
        h = self.first(x)
        gain, offset = _as_fine_as(told, h).chunk(2, dim=1)
        h = functional.leaky_relu(h * (1 + gain) + offset, _SLOPE)
        out: Tensor = functional.leaky_relu(self.second(h), _SLOPE)
        return out


def waves(s: Tensor) -> Tensor:
    """Return 16 sines and 16 cosines of log s, (batch, 32, ...), of 1/4 to 8 radians for a factor of e."""
    rates = _SLOWEST * 2.0 ** (torch.arange(_WAVES, device=s.device) / _PER_OCTAVE)
    angle = torch.log(s.float().clamp_min(_LEAST_NOISE)) * rates[:, None, None]
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)


def _as_fine_as(coarse: Tensor, fine: Tensor) -> Tensor:
    if coarse.shape[-2:] in ((1, 1), fine.shape[-2:]):
        return coarse
    return functional.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=False)


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate")
    nn.init.kaiming_normal_(layer.weight, _SLOPE)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
