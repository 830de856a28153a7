"""The high band of a slice: everything but its coarse wavelet approximation.

A slice, continued symmetrically, is decomposed with a 2-D Daubechies wavelet; the approximation coefficients are set to zero
and the rest is put together again. `slice = low + high`; a constant has no high band, and what is much wider than
`2^levels` pixels has hardly any. A slice that is too small for so many levels is mirrored at its borders until it is large
enough, so that the band is the same whatever the size of the slice.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pywt
from numpy.typing import NDArray

from demottle.errors import UnsuitableError
from demottle.image import Voxels

WAVELET = "db3"
MOST_LEVELS = 8
"""A slice is mirrored until it has 1280 pixels for these; more would take memory for nothing that slices hold."""
KEY = "wavelet_levels"
"""What a model file calls the levels of the slices that it was trained on."""


def high_band(plane: NDArray[np.floating], levels: int, wavelet: str = WAVELET) -> Voxels:
    """Return the high band of a slice (rows, columns), float32, in the slice's unit.

    Args:
        plane: the slice.
        levels: levels of the decomposition; 0 returns the slice itself.
        wavelet: name of the wavelet.
    """
    plane = np.asarray(plane, np.float32)
    if levels < 1:
        return plane
    rows, columns = plane.shape
    first, last = zip(*(_around(side, least_side(levels, wavelet)) for side in plane.shape), strict=True)
    # In double precision, so that what is added to the whole slice leaves no trace in its band.
    wide = np.pad(plane.astype(np.float64), tuple(zip(first, last, strict=True)), mode="symmetric")
    coefficients = pywt.wavedec2(wide, wavelet, mode="symmetric", level=levels)
    coefficients[0] = np.zeros_like(coefficients[0])
    back = pywt.waverec2(coefficients, wavelet, mode="symmetric")
    return np.ascontiguousarray(back[first[0] : first[0] + rows, first[1] : first[1] + columns], np.float32)


def least_side(levels: int, wavelet: str = WAVELET) -> int:
    """Return how many pixels a side has to have for so many levels, beyond which every coefficient would hang on the border."""
    return int(pywt.Wavelet(wavelet).dec_len - 1) << levels


def _around(side: int, least: int) -> tuple[int, int]:
    missing = max(0, least - side)
    return missing // 2, missing - missing // 2


def refuse_other_levels(levels: int, fitted: Mapping[str, Any], shape: tuple[int, ...]) -> None:
    """Refuse slices (..., rows, columns) whose band a model did not learn.

    Earlier models do not say how many levels they were trained with: on small slices it was fewer than asked for.

    Raises:
        UnsuitableError: where the levels differ, or may.
    """
    least, (rows, columns) = least_side(levels), shape[-2:]
    if levels and KEY not in fitted and min(rows, columns) < least:
        raise UnsuitableError(
            f"The model does not state with how many wavelet levels it was trained, and slices of {rows} x {columns} pixels had "
            f"fewer than its {levels} then; train it again, or use slices of {least} x {least} pixels and more."
        )
    if fitted.get(KEY, levels) != levels:
        raise UnsuitableError(
            f"The model was trained with {fitted[KEY]} wavelet levels, but these slices have {levels}; train it again."
        )
