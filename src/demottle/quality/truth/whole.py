"""The check where a truth is known: phantoms, simulated noise, averaged repeats."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from demottle.errors import InputError
from demottle.image import Image, Mask
from demottle.noise.slices import spread
from demottle.quality.check.shifts import TissueShift, tissue_shifts
from demottle.quality.check.spots.spots import SpotMap, error_map
from demottle.quality.measures import SCORES
from demottle.quality.to_plain import plain
from demottle.quality.truth.errors import BODY_WINDOW
from demottle.quality.truth.pair import TruthPair


@dataclass(frozen=True)
class Scores:
    """The scores of one image against its truth, and each tissue's mean minus the truth's.

    `values` has one number for each row of `demottle.quality.measures.SCORES`, by its key, NaN where it could not be measured;
    `scores["rmse"]` and `scores.rmse` read it.
    """

    values: Mapping[str, float]
    tissues: tuple[TissueShift, ...]

    def __getitem__(self, key: str) -> float:
        return self.values[key]

    def __getattr__(self, key: str) -> float:
        values = self.__dict__.get("values", {})  # not there yet while a copy is made
        if key not in values:
            raise AttributeError(f"There is no score {key!r}; there are {', '.join(values)}.")
        return float(values[key])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        told: dict[str, Any] = plain({**self.values, "tissues": self.tissues})
        return told


@dataclass(frozen=True)
class Comparison:
    """Errors against a truth before and after.

    Attributes:
        before, after: scores of both.
        window: the range that the windowed measures refer to.
        voxels: how many were compared.
        patch: where the result is farther from the truth than noise would put it; None without HU.
        slice_ratio: RMSE after over before in the slice where that is largest; NaN where none was compared.
        slice: its number, from 0.
    """

    before: Scores
    after: Scores
    window: tuple[float, float]
    voxels: int
    patch: SpotMap | None = None
    slice_ratio: float = nan
    slice: int = -1

    @property
    def worst_patch(self) -> float:
        """Size of the largest spot of the errors (`error_map`); NaN where it was not measured."""
        return nan if self.patch is None else self.patch.largest

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        patch = None if self.patch is None else self.patch.to_dict()
        worst = {"slice": self.slice, "ratio": self.slice_ratio}
        told: dict[str, Any] = plain(
            {"window": self.window, "voxels": self.voxels, "patch": patch, "worst_slice": worst}
        )
        return {"before": self.before.to_dict(), "after": self.after.to_dict(), **told}


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
        window: range of PSNR, SSIM, VIF and GMSD; the body window [-160, 240] HU by default, and for other units the truth's
            1st to 99th percentile.
        margin: margin of the equivalence tests of tissue means; None: see `tissue_shifts`.

    Raises:
        InputError: where shapes differ or the mask is empty.
    """
    if not before.shape == after.shape == truth.shape:
        raise InputError(f"Before {before.shape}, after {after.shape} and truth {truth.shape} must have one shape.")
    chosen = spread(before.shape[0])
    where = _mask(before, after, truth, mask, chosen)
    if window is None:
        window = BODY_WINDOW if truth.unit == "HU" else _range(truth.voxels[chosen])
    scores = [_scores(image, truth, where, window, chosen, margin) for image in (before, after)]
    ratio, worst = worst_ratio(before, after, truth, where, chosen)
    patch = error_map(before, after, truth)
    return Comparison(scores[0], scores[1], window, int(where.sum()), patch, ratio, chosen[worst] if worst >= 0 else -1)


def worst_ratio(before: Image, after: Image, truth: Image, where: Mask, chosen: list[int]) -> tuple[float, int]:
    """Return the RMSE after over before of the slice where that is largest, and its place among the chosen; NaN, -1 for none."""
    worst, number = nan, -1
    for place, (z, inside) in enumerate(zip(chosen, where, strict=True)):
        if not inside.any():
            continue
        first, second = (
            float(np.square(image.voxels[z][inside].astype(np.float64) - truth.voxels[z][inside]).mean())
            for image in (before, after)
        )
        if first > 0 and not np.sqrt(second / first) <= worst:
            worst, number = float(np.sqrt(second / first)), place
    return worst, number


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
    # The "before" of these shifts is the truth: its noise-free values decide which voxel is which tissue.
    shifts = tuple(tissue_shifts(truth, image, reference=truth, margin=margin))
    pair = TruthPair(image, truth, chosen, where, window)
    return Scores({row.key: row.score(pair) for row in SCORES if row.score is not None}, shifts)
