"""The check where a truth is known: phantoms, simulated noise, averaged repeats."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from demottle.errors import InputError
from demottle.image import Image, Mask
from demottle.quality.check.shifts import TissueShift, tissue_shifts
from demottle.quality.sampling import picked_slices
from demottle.quality.to_plain import plain
from demottle.quality.truth.errors import BODY_WINDOW, bias, psnr, rmse, ssim
from demottle.quality.truth.fourier_ring import ring_correlation
from demottle.quality.truth.similarity import gmsd, vif

_FEW_SLICES = 12  # for VIF and GMSD, which take long and differ little from slice to slice
_LEAST_SIDE = 48


@dataclass(frozen=True)
class Scores:
    """Errors of one image: RMSE and bias in HU (unclipped), PSNR in dB, SSIM; then each tissue's mean minus the truth's.

    `vif` and `gmsd` are means over whole slices, at most 12 of them; NaN where slices are smaller than 48 pixels a side. `frc`:
    frequency in 1/mm up to which Fourier ring correlation with the truth is 0.5 or more in the mask (same slices); infinite
    where it is to the end, NaN where the mask holds no patch.
    """

    rmse: float
    bias: float
    psnr: float
    ssim: float
    tissues: tuple[TissueShift, ...]
    vif: float = float("nan")
    gmsd: float = float("nan")
    frc: float = float("nan")


@dataclass(frozen=True)
class Comparison:
    """Errors against a truth before and after; `window` is the range in HU that PSNR and SSIM refer to."""

    before: Scores
    after: Scores
    window: tuple[float, float]
    voxels: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        result: dict[str, Any] = plain(self)
        return result


def against_truth(
    before: Image,
    after: Image,
    truth: Image,
    mask: Mask | None = None,
    window: tuple[float, float] | None = None,
    margin: float | None = None,
) -> Comparison:
    """Compare an image before and after denoising with its truth.

    Args:
        before, after, truth: images of one shape; statistics come from at most 48 slices.
        mask: where to compare, of the same shape. None: where all three are valid.
        window: range of PSNR and SSIM; the body window [-160, 240] HU by default, and for other units the truth's 1st to
            99th percentile.
        margin: margin of the equivalence tests of tissue means; None: see `tissue_shifts`.

    Raises:
        InputError: where shapes differ or the mask is empty.
    """
    if not before.shape == after.shape == truth.shape:
        raise InputError(f"Before {before.shape}, after {after.shape} and truth {truth.shape} must have one shape.")
    chosen = picked_slices(before.shape[0])
    where = _mask(before, after, truth, mask, chosen)
    if window is None:
        window = BODY_WINDOW if truth.unit == "HU" else _range(truth.voxels[chosen])
    scores = [_scores(image, truth, where, window, chosen, margin) for image in (before, after)]
    return Comparison(scores[0], scores[1], window, int(where.sum()))


def _mask(before: Image, after: Image, truth: Image, mask: Mask | None, chosen: list[int]) -> Mask:
    where = np.ones((len(chosen), *before.shape[1:]), np.bool_)
    for part in (mask, before.valid, after.valid, truth.valid):
        if part is not None:
            where &= part[chosen]
    return where


def _range(values: np.ndarray[Any, np.dtype[np.float32]]) -> tuple[float, float]:
    low, high = np.nanpercentile(values, [1, 99])
    return float(low), float(high)


def _scores(
    image: Image, truth: Image, where: Mask, window: tuple[float, float], chosen: list[int], margin: float | None
) -> Scores:
    values, true = image.voxels[chosen], truth.voxels[chosen]
    # The "before" of these shifts is the truth: its noise-free values decide which voxel is which tissue.
    shifts = tuple(tissue_shifts(truth, image, reference=truth, margin=margin))
    return Scores(
        rmse(values, true, where), bias(values, true, where), psnr(values, true, where, window),
        ssim(values, true, where, window), shifts, *_likenesses(image, truth, window), _ring(image, truth, where, chosen),
    )  # fmt: skip


def _likenesses(image: Image, truth: Image, window: tuple[float, float]) -> tuple[float, float]:
    if min(image.shape[1:]) < _LEAST_SIDE:
        return float("nan"), float("nan")
    few = picked_slices(image.shape[0], _FEW_SLICES)
    pair = np.nan_to_num(image.voxels[few]), np.nan_to_num(truth.voxels[few])
    return vif(*pair, window), gmsd(*pair, window)


def _ring(image: Image, truth: Image, where: Mask, chosen: list[int]) -> float:
    few = picked_slices(len(chosen), _FEW_SLICES)
    planes = [np.nan_to_num(one.voxels[[chosen[i] for i in few]]) for one in (image, truth)]
    try:
        return ring_correlation(planes[0], planes[1], (image.spacing[1], image.spacing[2]), mask=where[few]).resolution
    except InputError:  # a body too small for one patch: no figure
        return float("nan")
