"""Similar cubes are found where they are, and what a group has in common is kept."""

import numpy as np
import pytest
import torch

from demottle.methods.bayes.cube_noise import cube_covariance
from demottle.methods.bayes.group_estimate import Grouping
from demottle.methods.bayes.similar_cubes import similar_cubes
from demottle.methods.bayes.volume_estimate import VolumeEstimate

CUBE, CPU = (2, 3, 3), torch.device("cpu")
GROUPING = Grouping(CUBE, similar=20, reach=4, reach_slices=1, step=2)


def estimated(
    noisy: np.ndarray,
    guide: np.ndarray,
    spectrum: np.ndarray,
    where: np.ndarray | None = None,
    at_once: tuple[int, ...] = (),
) -> np.ndarray:
    """The estimate; `at_once` says how many slices come with each part, all in one go where it says nothing."""
    x, g = (torch.from_numpy(np.asarray(part, np.float32)) for part in (noisy, guide))
    asked = np.ones(noisy.shape, np.bool_) if where is None else where
    covariance = cube_covariance(spectrum, (), CUBE)
    estimate = VolumeEstimate(len(x), covariance, GROUPING, CPU, lambda done, layers: None)
    ends = np.cumsum(at_once or (len(x),))
    parts = [estimate.add(x[a:b], g[a:b], asked[a:b]) for a, b in zip((0, *ends), ends, strict=False)]
    return torch.cat(parts).numpy()


def test_a_cube_and_its_twin_are_the_most_alike() -> None:
    guide = np.random.default_rng(5).normal(size=(4, 16, 16))
    guide[1:3, 8:11, 9:12] = guide[0:2, 4:7, 6:9]
    own = 4 * 16 + 6  # the cube's first voxel: slice 0, row 4, column 6
    number = (4 // 2) * 7 + 6 // 2  # on a grid of every second row and column, seven in a row
    found, counts = similar_cubes(torch.from_numpy(guide), 0, CUBE, 4, 2, 3, torch.tensor([number]))
    assert counts[0].tolist() == [1, 1, 0]  # the third is the last
    assert found[0, :2].tolist() == [own, 256 + 8 * 16 + 9]


def test_at_a_corner_nothing_outside_is_taken() -> None:
    guide = torch.from_numpy(np.random.default_rng(6).normal(size=(2, 6, 6)))
    found, counts = similar_cubes(guide, 0, CUBE, 4, 1, 81, torch.tensor([0]))
    rows, columns = found % 36 // 6, found % 6
    assert int(rows.max()) <= 3 and int(columns.max()) <= 3
    assert int((counts > 0).sum()) == 16 - 1  # there are 16 places, the last of which counts for nothing


def test_noise_goes_and_edges_and_means_stay() -> None:
    truth = np.zeros((6, 24, 24))
    truth[:, :, 12:] = 1000.0  # a thousand times the noise: a factor solved in single precision must not shift it
    noisy = truth + np.random.default_rng(7).normal(size=truth.shape)
    where = np.zeros(truth.shape, np.bool_)
    where[:, 4:20, 4:20] = True
    out = estimated(noisy, truth, np.ones((1, 1)), where)
    error = (out - truth)[where]
    assert error.std() < 0.3
    assert abs(error.mean() - (noisy - truth)[where].mean()) < 0.03


def test_told_how_the_noise_is_correlated_more_of_it_goes() -> None:
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 6.0
    transfer = np.abs(np.fft.fft2(kernel, (24, 24)))
    grain = np.fft.ifft2(np.fft.fft2(np.random.default_rng(8).normal(size=(6, 24, 24))) * transfer).real
    grain /= grain.std()
    rows = np.linspace(0, 3, 24)[None, :, None] * np.ones((6, 24, 24))
    left = [(estimated(rows + grain, rows + 0.3 * grain, told) - rows).std() for told in (transfer**2, np.ones((1, 1)))]
    assert left[0] < 0.9 * left[1]


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Nine slices with an edge in them, noisy, and what they are without noise."""
    truth = np.zeros((9, 24, 24))
    truth[:, :, 10:], truth[4:, 6:12] = 20.0, 50.0
    return truth + np.random.default_rng(9).normal(size=truth.shape), truth


@pytest.mark.parametrize("at_once", [(1,) * 9, (3, 3, 3), (2, 7), (8, 1)])
def test_however_many_slices_come_at_a_time_the_estimate_is_the_same(at_once: tuple[int, ...]) -> None:
    noisy, truth = pictures()
    whole = estimated(noisy, truth, np.ones((1, 1)))
    assert np.array_equal(estimated(noisy, truth, np.ones((1, 1)), at_once=at_once), whole)


def test_what_is_asked_for_elsewhere_makes_no_difference() -> None:
    noisy, truth = pictures()
    here, more = (np.zeros(noisy.shape, np.bool_) for _ in range(2))
    here[3:7, 13:18, 14:21] = more[3:7, 13:18, 14:21] = True
    more[:5, :6, :5] = True  # begins one row and column farther to the left: cubes must not move with it
    alone, both = (estimated(noisy, truth, np.ones((1, 1)), where) for where in (here, more))
    np.testing.assert_allclose(both[here], alone[here], atol=1e-4)


def test_all_slices_come_back_and_the_last_layer_is_told() -> None:
    noisy, truth = (torch.from_numpy(np.asarray(part, np.float32)) for part in pictures())
    told: list[tuple[int, int]] = []
    estimate = VolumeEstimate(9, cube_covariance(np.ones((1, 1)), (), CUBE), GROUPING, CPU, lambda *at: told.append(at))
    made = [
        len(estimate.add(noisy[at : at + 1], truth[at : at + 1], np.ones((1, 24, 24), np.bool_))) for at in range(9)
    ]
    assert sum(made) == 9 and made[0] == 0
    assert told[0][0] == 0 and told[-1][0] == told[-1][1]
