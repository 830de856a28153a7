"""What thin faint wires lose of their contrast: an error that the mean square error does not see.

A wire two pixels wide and as deep as the noise is worth next to nothing as an error of single pixels, so a network learns to
smooth it away. Looked at along a piece of the wire, where noise averages out, what is missing stands out.
"""

import torch
from torch import Tensor
from torch.nn import functional

_ALONG = 4.0  # pixels, of the Gaussian
_LEAST = 1e-2  # of the wires' square in the Gaussian


def contrast_lost(error: Tensor, wires: Tensor) -> Tensor:
    """Return the mean of `min(w^2, 1) (G(e w) / G(w^2))^2`, G a Gaussian of 4 pixels: 1 on a wire that is wholly lost.

    Args:
        error: e, (batch, 1, rows, columns), in units of the noise.
        wires: w, what the wires add to the image, same shape and unit.
    """
    lost = _smoothed(error * wires) / (_smoothed(wires**2) + _LEAST)
    return ((wires**2).clamp(max=1) * lost**2).mean()


def _smoothed(image: Tensor) -> Tensor:
    reach = int(3 * _ALONG)
    at = torch.arange(-reach, reach + 1, device=image.device)
    kernel = torch.exp(-((at / _ALONG) ** 2) / 2)
    kernel = (kernel / kernel.sum()).view(1, 1, -1, 1)
    down = functional.conv2d(image, kernel, padding=(reach, 0))
    return functional.conv2d(down, kernel.transpose(-1, -2), padding=(0, reach))
