"""The noise spectrum before, after, and of what was removed: all three in the same places of the same slices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError, are, only
from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.correlation import Correlation
from demottle.noise.flat import tissue_mask, valid_plane
from demottle.noise.lone import flattest_regions
from demottle.noise.matching import tolerance_of
from demottle.noise.peak import fitted_peak
from demottle.noise.slices import spread
from demottle.noise.spectrum import REGION, Spectrum, spectrum_of_noise

_MOST_SLICES = 24
_MOST_REGIONS = 400
_ENOUGH, _FEWEST = 50, 8
_USABLE = 0.97
_GUIDE = 2 * guide.GUIDE_SIGMA
_BLOCK = 8  # pixels; divides the sides of regions
_LOWEST_BIN = 3  # of 64: bins below hold what is left of trend and anatomy

Places = list[tuple[int, int, int]]


@dataclass(frozen=True, eq=False)
class Spectra:
    """Noise power spectra in the same regions.

    `shift`: of the peak from before to after in 1/mm, negative: coarser; NaN where either has no peak.
    """

    before: Spectrum
    after: Spectrum
    removed: Spectrum
    shift: float

    @property
    def mean_shift(self) -> float:
        """Shift of the mean frequency in 1/mm."""
        return self.after.mean - self.before.mean

    @property
    def told_shift(self) -> tuple[str, float]:
        """What moved ("peak", or "mean frequency" where a spectrum has no peak) and by how much, in 1/mm."""
        return ("peak", self.shift) if np.isfinite(self.shift) else ("mean frequency", self.mean_shift)


def compare_spectra(before: Image, after: Image, rho_before: Correlation, rho_after: Correlation) -> Spectra:
    """Measure the three spectra in uniform tissue.

    Before and after are measured on second differences of three neighboring slices, (below - 2 here + above) over
    sqrt(6 - 8 rho_1 + 2 rho_2): they cancel anatomy that changes evenly from slice to slice, which a difference of two
    slices keeps, and which would be all that is seen of well denoised slices. What was removed holds no anatomy and is
    measured as it is. Places are chosen on guides of `before`; of these, the half that is quieter in `after`, since what stands
    out there is anatomy that changes faster, which would look like coarse noise.

    Raises:
        InputError: where the image has too little uniform tissue.
    """
    size, places = _quiet_places(before, after, rho_before)
    spacing = before.spacing[1], before.spacing[2]
    first = spectrum_of_noise(_cut(before, places, size, rho_before), spacing, size)
    second = spectrum_of_noise(_cut(after, places, size, rho_after), spacing, size)
    removed = np.stack([_region(before, p, size) - _region(after, p, size) for p in places])
    return Spectra(first, second, spectrum_of_noise(removed, spacing, size), second.peak - first.peak)


@dataclass(frozen=True, eq=False)
class PairSpectra:
    """Radial noise spectra of two images of the same noise in the same regions, in unit^2 mm^2.

    Attributes:
        frequency: in 1/mm.
        before, after: measures of each.
        cross: real part of their cross spectrum, <DFT2(before) DFT2(after)*>.
        lowest: the first bin that is not left of trend and anatomy.
    """

    frequency: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    cross: NDArray[np.float64]
    lowest: int


def pair_spectra(before: Image, after: Image, correlation: Correlation) -> PairSpectra:
    """Measure both spectra and what they have in common, as and where `compare_spectra` does.

    The cross spectrum follows from that of the mean of both: S_xy = (4 S_mean - S_xx - S_yy) / 2.

    Raises:
        InputError: where the image has too little uniform tissue.
    """
    size, places = _quiet_places(before, after, correlation)
    spacing = before.spacing[1], before.spacing[2]
    # Both with the same factor: what is left may correlate otherwise from slice to slice at each frequency.
    first, second = _cut(before, places, size, correlation), _cut(after, places, size, correlation)
    both_mean = ((first + second) / 2).astype(np.float32)
    x, y, both = (spectrum_of_noise(noise, spacing, size) for noise in (first, second, both_mean))
    cross = (4 * both.density - x.density - y.density) / 2
    return PairSpectra(x.frequency, np.maximum(x.density, 1e-12), y.density, cross, _lowest_bin(size))


def shift_of(frequency: NDArray[np.float64], before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return the shift in 1/mm from one radial density to another: of the fitted peak, of the mean where one has no peak."""
    rings = np.maximum(2 * np.pi * np.arange(len(frequency)), 1.0)
    first, second = (fitted_peak(frequency, one, rings, 0).frequency for one in (before, after))
    if np.isfinite(second - first):
        return second - first
    first, second = (float((frequency**2 * one).sum() / (frequency * one).sum()) for one in (before, after))
    return second - first


def _lowest_bin(size: int) -> int:
    return max(1, round(_LOWEST_BIN * size / REGION))


def chosen_places(before: Image) -> tuple[int, Places]:
    """Return the side of the regions and where they lie; smaller ones where there are too few.

    One or two slices, in which no difference takes the anatomy away, are measured where `lone_spectrum` measures them.

    Raises:
        InputError: where there are too few of these as well.
    """
    if before.shape[0] < 3:
        return _lone_places(before)
    size, places = REGION, _places(before, REGION)
    if len(places) < _ENOUGH:
        size, places = REGION // 2, _places(before, REGION // 2)
    if len(places) < _FEWEST:
        raise InputError(
            f"{only(len(places), 'region')} of {size} x {size} pixels {are(len(places))} uniform tissue; comparing noise "
            f"spectra needs at least {_FEWEST}."
        )
    return size, [places[i] for i in spread(len(places), _MOST_REGIONS)]


def _lone_places(before: Image) -> tuple[int, Places]:
    index = before.shape[0] // 2
    size, corners = flattest_regions(before, index)
    return size, [(index, top, left) for top, left in sorted(corners)]


def _quiet_places(before: Image, after: Image, correlation: Correlation) -> tuple[int, Places]:
    size, places = chosen_places(before)
    if before.shape[0] < 3:  # chosen as the flattest already
        return size, places
    power = [_coarse_power(_cut(after, [place], size, correlation)[0]) for place in places]
    order = np.argsort(power, kind="stable")[: max(_FEWEST, (len(places) + 1) // 2)]
    return size, [places[index] for index in sorted(order)]


def _coarse_power(region: Voxels) -> float:
    """Variance of blocks of pixels: of what is coarser than grain."""
    side = region.shape[0] // _BLOCK
    return float(region.reshape(side, _BLOCK, side, _BLOCK).mean(axis=(1, 3)).var())


def _places(image: Image, size: int) -> Places:
    """Corners (slice, row, column) of half-overlapping regions of matched soft tissue."""
    slices, rows, columns = image.shape
    found = []
    for z in spread(slices, _MOST_SLICES, margin=1 if slices >= 3 else 0):
        usable = _usable(image, z)
        for top in range(0, rows - size + 1, size // 2):
            for left in range(0, columns - size + 1, size // 2):
                if usable[top : top + size, left : left + size].mean() >= _USABLE:
                    found.append((z, top, left))
    return found


def _usable(image: Image, z: int) -> Mask:
    here, valid = np.nan_to_num(image.voxels[z]), valid_plane(image, z)
    middle = guide.smooth(here, _GUIDE)
    mask = tissue_mask(middle, image.unit, valid)
    if image.shape[0] < 3 or not mask.any():
        return mask
    for neighbor in (z - 1, z + 1):
        difference = middle - guide.smooth(np.nan_to_num(image.voxels[neighbor]), _GUIDE)
        # Very noisy images have noise in their guides too; it must not count as anatomy that changes.
        noise = 1.4826 * float(np.median(np.abs(difference[mask])))
        mask = mask & (np.abs(difference) <= max(tolerance_of(image, noise), 3 * noise))
        if not mask.any():
            break
    return mask


def _region(image: Image, place: tuple[int, int, int], size: int, above: int = 0) -> Voxels:
    z, top, left = place
    region: Voxels = np.nan_to_num(image.voxels[z + above, top : top + size, left : left + size])
    return region


def _cut(image: Image, places: Places, size: int, correlation: Correlation) -> Voxels:
    if image.shape[0] < 3:
        return np.stack([_region(image, p, size) for p in places])
    rho = [r if np.isfinite(r) else 0.0 for r in (correlation.at(1), correlation.at(2))]
    scale = np.float32(1 / np.sqrt(max(6 - 8 * rho[0] + 2 * rho[1], 0.1)))
    parts = ((_region(image, p, size, n) for n in (-1, 0, 1)) for p in places)
    return np.stack([(below - 2 * here + above) * scale for below, here, above in parts])
