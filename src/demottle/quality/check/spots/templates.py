"""The shapes that are looked for: blobs of 4 to 35 mm, of one slice or of several, against their surroundings."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import j1

from demottle.image import Voxels

SIZES_MM = (4.0, 6.0, 9.0, 13.0, 20.0, 35.0)
"""Diameters; between two of them a lesion is found by either with hardly any loss."""
_EDGE = 0.6  # pixels: how soft the rim of a lesion is, as a standard deviation
_SURROUNDINGS = 1.1  # diameters: coarser than this counts as background
_FEW = 3  # slices that are added up anew for each place
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
    wanted = {1, of_sphere(diameter, between, slices), max(1, round(_LONG * diameter / between))}
    return sorted(height for height in wanted if height <= slices)


def of_sphere(diameter: float, between: float, slices: int) -> int:
    """Return the height of a sphere in slices, at most as many as there are."""
    return min(max(1, round(_ROUND * diameter / between)), slices)


def filtered(spectra: list[Array], response: Array, shape: tuple[int, int]) -> Voxels:
    """Return slices (slices, rows, columns) from their transforms times a response."""
    return np.stack([fft.irfft2(one * response, s=shape) for one in spectra]).astype(np.float32)


def summed(planes: Voxels, height: int) -> Voxels:
    """Return the sum over `height` slices around each, over the root of how many there are (fewer at the ends)."""
    if height == 1:
        return planes
    total, count = _total(planes, height)
    return np.asarray(total / np.sqrt(count)[:, None, None], np.float32)


def averaged(planes: Voxels, height: int) -> Voxels:
    """Return the mean over `height` slices around each, of as many as there are."""
    if height == 1:
        return planes
    total, count = _total(planes, height)
    return np.asarray(total / count[:, None, None], np.float32)


def _total(planes: Voxels, height: int) -> tuple[Voxels, Array]:
    """Sums over the slices from (height - 1) / 2, rounded down, before each, and how many there are; slice by slice: much
    faster than along the axis that lies farthest apart in memory."""
    slices, before = len(planes), (height - 1) // 2
    out, count = np.empty_like(planes), np.empty(slices, np.float32)
    for z in range(slices):
        part = planes[max(0, z - before) : z - before + height]
        count[z] = len(part)
        if height <= _FEW or z == 0:
            np.sum(part, axis=0, out=out[z])
            continue
        np.copyto(out[z], out[z - 1])
        if z - before + height <= slices:
            out[z] += planes[z - before + height - 1]
        if z - before > 0:
            out[z] -= planes[z - before - 1]
    return out, count
