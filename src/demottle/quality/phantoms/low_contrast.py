"""Low-contrast targets: contrast, contrast-to-noise ratio, and how well observers detect them.

Two observers: the non-prewhitening one with an eye filter (NPWE) from noise spectrum, TTF of the faintest rod and the contrast
that was found: with the nominal one, a target that a denoiser erased would be seen best of all, since its noise is gone; and a
channelised Hotelling observer (`hotelling`) that looks at the target in the slices and at empty places as far from the axis,
which assumes nothing of how the image was made. The second one needs many independent slices.
"""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.spectrum import Spectrum
from demottle.physics.phantoms.qa.layout import Module, Rod
from demottle.quality.objects.channels import laguerre_gauss
from demottle.quality.objects.detectability import Viewing, dprime
from demottle.quality.objects.edge import EdgeResponse
from demottle.quality.objects.hotelling import Hotelling, hotelling_of_outputs
from demottle.quality.objects.tasks import Disc
from demottle.quality.phantoms.found import Found, in_slice, near, slices_of

Array = NDArray[np.float64]
FEWEST_IMAGES = 20
"""Slices with a target below which a Hotelling observer is not asked."""
_CHANNELS, _WIDTH, _REACH = 4, 2.5, 1.2
_CORE, _RING = 0.7, (1.4, 2.2)
_MARGIN_MM, _STEP_DEGREES = 1.0, 5
_BESIDE_MM = 1.5  # that another target's blurred edge reaches


@dataclass(frozen=True, eq=False)
class Target:
    """A low-contrast target.

    Attributes:
        rod: what it should be; contrast: nominal, in HU.
        found: contrast found, in HU: its core less a ring around it, over all slices that show it whole.
        error: standard error of that, from the spread of the slices.
        cnr: contrast found over the noise of a pixel.
        npwe: d' of the NPWE observer in one slice; NaN where spectrum or TTF are not known.
        hotelling: what the Hotelling observer reached in one slice; None where there are too few slices.
    """

    rod: Rod
    contrast: float
    found: float
    error: float
    cnr: float
    npwe: float
    hotelling: Hotelling | None = None


def measure_targets(
    image: Image, found: Found, noise: float, nps: Spectrum | None, edge: EdgeResponse | None
) -> tuple[list[Target], list[str]]:
    """Measure the low-contrast targets.

    Args:
        image: the scan.
        found: the phantom in it.
        noise: standard deviation of a pixel in HU, NaN where it is not known.
        nps: noise power spectrum.
        edge: edge of the faintest rod; None: targets count as sharp.

    Returns:
        What was measured, and for each target that could not be one sentence that says why.
    """
    module = found.layout.module("low contrast")
    if module is None:
        return [], []
    made, refused = [], []
    for rod in module.rods:
        slices = slices_of(image, found.pose, module, rod.place, _MARGIN_MM)
        values = np.array([_contrast(image, found, module, rod, index) for index in slices])
        if not slices or not np.isfinite(values).all():
            refused.append(f"{rod.name}: the module {module.name} is not in the scan.")
            continue
        contrast, mean = rod.hu - module.hu, float(values.mean())
        error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else nan
        npwe = _npwe(rod, max(mean * np.sign(contrast), 0.0), nps, edge)
        observed = _hotelling(image, found, module, rod, slices)
        made.append(Target(rod, contrast, mean, error, mean / noise if noise > 0 else nan, npwe, observed))
    return made, refused


def _contrast(image: Image, found: Found, module: Module, rod: Rod, index: int) -> float:
    radius = rod.diameter / 2
    row, column = in_slice(image, found.pose, rod.place, index)
    box, away = near(image, (row, column), _RING[1] * radius)
    values = image.voxels[index][box]
    core, ring = away <= _CORE * radius, (away >= _RING[0] * radius) & (away <= _RING[1] * radius)
    y, x = np.arange(box[0].start, box[0].stop)[:, None], np.arange(box[1].start, box[1].stop)[None]
    for other in module.rods:
        if other is not rod:
            there = in_slice(image, found.pose, other.place, index)
            ring &= np.hypot(y - there[0], x - there[1]) * image.spacing[1] > other.diameter / 2 + _BESIDE_MM
    if not core.any() or not ring.any():
        return nan
    return float(values[core].mean(dtype=np.float64) - values[ring].mean(dtype=np.float64))


def _npwe(rod: Rod, contrast: float, nps: Spectrum | None, edge: EdgeResponse | None) -> float:
    if nps is None:
        return nan
    if contrast == 0:  # erased, or its sign turned by noise
        return 0.0
    frequency, ttf = (nps.frequency, np.ones_like(nps.frequency)) if edge is None else (edge.frequency, edge.ttf)
    try:
        return dprime(Disc(rod.diameter, contrast), nps, frequency, ttf, Viewing())
    except InputError:
        return nan


def _hotelling(image: Image, found: Found, module: Module, rod: Rod, slices: list[int]) -> Hotelling | None:
    step = max(1, int(np.ceil((image.slice_thickness or 0) / image.spacing[0])))  # overlapping slices share their noise
    chosen = slices[::step]
    places = _empty_places(found, module, rod)
    if len(chosen) < FEWEST_IMAGES or not places or not _alone(module, rod):
        return None
    try:
        present = np.stack([_outputs(image, found, rod, rod.place, index) for index in chosen])
        absent = np.stack([_outputs(image, found, rod, place, index) for place in places for index in chosen])
        return hotelling_of_outputs(present, absent)
    except InputError:
        return None


def _outputs(image: Image, found: Found, rod: Rod, place: tuple[float, float], index: int) -> Array:
    """What the channels see around a place in one slice; the box is centered on the nearest pixel, the channels on the place.

    Raises:
        InputError: where the box leaves the slice.
    """
    step, width = image.spacing[1], _WIDTH * rod.diameter / 2
    half = int(np.ceil(_REACH * width / step))
    row, column = in_slice(image, found.pose, place, index)
    top, left = round(row) - half, round(column) - half
    side = 2 * half + 1
    if min(top, left) < 0 or top + side > image.shape[1] or left + side > image.shape[2]:
        raise InputError("The box around a target leaves the slice.")
    channels = laguerre_gauss((side, side), width, step, _CHANNELS, (row - top, column - left))
    crop = image.voxels[index, top : top + side, left : left + side].astype(np.float64)
    seen: Array = channels.reshape(_CHANNELS, -1) @ (crop - np.median(crop)).ravel()
    return seen


def _alone(module: Module, rod: Rod) -> bool:
    """True where the box around a target holds no part of another: the observer would see that one too."""
    reach = _REACH * _WIDTH * rod.diameter / 2 * np.sqrt(2)
    others = (other for other in module.rods if other is not rod)
    return all(np.hypot(*np.subtract(rod.place, o.place)) > reach + o.diameter / 2 for o in others)


def _empty_places(found: Found, module: Module, rod: Rod) -> list[tuple[float, float]]:
    """Places as far from the axis as a target whose boxes hold nothing and do not overlap."""
    side = 2 * _REACH * _WIDTH * rod.diameter / 2 * np.sqrt(2)
    chosen: list[tuple[float, float]] = []
    for angle in np.radians(np.arange(0, 360, _STEP_DEGREES)):
        place = rod.ring * float(np.cos(angle)), rod.ring * float(np.sin(angle))
        free = all(
            np.hypot(place[0] - r.place[0], place[1] - r.place[1]) > side / 2 + r.diameter / 2 + 1 for r in module.rods
        )
        if free and all(np.hypot(place[0] - c[0], place[1] - c[1]) > side for c in chosen):
            chosen.append(place)
    return chosen if rod.ring + side / 2 < found.layout.useful else []
