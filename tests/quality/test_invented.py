import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.quality.analytic import colored, frequencies, ramp

from demottle.errors import InputError
from demottle.quality.truth.invented import noise_only


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return 50 + colored(ramp(frequencies(256, 0.7)), 0.7, 6, seed=8)


def test_plain_smoothing_invents_nothing(noise) -> None:
    found = noise_only(noise, gaussian_filter(noise, (0, 2, 2)), 0.7)
    assert found.amplification < 1
    assert found.shift == pytest.approx(0, abs=0.05)
    assert found.after < 0.5 * found.before
    assert len(found.discs) > 1 and all(disc.after <= disc.before for disc in found.discs)
    assert abs(found.excess) < 0.3


def test_blobs_made_of_noise_are_found(noise) -> None:
    y, x = np.mgrid[:256, :256]
    after = np.full(noise.shape, 50.0)
    after[2] += 15 * (np.hypot(y - 90, x - 140) < 3.6)
    found = noise_only(noise, after, 0.7)
    assert found.excess > 50
    assert found.discs[1].diameter == 5
    assert found.discs[1].after == pytest.approx(15, rel=0.1)


def test_power_moved_to_low_frequencies_is_amplification_although_the_noise_fell(noise) -> None:
    blotches = gaussian_filter(np.random.default_rng(9).standard_normal(noise.shape), (0, 4, 4))
    found = noise_only(noise, 50 + 12 * blotches / blotches.std(), 0.7)
    assert found.after < found.before
    assert found.amplification > 1
    assert found.amplified_at < 0.1


def test_bad_input_is_one_sentence(noise) -> None:
    with pytest.raises(InputError, match="no noise"):
        noise_only(np.full((4, 128, 128), 50.0), np.full((4, 128, 128), 50.0), 0.7)
    with pytest.raises(InputError, match="one shape"):
        noise_only(noise, noise[:3], 0.7)
    with pytest.raises(InputError, match="at least"):
        noise_only(noise[:1, :64, :64], noise[:1, :64, :64], 0.7)
