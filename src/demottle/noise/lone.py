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
_FLATTEST = 1 / 6
_MOST = 1 / 3  # of the regions, where a sixth would be too few
_STRUCTURE_SIGMA = 3.0  # pixels
_USABLE = 0.97


def lone_spectrum(image: Image, index: int = 0) -> Spectrum:
    """NPS of one slice, from small regions of its flattest soft tissue.

    What anatomy the regions of `flattest_regions` still hold lies at low frequencies, where small regions hardly see it: the
    result is rough there, and far nearer to the truth than a flat spectrum.

    Raises:
        InputError: where the slice has too little uniform tissue.
    """
    size, corners = flattest_regions(image, index)
    plane = image.voxels[index]
    flattest = np.array([plane[row : row + size, column : column + size] for row, column in corners], np.float64)
    return spectrum_of_regions(flattest, (image.spacing[1], image.spacing[2]))


def flattest_regions(image: Image, index: int = 0) -> tuple[int, list[tuple[int, int]]]:
    """Return side (pixels) and corners (row, column) of the regions in which a slice by itself shows its noise.

    Of all half-overlapping regions inside tissue the sixth with the least structure is taken (standard deviation of the slice
    smoothed by 3 pixels, second-order trend taken out), flattest first.

    Raises:
        InputError: where the slice has too little uniform tissue.
    """
    plane = image.voxels[index]
    usable = tissue_mask(guide.smooth(plane), image.unit, valid_plane(image, index))
    smooth = guide.smooth(plane, _STRUCTURE_SIGMA)
    kept: list[tuple[int, int]] = []
    for size in _SIZES:
        corners = _corners(usable, size)
        structure = np.array([_structure(smooth[row : row + size, column : column + size]) for row, column in corners])
        count = max(round(_FLATTEST * len(corners)), min(_FEWEST, round(_MOST * len(corners))))
        kept = [corners[i] for i in np.argsort(structure, kind="stable")[:count]]
        if len(kept) >= _ENOUGH:
            break
    if len(kept) < _FEWEST:
        raise InputError(
            f"{only(len(kept), 'region')} of {size} x {size} pixels in the slice {are(len(kept))} flat tissue; a noise "
            f"spectrum needs at least {_FEWEST}, so none is used."
        )
    return size, kept


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
