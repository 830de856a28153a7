"""The three losses of NS-N2N (arXiv 2411.10831) on pairs of neighboring slices.

`x` and `y` are two slices that show matched tissue where `weight` is above 0, `f` the network. All tensors have shape
(batch, 1, rows, columns); every function returns a scalar.
"""

import torch
from torch import Tensor


def matched_error(output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Reconstruction: `sum w (f(x) - y)^2 / sum w`, the mean over matched pixels.

    Its minimum is E[y | x], the clean slice, where y is matched and its noise independent of x's. 0 where nothing matches.
    """
    return (weight * (output - target) ** 2).sum() / weight.sum().clamp(min=1.0)


def regional_consistency(output_x: Tensor, output_y: Tensor, weight: Tensor) -> Tensor:
    """`sum w (f(x) - f(y))^2 / sum w`: matched tissue of two slices should come out the same."""
    return matched_error(output_x, output_y, weight)


def continuity(output_of_mean: Tensor, output_x: Tensor, output_y: Tensor) -> Tensor:
    """Inter-slice continuity: `mean (f((x + y) / 2) - (f(x) + f(y)) / 2)^2`, over all pixels, matched or not."""
    return ((output_of_mean - (output_x + output_y) / 2) ** 2).mean()


def bounded_square(error: Tensor, limit: Tensor) -> Tensor:
    """`e^2` up to `limit`, from there on `2 limit |e| - limit^2`, pixel by pixel (Huber's loss).

    Noise hardly ever exceeds four standard deviations, so what does is anatomy that does not match; its pull is bounded.
    """
    size = error.abs()
    return torch.where(size < limit, size**2, 2 * limit * size - limit**2)
