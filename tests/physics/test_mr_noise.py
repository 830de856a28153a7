import numpy as np
import pytest
from scipy.stats import kstest, rayleigh, rice

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.mr.noise import noise_deviation, rician_scan


def flat(signal, top=1000.0):
    """Slices of one signal; one bright row fixes what the percentages mean."""
    voxels = np.full((4, 128, 128), signal, np.float32)
    voxels[:, 0] = top
    return Image(voxels, (3, 1, 1), "MR")


@pytest.mark.parametrize("signal", [0.0, 100.0, 400.0])
def test_a_flat_signal_becomes_rician(signal):
    values = rician_scan(flat(signal), 10).voxels[:, 1:].ravel()
    law = rayleigh(scale=100) if signal == 0 else rice(signal / 100, scale=100)
    assert kstest(values[::7].astype(np.float64), law.cdf).pvalue > 1e-3
    assert values.mean() == pytest.approx(law.mean(), rel=0.01)


def test_percentages_are_of_the_maximum_and_none_leaves_the_truth():
    truth = flat(900)
    np.testing.assert_array_equal(rician_scan(truth, 0).voxels, truth.voxels)
    assert rician_scan(truth, 5).voxels[:, 1:].std() == pytest.approx(50, rel=0.01)


def test_zero_filling_keeps_the_level_and_coarsens_the_grain():
    voxels = rician_scan(flat(900), 5, acquired=0.5).voxels[:, 8:] - 900
    assert voxels.std() == pytest.approx(50, rel=0.04)
    neighbors = np.corrcoef(voxels[:, :, 1:].ravel(), voxels[:, :, :-1].ravel())[0, 1]
    assert neighbors == pytest.approx(2 / np.pi, abs=0.03)  # sinc(1 / 2)


def test_uneven_noise_is_stronger_in_the_middle_by_as_much_as_asked():
    voxels = rician_scan(flat(900), 5, uneven=0.8).voxels
    middle, corner = voxels[:, 58:70, 58:70].std(), voxels[:, 110:, 110:].std()
    assert middle / corner == pytest.approx(1.8, rel=0.08)
    assert noise_deviation((101, 101), 2.0, 0.8)[50, 50] == pytest.approx(3.6)


def test_seeds_decide_and_slices_are_independent():
    one, again, other = (rician_scan(flat(900), 5, seed).voxels for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    for first, second in ((one, other), (one[:-1], one[1:])):
        assert abs(np.corrcoef(first[:, 1:].ravel(), second[:, 1:].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize(
    ("choice", "words"),
    [({"percent": -1}, "0 or more"), ({"acquired": 0}, "above 0"), ({"acquired": 1.5}, "above 1"),
     ({"uneven": -0.1}, "unevenness")],
)  # fmt: skip
def test_what_cannot_be_is_refused(choice, words):
    with pytest.raises(InputError, match=words):
        rician_scan(flat(900), **{"percent": 5, **choice})
    with pytest.raises(InputError, match="negative"):
        rician_scan(flat(-1), 5)
