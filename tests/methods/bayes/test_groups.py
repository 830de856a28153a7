"""Similar cubes are found where they are, and what a group has in common is kept."""

import numpy as np
import torch

from demottle.methods.bayes.cube_noise import cube_covariance
from demottle.methods.bayes.group_estimate import Grouping, group_estimate
from demottle.methods.bayes.similar_cubes import similar_cubes

CUBE, CPU = (2, 3, 3), torch.device("cpu")
GROUPING = Grouping(CUBE, similar=20, reach=4, reach_slices=1, step=2)


def estimated(
    noisy: np.ndarray, guide: np.ndarray, spectrum: np.ndarray, where: np.ndarray | None = None
) -> np.ndarray:
    x, g = (torch.from_numpy(np.asarray(part, np.float32)) for part in (noisy, guide))
    asked = np.ones(noisy.shape, np.bool_) if where is None else where
    covariance = cube_covariance(spectrum, (), CUBE)
    return group_estimate(x, g, asked, covariance, GROUPING, CPU, lambda done, layers: None).numpy()


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
