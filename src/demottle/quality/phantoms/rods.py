"""CT numbers and sharpness (TTF) of the rods of known material."""

from dataclasses import dataclass
from math import inf, isfinite, nan

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.qa.layout import Module, Rod
from demottle.physics.phantoms.qa.pose import Pose
from demottle.quality.objects.edge import EdgeResponse, disc_edge
from demottle.quality.phantoms.found import Found, disc_mean, in_slice, slices_of

CORE = 0.6
"""Share of a rod's radius whose mean is its CT number: of a Catphan's rods 2.4 mm away from their edge, so that a blur of 0.7 mm
(standard deviation) moves it by less than 0.1 % of the contrast."""
_MARGIN_MM = 1.0
_WATER_HU = 200.0  # how far from water a vial may be that counts as filled with it
_REACH = 2.4  # of a crop, in radii: an edge needs 1.9
_STILL = 0.05  # pixels that a rod may move through all slices to count as standing still


@dataclass(frozen=True, eq=False)
class RodMeasured:
    """A rod.

    Attributes:
        rod: what it should be.
        hu: mean CT number of its core, over the slices that show it whole.
        error: standard error of that mean, from the spread of the slices; NaN for one slice.
        slices: how many.
        edge: its edge, with the TTF; None where it could not be measured.
        why: the reason, where it could not.
    """

    rod: Rod
    hu: float
    error: float
    slices: int
    edge: EdgeResponse | None = None
    why: str = ""

    @property
    def within(self) -> bool | None:
        """True where the CT number lies in the stated range; None where none is stated."""
        if not isfinite(self.rod.low):
            return None
        return self.rod.low <= self.hu <= self.rod.high


def measure_rods(image: Image, found: Found) -> tuple[list[RodMeasured], list[str]]:
    """Measure the rods of the module with known materials.

    Returns:
        What was measured, and for each rod that could not be one sentence that says why.
    """
    module = found.layout.module("rods")
    if module is None:
        return [], []
    made, refused = [], []
    for rod in module.rods:
        slices = slices_of(image, found.pose, module, rod.place, _MARGIN_MM)
        if not slices:
            refused.append(f"{rod.name}: no slice lies whole in the module {module.name}; scan with thinner slices.")
            continue
        means = np.array([_mean(image, found.pose, rod, index) for index in slices])
        if not np.isfinite(means).all():
            refused.append(f"{rod.name}: it lies outside of the slices.")
            continue
        hu = float(means.mean())
        if rod.optional and abs(hu - rod.hu) > _WATER_HU:
            refused.append(f"{rod.name}: it is not filled with water ({hu:.0f} HU).")
            continue
        error = float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else nan
        edge, why = _edge(image, found.pose, rod, slices)
        made.append(RodMeasured(rod, hu, error, len(slices), edge, why))
    return made, refused


def _mean(image: Image, pose: Pose, rod: Rod, index: int) -> float:
    return disc_mean(image, index, in_slice(image, pose, rod.place, index), CORE * rod.diameter / 2)


def _edge(image: Image, pose: Pose, rod: Rod, slices: list[int]) -> tuple[EdgeResponse | None, str]:
    try:
        planes, center, drift = crops(image, pose, rod, slices)
        return disc_edge(planes, image.spacing[1], center, rod.diameter / 2 / image.spacing[1], drift=drift), ""
    except InputError as error:
        return None, str(error)


def crops(
    image: Image, pose: Pose, rod: Rod, slices: list[int]
) -> tuple[NDArray[np.float32], tuple[float, float], tuple[float, float]]:
    """The surroundings of a rod in a run of slices, its place in the middle one, and how far it moves from slice to slice.

    Raises:
        InputError: where the surroundings leave the slice.
    """
    first, last = slices[0], slices[-1]
    places = np.array([in_slice(image, pose, rod.place, index) for index in (first, last)])
    reach = _REACH * rod.diameter / 2 / image.spacing[1]
    low, high = np.floor(places.min(axis=0) - reach).astype(int), np.ceil(places.max(axis=0) + reach).astype(int)
    if (low < 0).any() or (high >= image.shape[1:]).any():
        raise InputError("Its surroundings leave the slice.")
    planes = image.voxels[first : last + 1, low[0] : high[0] + 1, low[1] : high[1] + 1]
    moved = (places[1] - places[0]) / max(last - first, 1)
    still = float(np.abs(places[1] - places[0]).max()) < _STILL
    row, column = places.mean(axis=0) - low
    drift = (0.0, 0.0) if still else (float(moved[0]), float(moved[1]))
    return planes, (float(row), float(column)), drift


def faintest_edge(rods: list[RodMeasured], module: Module | None) -> RodMeasured | None:
    """The rod of least contrast whose edge could be measured: its sharpness is what a faint object has, as far as it is known."""
    if module is None:
        return None
    sharp = [one for one in rods if one.edge is not None]
    return min(sharp, key=lambda one: abs(one.rod.hu - module.hu), default=None)


def blur_of(rods: list[RodMeasured]) -> float:
    """Standard deviation in mm of the Gaussian with the f50 of the strongest rod's edge; NaN where none is known.

    A wire is stronger yet, so this is the blur that it has, also where a denoiser spares strong edges.
    """
    sharp = [one.edge for one in rods if one.edge is not None and isfinite(one.edge.f50)]
    if not sharp:
        return nan
    strongest = max(sharp, key=lambda edge: abs(edge.contrast))
    return float(np.sqrt(np.log(2) / 2) / (np.pi * strongest.f50))


def frequency_or_nan(value: float) -> float:
    """A frequency at which a curve falls to a level; NaN where it stays above up to the Nyquist frequency."""
    return nan if value == inf else value
