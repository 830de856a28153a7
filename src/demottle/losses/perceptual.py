"""Perceptual distance: compare two slices by what a frozen feature extractor makes of them."""

from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.errors import InputError

WINDOW = 4


class Extractor(Protocol):
    """A network with features at a quarter of the resolution, and deeper ones that hardly carry the noise."""

    def levels(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return fine and deep features of slices (batch, 1, rows, columns), each (batch, channels, ...)."""


Network = TypeVar("Network", bound=nn.Module)


def frozen(extractor: Network) -> Network:
    """Return the extractor set up for a loss: its own weights no longer change.

    It must not be run under `torch.no_grad` (a mistake in well-known public code): the loss is about the slice that goes in,
    and gradients have to pass through the extractor to it.
    """
    return extractor.eval().requires_grad_(False)


def same_content(extractor: Extractor, x: Tensor, y: Tensor, window: int = WINDOW) -> Tensor:
    """Distance of two slices that should show the same, noise included: a reconstruction and its original.

    `mean (f(x) - f(y))^2 + mean (m(x) - m(y))^2 + mean (s(x) - s(y))^2` over the fine features f, with m their mean and s
    their standard deviation in windows of `window` x `window`: points, and the local statistics that make up texture. 0 for
    equal slices; scalar.

    Args:
        extractor: frozen.
        x, y: (batch, 1, rows, columns), at least 4 `window` pixels wide and high.
        window: 0 compares points only.
    """
    fine_x, fine_y = extractor.levels(x)[0], extractor.levels(y)[0]
    distance = functional.mse_loss(fine_x, fine_y)
    if not window:
        return distance
    return distance + sum(
        (functional.mse_loss(a, b) for a, b in zip(_local(fine_x, window), _local(fine_y, window), strict=True)),
        start=torch.zeros_like(distance),
    )


def same_anatomy(extractor: Extractor, x: Tensor, y: Tensor) -> Tensor:
    """Distance of two slices that differ in noise only: `mean (d(x) - d(y))^2` over the deep features d, scalar."""
    return functional.mse_loss(extractor.levels(x)[1], extractor.levels(y)[1])


def weight_for_share(share: float, content: float, perceptual: float) -> float:
    """Weight w that gives the perceptual term a stated influence: `w P / (w P + C) = share`.

    Args:
        share: from 0 to below 1; 0.95 means that 95 % of the content terms' sum is perceptual.
        content: C, the other content terms (cycle and identity) with their weights, measured once at the start.
        perceptual: P, the perceptual term without a weight, measured on the same slices.

    Raises:
        InputError: for a share outside its range, or where a term is 0 or not finite, which leaves the weight undefined.
    """
    if not 0 <= share < 1:
        raise InputError(f"The share of the perceptual loss is {share:g}; it has to be at least 0 and below 1.")
    if share == 0:
        return 0.0
    if not (0 < content < float("inf") and 0 < perceptual < float("inf")):
        raise InputError(
            f"The losses at the start are {content:g} (content) and {perceptual:g} (perceptual), so the perceptual loss cannot "
            "be given a share; check that the slices are not empty, and the weights of the feature extractor."
        )
    return share / (1 - share) * content / perceptual


def _local(features: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation in windows that do not overlap, in single precision; what fills no window is left out."""
    rows, columns = (size // window * window for size in features.shape[-2:])
    whole = features[..., :rows, :columns].float()
    mean = functional.avg_pool2d(whole, window)
    centred = whole - functional.interpolate(mean, scale_factor=float(window), mode="nearest")
    # The small number keeps the root's slope finite where features do not vary at all.
    return mean, (functional.avg_pool2d(centred**2, window) + 1e-8).sqrt()
