"""Least-squares adversarial losses (LSGAN, Mao et al., arXiv 1611.04076).

A discriminator scores pictures, or patches of them: 1 for real, 0 for made.
"""

from torch import Tensor


def judged_as(scores: Tensor, wanted: float) -> Tensor:
    """Mean of `(D(x) - wanted)^2`: what a generator lowers with wanted = 1. Scores of any shape; returns a scalar."""
    return ((scores - wanted) ** 2).mean()


def judges_loss(real: Tensor, made: Tensor) -> Tensor:
    """Half of `mean (D(y) - 1)^2 + mean D(G(x))^2`: what a discriminator lowers; both arguments are its scores."""
    return (judged_as(real, 1) + judged_as(made, 0)) / 2
