"""The noise spectrum before, after, and of what was removed: all three in the same places of the same slices."""

from dataclasses import dataclass

import numpy as np

from demottle.errors import InputError, are, only
from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.correlation import Correlation
from demottle.noise.level import tissue_mask, valid_plane
from demottle.noise.matching import tolerance_of
from demottle.noise.spectrum import REGION, Spectrum, spectrum_of_noise
from demottle.quality.sampling import picked_slices

_MOST_SLICES = 24
_MOST_REGIONS = 400
_ENOUGH, _FEWEST = 50, 8
_USABLE = 0.97
_GUIDE = 2 * guide.GUIDE_SIGMA
_LOWEST_BIN = 3  # of 64: bins below hold what is left of trend and anatomy

Places = list[tuple[int, int, int]]


@dataclass(frozen=True, eq=False)
class Spectra:
    """Noise power spectra in the same regions; `shift` of the peak from before to after in 1/mm, negative: coarser."""

    before: Spectrum
    after: Spectrum
    removed: Spectrum
    shift: float


def compare_spectra(before: Image, after: Image, rho_before: Correlation, rho_after: Correlation) -> Spectra:
    """Measure the three spectra in uniform tissue.

    Before and after are measured on second differences of three neighboring slices, (below - 2 here + above) over
    sqrt(6 - 8 rho_1 + 2 rho_2): they cancel anatomy that changes evenly from slice to slice, which a difference of two
    slices keeps, and which would be all that is seen of well denoised slices. What was removed holds no anatomy and is
    measured as it is. Places are chosen on guides of `before` alone.

    Raises:
        InputError: where the image has too little uniform tissue.
    """
    size, places = REGION, _places(before, REGION)
    if len(places) < _ENOUGH:
        size, places = REGION // 2, _places(before, REGION // 2)
    if len(places) < _FEWEST:
        raise InputError(
            f"{only(len(places), 'region')} of {size} x {size} pixels {are(len(places))} uniform tissue; comparing noise "
            f"spectra needs at least {_FEWEST}."
        )
    places = [places[i] for i in picked_slices(len(places), _MOST_REGIONS)]
    spacing = before.spacing[1], before.spacing[2]
    first = spectrum_of_noise(_cut(before, places, size, rho_before), spacing, size)
    second = spectrum_of_noise(_cut(after, places, size, rho_after), spacing, size)
    removed = np.stack([_region(before, p, size) - _region(after, p, size) for p in places])
    return Spectra(first, second, spectrum_of_noise(removed, spacing, size), peak(second) - peak(first))


def peak(spectrum: Spectrum) -> float:
    """Return the frequency of the largest density in 1/mm, between bins: a parabola through the smoothed curve's top."""
    density = np.convolve(np.pad(spectrum.density, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    lowest = max(1, round(_LOWEST_BIN * spectrum.density_2d.shape[0] / REGION))
    top = int(np.argmax(density[lowest:])) + lowest
    step = float(spectrum.frequency[1] - spectrum.frequency[0])
    if not lowest < top < len(density) - 1:
        return float(spectrum.frequency[top])
    left, middle, right = density[top - 1 : top + 2]
    bend = left - 2 * middle + right
    return float(spectrum.frequency[top] + (0.5 * step * (left - right) / bend if bend < 0 else 0.0))


def _places(image: Image, size: int) -> Places:
    """Corners (slice, row, column) of half-overlapping regions of matched soft tissue."""
    slices, rows, columns = image.shape
    found = []
    for z in picked_slices(slices, _MOST_SLICES, margin=1 if slices >= 3 else 0):
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
