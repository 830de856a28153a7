"""The dynamic object motion cross-fusion matrix of UDCA (arXiv 2411.00830), as released and normalized by the noise.

It says pixel by pixel which of two targets to believe: T, the teacher's, or R, the recursive average of frames around.
All images are (batch, 1, rows, columns).
"""

import torch
from torch import Tensor
from torch.nn import functional

WINDOW = 7
STILL, MOVING = 1.35, 2.2
"""Motion from which on, and up to which, the fusion goes from R to T, in units of what noise alone gives on average."""


def released_fusion(output: Tensor, recursive: Tensor, teacher: Tensor, frame: Tensor) -> Tensor:
    """Compute the matrix as in the authors' partial release.

    With `A = 0.5 G R` and x the frame: `W = Var_image(|A - x|)^(1/5) Var_7x7(|A - x|)`, 0 where `|A - x| < |A - T|`. Images
    are meant to lie in 0 to 1, where W is so small that it hardly does anything.

    Args:
        output: G, the student's answer; no gradient flows into W.
        recursive, teacher, frame: R, T, x.
    """
    mixed = 0.5 * output.detach() * recursive
    apart = (mixed - frame).abs()
    local = _local_variance(apart)
    whole = apart.var(dim=(-2, -1), keepdim=True, unbiased=False)
    weight = whole**0.2 * local
    return torch.where(apart < (mixed - teacher).abs(), torch.zeros_like(weight), weight)


def motion_map(frames: Tensor, deviation: Tensor) -> Tensor:
    """Compute how much moves at each pixel, from frames in a row, 0 (nothing beyond noise) to 1.

    `D = sum_k |x_k - x_(k-1)|`, divided by what noise of the given deviation gives on average (`2 / sqrt(pi)` deviations for
    each difference), smoothed over 5 x 5 pixels, and brought from `STILL`..`MOVING` to 0..1. No minimum or maximum of a frame
    enters: those flicker.

    Args:
        frames: (batch, frames in a row, rows, columns).
        deviation: noise of a frame, (batch, 1, rows, columns), above 0.

    Returns:
        (batch, 1, rows, columns).
    """
    steps = (frames[:, 1:] - frames[:, :-1]).abs()
    expected = 2 / torch.pi**0.5 * deviation
    apart = functional.avg_pool2d(
        steps.mean(dim=1, keepdim=True) / expected, 5, stride=1, padding=2, count_include_pad=False
    )
    return ((apart - STILL) / (MOVING - STILL)).clamp(0, 1)


def _local_variance(image: Tensor) -> Tensor:
    def mean(x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, WINDOW, stride=1, padding=WINDOW // 2, count_include_pad=False)

    return (mean(image**2) - mean(image) ** 2).clamp(min=0)
