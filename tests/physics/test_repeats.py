import numpy as np
import pytest

from demottle.errors import InputError
from demottle.physics.phantoms.catalog import build
from demottle.physics.phantoms.repeats import kernel_named, repeat_seed, repeated_scans


@pytest.fixture(scope="module")
def truth():
    return build("water", slices=4, size=96).image


@pytest.fixture(scope="module")
def noises(truth):
    return [(scan.voxels - truth.voxels)[:, 28:68, 28:68] for _, scan in repeated_scans(truth, 4, 20.0, 0.25, seed=3)]


def test_repeats_are_independent(noises):
    """Neighboring pixels share noise, so the error of a correlation is estimated from shifted copies, not from counts."""
    for i, one in enumerate(noises):
        for other in noises[i + 1 :]:
            at_home = np.corrcoef(one.ravel(), other.ravel())[0, 1]
            shifted = [np.corrcoef(one.ravel(), np.roll(other, k, axis=2).ravel())[0, 1] for k in range(8, 33, 4)]
            assert abs(at_home) < 4 * np.std(shifted) + 0.02


def test_repeats_are_equal_in_distribution(noises):
    spread = [noise.std() for noise in noises]
    assert np.ptp(spread) < 0.1 * np.mean(spread)
    assert np.mean(spread) == pytest.approx(20, rel=0.06)
    assert all(abs(noise.mean()) < 2 for noise in noises)
    along = [np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1] for noise in noises]
    assert np.mean(along) == pytest.approx(0.25, abs=0.06)


def test_the_same_seed_gives_the_same_bits_and_a_longer_series_begins_as_a_shorter_one(truth):
    two = [scan.voxels for _, scan in repeated_scans(truth, 2, 20.0, 0.25, seed=3)]
    again = [scan.voxels for _, scan in repeated_scans(truth, 1, 20.0, 0.25, seed=3)]
    np.testing.assert_array_equal(two[0], again[0])
    assert not np.array_equal(two[0], two[1])


def test_groups_and_seeds_do_not_share_noise():
    seeds = {repeat_seed(seed, number, group) for seed in range(3) for number in range(20) for group in range(2)}
    assert len(seeds) == 3 * 20 * 2
    assert repeat_seed(7, 0) == 7


def test_progress_runs_once_over_all_repeats(truth):
    heard = []
    list(repeated_scans(truth, 2, 20.0, 0.0, listener=heard.append))
    assert {event.stage for event in heard} == {"simulate"}
    assert [event.done for event in heard] == list(range(1, heard[0].total + 1))


def test_a_quarter_of_the_dose_doubles_quantum_noise_and_quadruples_electronic_noise():
    def grows(diameter, sigma):
        thick = build("water", slices=2, size=64, diameter=diameter).image
        full, quarter = (
            next(repeated_scans(thick, 1, sigma, 0.0, dose=d))[1].voxels - thick.voxels for d in (1.0, 0.25)
        )
        return quarter[:, 24:40, 24:40].std() / full[:, 24:40, 24:40].std()

    assert grows(150, 10.0) == pytest.approx(2, rel=0.02)  # many photons: quantum noise alone
    assert 2.2 < grows(400, 40.0) < 4


def test_what_cannot_be_is_refused(truth):
    for sigma in (10, 0):
        with pytest.raises(InputError, match="dose"):
            next(repeated_scans(truth, 1, sigma, 0, dose=0.0))
    with pytest.raises(InputError, match="at least one"):
        next(repeated_scans(truth, 0, 10, 0))
    with pytest.raises(InputError, match="no kernel"):
        kernel_named("bone")
