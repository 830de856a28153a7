"""The uniform module: is it even, how much noise is in it, and of which grain?

Uniformity is the mean of each of four regions at the edge less that of the middle (IEC 61223-3-5; ACR CT QC manual). Noise is the
standard deviation within the middle, root mean square over the slices.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.spectrum import Spectrum
from demottle.physics.phantoms.qa.layout import Module
from demottle.quality.objects.nps import FEWEST_REGIONS, nps_of_uniform
from demottle.quality.phantoms.found import Found, disc_mean, in_slice, near, slices_of

SIDES = {"top": -90.0, "right": 0.0, "bottom": 90.0, "left": 180.0}
ROI_MM = 10.0
"""Radius of the regions."""
NOISE_MM = 20.0
"""Radius of the region that noise is measured in: 12.6 cm2, two fifths of the diameter of a head phantom."""
_MARGIN_MM, _EDGE_MM = 3.0, 5.0
_REGIONS = (64, 32)
_MOST_SLICES = 64


@dataclass(frozen=True, eq=False)
class Uniformity:
    """The uniform module.

    Attributes:
        module: its name.
        center: mean of the middle in HU.
        edges: mean at each side in HU.
        noise: standard deviation in the middle in HU.
        nps: noise power spectrum; None where there is too little room, and `why` says so.
        slices: how many were averaged.
    """

    module: str
    center: float
    edges: dict[str, float]
    noise: float
    nps: Spectrum | None
    why: str
    slices: int

    @property
    def worst(self) -> float:
        """Difference of the side that differs most from the middle, in HU, with its sign."""
        return max((edge - self.center for edge in self.edges.values()), key=abs)


def measure_uniformity(image: Image, found: Found) -> tuple[Uniformity | None, str]:
    """Measure the uniform module; or None, and a sentence that says why not."""
    module = found.layout.module("uniform") or _between_discs(found)
    if module is None:
        return None, "No uniformity and no noise: this phantom has no uniform module."
    slices = slices_of(image, found.pose, module, (0.0, 0.0), _margin(found))[:_MOST_SLICES]
    if not slices:
        return None, f"No uniformity and no noise: the module {module.name} is not in the scan."
    ring = found.layout.edge_ring
    # Faint discs lie within the ring of the edge, but for the middle of the module nothing is in the way.
    center = _mean(image, found, slices, (0.0, 0.0))
    places = {side: (ring * np.cos(np.radians(a)), ring * np.sin(np.radians(a))) for side, a in SIDES.items()}
    edges = {side: _mean(image, found, slices, (float(u), float(v))) for side, (u, v) in places.items()}
    if not np.isfinite([center, *edges.values()]).all():
        return None, "No uniformity and no noise: the edge of the module leaves the slices."
    variances = [_variance(image, found, index) for index in slices]
    nps, why = _spectrum(image, found, module, slices)
    return Uniformity(module.name, center, edges, float(np.sqrt(np.mean(variances))), nps, why, len(slices)), ""


def _between_discs(found: Found) -> Module | None:
    """A phantom of faint discs alone is uniform but for them."""
    return found.layout.key if len(found.layout.modules) == 1 else None


def _margin(found: Found) -> float:
    """Distance from the module's ends at which all of its useful width lies in it, however tilted."""
    return float(_MARGIN_MM + found.layout.useful * np.tan(np.radians(found.pose.lean)))


def _mean(image: Image, found: Found, slices: list[int], place: tuple[float, float]) -> float:
    means = [disc_mean(image, index, in_slice(image, found.pose, place, index), ROI_MM) for index in slices]
    return float(np.mean(means))


def _variance(image: Image, found: Found, index: int) -> float:
    box, away = near(image, in_slice(image, found.pose, (0.0, 0.0), index), NOISE_MM)
    return float(image.voxels[index][box][away <= NOISE_MM].var(dtype=np.float64, ddof=1))


def _spectrum(image: Image, found: Found, module: Module, slices: list[int]) -> tuple[Spectrum | None, str]:
    mask = np.stack([_even(image, found, module, index) for index in slices])
    planes = image.voxels[slices]
    spacing = (image.spacing[1], image.spacing[2])
    why = ""
    for size in _REGIONS:
        try:
            return nps_of_uniform(planes, spacing, mask, size, FEWEST_REGIONS), ""
        except InputError as error:
            why = f"No noise power spectrum: {error}"
    return None, why


def _even(image: Image, found: Found, module: Module, index: int) -> NDArray[np.bool_]:
    """Pixels of a slice in which nothing lies: within the useful radius, away from faint discs."""
    mask = np.zeros(image.shape[1:], np.bool_)
    reach = found.layout.useful - _EDGE_MM
    box, away = near(image, in_slice(image, found.pose, (0.0, 0.0), index), reach)
    mask[box] = away <= reach
    for rod in module.rods:
        box, away = near(image, in_slice(image, found.pose, rod.place, index), rod.diameter / 2 + 2.0)
        mask[box] &= away > rod.diameter / 2 + 2.0
    return mask
