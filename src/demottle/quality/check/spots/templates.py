"""The shapes that are looked for: blobs of 4 to 35 mm, of one slice or of several, against their surroundings."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import convolve1d
from scipy.special import j1

from demottle.image import Voxels

SIZES_MM = (4.0, 6.0, 9.0, 13.0, 20.0, 35.0)
"""Diameters; between two of them a lesion is found by either with hardly any loss."""
_EDGE = 0.6  # pixels: how soft the rim of a lesion is, as a standard deviation
_SURROUNDINGS = 1.1  # diameters: coarser than this counts as background
_ROUND, _LONG = 0.8, 2.5  # diameters along the slices' normal: of a sphere, of a rod

Array = NDArray[np.float32]


def transfer(diameter: float, shape: tuple[int, int], spacing: tuple[float, float]) -> Array:
    """Return the transform of a blob less its background, (rows, columns / 2 + 1), as `scipy.fft.rfft2` sorts frequencies.

    A disc's transform is `2 J1(q) / q`, `q = pi D f`; a soft rim and, at low frequencies, `1 - exp(-2 (pi 1.1 D f)^2)` multiply
    it.

    Args:
        diameter: D in mm.
        shape: rows and columns of the plane.
        spacing: of rows and columns in mm.
    """
    down, right = np.fft.fftfreq(shape[0], spacing[0])[:, None], np.fft.rfftfreq(shape[1], spacing[1])[None]
    square = down**2 + right**2
    q = np.maximum(np.pi * diameter * np.sqrt(square), 1e-9)
    rim = np.exp(
        -2 * np.pi**2 * (_EDGE * spacing[0]) ** 2 * square - q**2 / 30
    )  # lesions of this size differ in theirs
    background = 1 - np.exp(-2 * (np.pi * _SURROUNDINGS * diameter) ** 2 * square)
    return np.asarray(2 * j1(q) / q * rim * background, np.float32)


def answer(response: Array, diameter: float, shape: tuple[int, int], spacing: tuple[float, float]) -> float:
    """Return what a filter makes of a disc of one HU in its middle.

    Args:
        response: of the filter, as `transfer` sorts it.
        diameter: of the disc in mm.
        shape: rows and columns of the plane.
        spacing: of rows and columns in mm.
    """
    down, right = np.fft.fftfreq(shape[0], spacing[0])[:, None], np.fft.rfftfreq(shape[1], spacing[1])[None]
    q = np.maximum(np.pi * diameter * np.hypot(down, right), 1e-9)
    pixels = np.pi * diameter**2 / 4 / (spacing[0] * spacing[1])
    return float(pixels * fft.irfft2(response * 2 * j1(q) / q, s=shape)[0, 0])


def heights(diameter: float, between: float, slices: int) -> list[int]:
    """Return over how many slices a shape of this diameter is looked for: one, a sphere's, a rod's."""
    wanted = {1, *(max(1, round(share * diameter / between)) for share in (_ROUND, _LONG))}
    return sorted(height for height in wanted if height <= slices)


def filtered(spectra: list[Array], response: Array, shape: tuple[int, int]) -> Voxels:
    """Return slices (slices, rows, columns) from their transforms times a response."""
    return np.stack([fft.irfft2(one * response, s=shape) for one in spectra]).astype(np.float32)


def summed(planes: Voxels, height: int) -> Voxels:
    """Return the sum over `height` slices around each, over the root of how many there are (fewer at the ends)."""
    if height == 1:
        return planes
    ones = np.ones(height, np.float32)
    count = convolve1d(np.ones(len(planes), np.float32), ones, mode="constant")
    total = convolve1d(planes, ones, axis=0, mode="constant")
    return np.asarray(total / np.sqrt(count)[:, None, None], np.float32)
