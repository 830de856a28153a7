"""Windows of signals. SciPy's are the same, but to import them takes as long as everything else that demottle loads."""

import numpy as np
from numpy.typing import NDArray


def hann(count: int) -> NDArray[np.float64]:
    """Return a periodic Hann window of `count` samples, for Fourier transforms (`scipy.signal.windows.hann`, `sym=False`)."""
    return np.hanning(count + 1)[:-1]


def tukey(count: int, tapered: float) -> NDArray[np.float64]:
    """Return a symmetric window of `count` samples, flat but for cosines over the share `tapered` of it, half at each end.

    As `scipy.signal.windows.tukey`; `tapered` lies between 0 and 1.
    """
    width = tapered * (count - 1) / 2
    from_end = np.minimum(np.arange(count), np.arange(count)[::-1])
    if width == 0:
        return np.ones(count)
    return np.where(from_end < width, 0.5 * (1 - np.cos(np.pi * from_end / width)), 1.0)
