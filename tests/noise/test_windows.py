"""Windows are SciPy's, to the last digits."""

import numpy as np
import pytest
from scipy.signal import windows as scipys

from demottle.windows import hann, tukey


@pytest.mark.parametrize("count", [4, 15, 64])
def test_windows_are_those_of_scipy(count: int) -> None:
    np.testing.assert_allclose(hann(count), scipys.hann(count, sym=False), atol=1e-15)
    for tapered in (0.0, 0.3, 0.5, 1.0):
        np.testing.assert_allclose(tukey(count, tapered), scipys.tukey(count, tapered), atol=1e-15)
