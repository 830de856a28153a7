"""The noise spectrum of a slice by itself, where no neighbor tells noise from anatomy."""

import numpy as np

from demottle.errors import InputError, are, only
from demottle.image import Image, Voxels
from demottle.noise import guide
from demottle.noise.flat import tissue_mask, valid_plane
from demottle.noise.spectrum import Spectrum, spectrum_of_regions

_SIZES = (32, 16)
_ENOUGH = 100  # regions of one size, so that the smaller one is not needed
_FEWEST = 24
_FLATTEST = 1 / 3
_STRUCTURE_SIGMA = 3.0  # pixels
_USABLE = 0.97


def lone_spectrum(image: Image, index: int = 0) -> Spectrum:
    """NPS of one slice, from small regions of its flattest soft tissue.

    Of all half-overlapping regions inside tissue the third with the least structure is used (standard deviation of the slice
    smoothed by 3 pixels, second-order trend taken out). What anatomy they still hold lies at low frequencies, where small
    regions hardly see it: the result is rough there, and far nearer to the truth than a flat spectrum.

    Raises:
        InputError: where the slice has too little uniform tissue.
    """
    plane = image.voxels[index]
    usable = tissue_mask(guide.smooth(plane), image.unit, valid_plane(image, index))
    smooth = guide.smooth(plane, _STRUCTURE_SIGMA)
    flattest = np.empty((0, 1, 1))
    for size in _SIZES:
        corners = _corners(usable, size)
        structure = np.array([_structure(smooth[row : row + size, column : column + size]) for row, column in corners])
        kept = np.argsort(structure, kind="stable")[: round(_FLATTEST * len(corners))]
        flattest = np.array([plane[r : r + size, c : c + size] for r, c in (corners[i] for i in kept)], np.float64)
        if len(flattest) >= _ENOUGH:
            break
    if len(flattest) < _FEWEST:
        raise InputError(
            f"{only(len(flattest), 'region')} of {size} x {size} pixels in the slice {are(len(flattest))} flat tissue; a noise "
            f"spectrum needs at least {_FEWEST}, so none is used."
        )
    return spectrum_of_regions(flattest, (image.spacing[1], image.spacing[2]))


def _corners(usable: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], size: int) -> list[tuple[int, int]]:
    rows, columns = usable.shape
    return [
        (row, column)
        for row in range(0, rows - size + 1, size // 2)
        for column in range(0, columns - size + 1, size // 2)
        if usable[row : row + size, column : column + size].mean() >= _USABLE
    ]


def _structure(region: Voxels) -> float:
    """Standard deviation of a smoothed region around its own second-order surface."""
    side = np.linspace(-1, 1, len(region))
    y, x = (axis.ravel() for axis in np.meshgrid(side, side, indexing="ij"))
    terms = np.stack([np.ones_like(x), x, y, x * y, x**2, y**2], axis=1)
    values = region.ravel().astype(np.float64)
    return float((values - terms @ np.linalg.lstsq(terms, values, rcond=None)[0]).std())
