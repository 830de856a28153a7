"""Sharpness on a scan without a truth: discs of known contrast are put into it, and what a method leaves of them is measured.

The scan is denoised with the discs and with their opposites, darker where they are brighter; half of the difference is what the
method makes of them, in the scan's own noise and between its own anatomy, which both cancel. Profiles by the distance from a
disc's known center become transfer functions as in `quality.objects.edge` (AAPM TG-233): `T(f) = |FFT(w dE/dr)|`, E the profile,
w a Tukey window over the edge. What goes into T is linear in the image, so that of any blend of scan and result follows from both
(`Edges.transfer`), and f50 and f10 are told as shares of those of the discs as they were put in, which take the same way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.physics.phantoms.inserts import SURROUNDINGS, Insert, add_inserts, flat_places
from demottle.windows import tukey

Array = NDArray[np.float64]

CONTRASTS = (35.0, 100.0)
"""HU: faint, as a lesion of the liver, and clear, as a vessel with some contrast medium."""
BLUR_MM = 0.7
RADIUS_MM, RADIUS_PIXELS = 5.0, (7.0, 5.0)
"""Of seven pixels and more the figures are within 1 % of the truth, of five within 4 % (Gaussians of 0.7 to 2 pixels)."""
HEIGHT_MM = 9.0
MOST_SLICES, MOST_PLACES, FEWEST_PLACES = 16, 24, 4
_CALM = 0.7  # of a disc's radius: what `flat_places` is told, so that 1.6 radii around have to be flat
_ENOUGH = 8
_TOLERANCE = 90.0  # HU, on a result in which some noise is left
_NOT_FLAT = 1e4
_BIN = 0.25  # pixels
_REACH = 1.97  # radii
_HALF, _TAPERED = 0.95, 0.25  # half of the window in radii; the part of it over which it falls
_PADDED = 1024


@dataclass(frozen=True, eq=False)
class Edges:
    """What was measured on discs of one contrast.

    Attributes:
        contrast: in HU.
        frequency: 1/mm, up to the Nyquist frequency.
        put_in: transfer of the discs as they were put in, complex, not normalized: one for each frequency.
        left: the same of what the method made of each of them, (places, frequencies).
    """

    contrast: float
    frequency: Array
    put_in: NDArray[np.complex128]
    left: NDArray[np.complex128]

    def shares(self, strength: float, weights: Array) -> Array:
        """Return f50 and f10 as shares of those put in, and the share of contrast left, for a blend of that strength.

        `weights`: (n, places), how much each place counts, in rows that sum to 1. Returns (n, 3).
        """
        both = np.abs((1 - strength) * self.put_in + strength * (weights @ self.left))
        reference = np.abs(self.put_in)[None]
        sharp = [
            _falls_to(level, self.frequency, both) / _falls_to(level, self.frequency, reference) for level in (0.5, 0.1)
        ]
        return np.stack([*sharp, both[:, 0] / reference[:, 0]], axis=1)


@dataclass(frozen=True)
class Places:
    """Where discs go: radius in mm, and the center of each (slice, row, column)."""

    radius_mm: float
    centers: tuple[tuple[int, int, int], ...]


def places_for_edges(guide: Image, seed: int) -> Places:
    """Find places for discs in soft tissue, as many as there is room for, at most 24; smaller ones where there is little room.

    Args:
        guide: the scan with hardly any noise.
        seed: another seed gives other places.
    """
    found = Places(0.0, ())
    for pixels in RADIUS_PIXELS:
        radius = max(RADIUS_MM, pixels * guide.spacing[1])
        centers = tuple(_centers(guide, radius, seed))
        if len(centers) > len(found.centers):
            found = Places(radius, centers)
        if len(centers) >= _ENOUGH:
            break
    return found


def _centers(guide: Image, radius: float, seed: int) -> list[tuple[int, int, int]]:
    border = int(np.ceil(_REACH * radius / guide.spacing[1])) - int(SURROUNDINGS * _CALM * radius / guide.spacing[1])
    voxels = guide.voxels.copy()
    inside = np.zeros(guide.shape[1:], np.bool_)
    inside[border:-border, border:-border] = True
    voxels[:, ~inside] = _NOT_FLAT  # profiles reach farther than what has to be flat, and may not leave the slice
    height = min(HEIGHT_MM, _room(guide))
    return flat_places(guide.with_voxels(voxels), _CALM * radius, MOST_PLACES, seed, height, _TOLERANCE, fewest=0)


def height_in(image: Image) -> float:
    """Height in mm of discs in an image; infinite, through all slices, where there are too few for it."""
    return HEIGHT_MM if _room(image) >= HEIGHT_MM else float(np.inf)


def _room(image: Image) -> float:
    """Height in mm that a disc in the middle slice may have; in less than that of a disc they go through all slices."""
    return 2 * ((image.shape[0] - 1) // 2) * image.spacing[0]


def measure_edges(scan: Image, apply: Callable[[Image], Image], places: Places, contrast: float) -> Edges:
    """Put discs into a scan and see what becomes of them.

    Args:
        scan: the scan.
        apply: denoises an image.
        places: where the discs go.
        contrast: in HU.
    """
    discs = with_discs(scan, places, contrast)
    return edges_left(discs, tuple(apply(one) for one in discs), places, contrast)


def with_discs(scan: Image, places: Places, contrast: float) -> tuple[Image, Image]:
    """Return a scan with discs of a contrast in HU, every second one darker than its surroundings, and with their opposites."""
    height = height_in(scan)
    one, other = (
        add_inserts(
            scan,
            [
                Insert((float(z), float(row), float(column)), places.radius_mm, float(sign) * signed, height)
                for (z, row, column), sign in zip(places.centers, _signs(places), strict=True)
            ],
            BLUR_MM,
        )
        for signed in (contrast, -contrast)
    )
    return one, other


def edges_left(discs: Sequence[Image], made: Sequence[Image], places: Places, contrast: float) -> Edges:
    """Measure what a method made of a scan with discs: half of the difference to what it made of the opposite ones.

    Noise and anatomy cancel in it, and so does what is put back of the noise at edges, which the scan without discs has none of.

    Args:
        discs: both of `with_discs`; `made`: what the method makes of them.
        places: where the discs are.
        contrast: in HU.
    """
    there, left = (np.asarray((one.voxels - other.voxels) / 2, np.float32) for one, other in (discs, made))
    return edges_at(there, left, places, _signs(places), contrast, discs[0])


def _signs(places: Places) -> Array:
    return np.where(np.arange(len(places.centers)) % 2, -1.0, 1.0)


def edges_at(there: Voxels, left: Voxels, places: Places, signs: Array, contrast: float, image: Image) -> Edges:
    """Measure discs that are known to lie in an image.

    Args:
        there: the discs as they were put in, what surrounds them taken away.
        left: what is left of them, likewise.
        places: where they are.
        signs: of their contrast, 1 or -1 each.
        contrast: in HU.
        image: for shape and spacing.
    """
    step = image.spacing[1]
    frequency = np.asarray(np.fft.rfftfreq(_PADDED, _BIN * step), np.float64)
    upto = frequency <= 0.5 / step
    spectra = [
        np.stack(
            [
                _spectrum(voxels, sign, center, image, places.radius_mm)
                for center, sign in zip(places.centers, signs, strict=True)
            ]
        )
        for voxels in (there, left)
    ]
    return Edges(contrast, frequency[upto], spectra[0].mean(axis=0)[upto], spectra[1][:, upto])


def _spectrum(
    voxels: Voxels, sign: float, place: tuple[int, int, int], scan: Image, radius_mm: float
) -> NDArray[np.complex128]:
    z, row, column = place
    step = scan.spacing[1]
    radius = radius_mm / step
    half = int(np.ceil(_REACH * radius))
    tall = max(0, int((HEIGHT_MM / 2 / scan.spacing[0]) - 0.5 + 1e-6))
    box = voxels[max(z - tall, 0) : z + tall + 1, row - half : row + half + 1, column - half : column + half + 1]
    plane = sign * box.mean(axis=0, dtype=np.float64)
    side = np.arange(-half, half + 1)
    distance = np.hypot(side[:, None], side[None, :])
    count = int(2 * _HALF * radius / _BIN)
    index = np.floor((distance - (1 - _HALF) * radius) / _BIN).astype(int)
    inside = (index >= 0) & (index < count)
    number = np.bincount(index[inside], minlength=count)
    total = np.bincount(index[inside], plane[inside], minlength=count)
    at = np.arange(count)
    profile = np.interp(at, at[number > 0], total[number > 0] / number[number > 0])
    spread = -np.diff(profile) * tukey(count - 1, _TAPERED)
    result: NDArray[np.complex128] = np.fft.rfft(spread, _PADDED)
    return result


def _falls_to(level: float, frequency: Array, curves: Array) -> Array:
    """First frequency at which each curve, (n, frequencies), is down to a share of what it begins with; the last where none."""
    shares = curves / curves[:, :1]
    below = shares < level
    rows, at = np.arange(len(shares)), below.argmax(axis=1)
    before = np.maximum(at - 1, 0)
    high, low = shares[rows, before], shares[rows, at]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = frequency[before] + (high - level) / (high - low) * (frequency[at] - frequency[before])
    return np.asarray(np.where(below.any(axis=1), found, frequency[-1]), np.float64)
