"""Structural similarity as a loss (Wang et al., IEEE TIP 2004)."""

import torch
from torch import Tensor
from torch.nn import functional

_SIDE, _SIGMA = 11, 1.5


def structure_lost(x: Tensor, y: Tensor, peak: float = 1.0) -> Tensor:
    """`1 - mean SSIM(x, y)`, 0 for equal slices; a scalar.

    `SSIM = (2 mx my + c1) (2 sxy + c2) / ((mx^2 + my^2 + c1) (sx^2 + sy^2 + c2))`, with m means, s^2 variances and sxy
    covariances in Gaussian windows of 11 x 11 (sigma 1.5) that lie wholly inside, `c1 = (0.01 peak)^2`, `c2 = (0.03 peak)^2`.

    Args:
        x, y: (batch, 1, rows, columns), at least 11 pixels wide and high.
        peak: range of the values.
    """
    with torch.autocast(x.device.type, enabled=False):  # variances are small differences of large numbers
        x, y = x.float(), y.float()
        places = torch.arange(_SIDE, device=x.device, dtype=torch.float32) - _SIDE // 2
        line = torch.exp(-(places**2) / (2 * _SIGMA**2))
        line = line / line.sum()
        shift = y.mean().detach()  # the same, computed near 0
        a, b = x - shift, y - shift
        moments = torch.cat([a, b, a * a, b * b, a * b], dim=1)
        count = moments.shape[1]
        moments = functional.conv2d(moments, line.view(1, 1, -1, 1).expand(count, -1, -1, -1), groups=count)
        moments = functional.conv2d(moments, line.view(1, 1, 1, -1).expand(count, -1, -1, -1), groups=count)
        mx, my, xx, yy, xy = moments.unbind(1)
        c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
        structure = (2 * (xy - mx * my) + c2) / ((xx - mx * mx) + (yy - my * my) + c2)
        mx, my = mx + shift, my + shift
        return 1 - ((2 * mx * my + c1) / (mx * mx + my * my + c1) * structure).mean()
