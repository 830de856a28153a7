import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.quality.phantoms import ct, noise

from demottle.errors import InputError
from demottle.noise.correlation import Correlation
from demottle.quality.check.spectra import compare_spectra

INDEPENDENT = Correlation((0.0, 0.0, 0.0), 0.0, 10000)


def mottled(slices: int = 8, seed: int = 0) -> np.ndarray:
    """Band-pass noise, as sharp kernels make it, in soft tissue that changes evenly from slice to slice."""
    white = np.random.default_rng(seed).standard_normal((slices, 256, 256))
    band = gaussian_filter(white, (0, 1, 1)) - gaussian_filter(white, (0, 2, 2))
    return band * 20 / band.std()


def tissue(slices: int = 8) -> np.ndarray:
    hills = gaussian_filter(np.random.default_rng(9).standard_normal((256, 256)), 6)
    return 50 + (hills / hills.std() * 4)[None] * np.arange(slices)[:, None, None] / 2


def test_the_variances_are_right_and_anatomy_that_drifts_does_not_count() -> None:
    grain, truth = mottled(), tissue()
    after = grain * 0.5
    found = compare_spectra(ct(truth + grain), ct(truth + after), INDEPENDENT, INDEPENDENT)
    assert found.before.sigma == pytest.approx(20, rel=0.05)
    assert found.after.sigma == pytest.approx(10, rel=0.05)
    assert found.removed.sigma == pytest.approx(10, rel=0.05)
    assert found.shift == pytest.approx(0, abs=0.002)


def test_noise_that_becomes_coarser_moves_the_peak_down() -> None:
    grain, truth = mottled(), tissue()
    after = gaussian_filter(grain, (0, 2, 2))
    found = compare_spectra(ct(truth + grain), ct(truth + after), INDEPENDENT, INDEPENDENT)
    assert found.shift < -0.02


def test_correlated_slices_are_corrected_for() -> None:
    grain = mottled(10)
    shared = (grain[:-1] + grain[1:]) / np.sqrt(2)  # correlation 0.5 at lag 1
    image = ct(50 + shared)
    rho = Correlation((0.5, 0.0), 0.0, 10000)
    assert compare_spectra(image, image, rho, rho).before.sigma == pytest.approx(20, rel=0.05)


def test_a_single_slice_can_be_compared_too() -> None:
    before, after = ct(50 + noise((1, 256, 256))), ct(50 + noise((1, 256, 256)) / 2)
    found = compare_spectra(before, after, INDEPENDENT, INDEPENDENT)
    assert found.after.sigma == pytest.approx(found.before.sigma / 2, rel=0.01)


def test_an_image_without_tissue_is_refused() -> None:
    air = ct(np.full((4, 128, 128), -1000.0))
    with pytest.raises(InputError, match="uniform tissue"):
        compare_spectra(air, air, INDEPENDENT, INDEPENDENT)
