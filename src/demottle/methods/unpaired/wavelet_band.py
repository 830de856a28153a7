"""The high band of a slice: everything but its coarse wavelet approximation.

A slice, continued symmetrically, is decomposed with a 2-D Daubechies wavelet; the approximation coefficients are set to zero
and the rest is put together again. `slice = low + high`; a constant has no high band, and what is much wider than
`2^levels` pixels has hardly any.
"""

import numpy as np
import pywt
from numpy.typing import NDArray

from demottle.image import Voxels

WAVELET = "db3"


def high_band(plane: NDArray[np.floating], levels: int, wavelet: str = WAVELET) -> Voxels:
    """Return the high band of a slice (rows, columns), float32, in the slice's unit.

    Args:
        plane: the slice.
        levels: levels of the decomposition, fewer where a slice is too small; 0 returns the slice itself.
        wavelet: name of the wavelet.
    """
    plane = np.asarray(plane, np.float32)
    most = pywt.dwtn_max_level(plane.shape, wavelet)
    levels = min(levels, most)
    if levels < 1:
        return plane
    # In double precision, so that what is added to the whole slice leaves no trace in its band.
    coefficients = pywt.wavedec2(plane.astype(np.float64), wavelet, mode="symmetric", level=levels)
    coefficients[0] = np.zeros_like(coefficients[0])
    rows, columns = plane.shape
    back = pywt.waverec2(coefficients, wavelet, mode="symmetric")[:rows, :columns]
    return np.ascontiguousarray(back, np.float32)
