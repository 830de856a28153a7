"""The decorrelated target: its noise has nothing to do with the slice's own."""

import numpy as np
import pytest

from demottle.image import Image
from demottle.methods.one_scan.neighbor_targets import decorrelated, matched_targets, regression, usable_lags
from demottle.methods.one_scan.scan_samples import scan_samples, seen
from demottle.noise.correlation import Correlation


@pytest.mark.parametrize("rho", [0.0, 0.12, 0.45, 0.7])
def test_noise_of_the_target_is_independent_and_its_variance_known(rho: float) -> None:
    random = np.random.default_rng(0)
    own = random.standard_normal(200_000).astype(np.float32)
    other = (rho * own + np.sqrt(1 - rho**2) * random.standard_normal(200_000)).astype(np.float32)
    shares, variance = regression(Correlation((rho, 0.0), 0.0, 10_000), [4], 5)
    target = decorrelated(other, [own], shares)
    assert shares == pytest.approx([rho])
    assert np.corrcoef(target, own)[0, 1] == pytest.approx(0, abs=0.01)
    assert target.var() == pytest.approx(variance, rel=0.02)
    assert variance == pytest.approx((1 + rho) / (1 - rho))


@pytest.mark.parametrize("rho", [(0.12, 0.0, 0.0), (0.45, 0.06, 0.0), (0.6, 0.2, 0.05)])
def test_noise_of_the_target_is_independent_of_several_slices(rho: tuple[float, ...]) -> None:
    correlation = Correlation(rho, 0.0, 10_000)
    seen_and_target = [[1.0 if a == b else ([0, *rho, 0, 0])[abs(a - b)] for b in range(4)] for a in range(4)]
    noise = np.random.default_rng(0).multivariate_normal(np.zeros(4), seen_and_target, 200_000).T.astype(np.float32)
    shares, variance = regression(correlation, [0, 1, 2], 3)
    target = decorrelated(noise[3], list(noise[:3]), shares)
    for own in noise[:3]:
        assert np.corrcoef(target, own)[0, 1] == pytest.approx(0, abs=0.01)
    assert target.var() == pytest.approx(variance, rel=0.02)


def test_the_mean_stays_the_tissue() -> None:
    own, other = np.full(5, 60, np.float32), np.full(5, 60, np.float32)
    assert decorrelated(other, [own, own], np.array([0.3, 0.2])) == pytest.approx(60)


@pytest.mark.parametrize(("index", "expected"), [(0, [1, 0, 1]), (4, [3, 4, 5]), (9, [8, 9, 8])])
def test_the_ends_of_a_scan_are_mirrored(index: int, expected: list[int]) -> None:
    assert seen(index, 3, 10) == expected


def test_targets_lie_beyond_what_the_network_sees() -> None:
    assert usable_lags(Correlation((0.1, 0.0, 0.0), 0.0, 10_000), 1, beyond=1) == [2]


def test_lags_that_share_too_much_are_left_out() -> None:
    assert usable_lags(Correlation((0.9, 0.6, 0.2), 0.0, 10_000), 2) == [2, 3]
    assert usable_lags(Correlation((0.1, 0.0), 0.0, 10_000), 1) == [1]


def test_targets_average_both_neighbors_and_skip_what_differs() -> None:
    random = np.random.default_rng(1)
    tissue = np.full((5, 96, 96), 50, np.float32)
    tissue[3:, 20:40, 20:40] = 150  # a vessel that is not in the slices below
    image = Image(tissue + random.normal(0, 5, tissue.shape).astype(np.float32), (3, 1, 1), "CT", "HU")
    correlation = Correlation((0.0, 0.0), 0.0, 10_000)
    samples = scan_samples(image, correlation, 5.0, 64)
    targets, weights = matched_targets(
        image, samples, correlation, reach=1, decorrelate=True, tolerance=5.0, guide_sigma=2.0
    )
    assert weights[2, 60, 60] == pytest.approx(2)  # both neighbors match
    assert weights[2, 30, 30] == pytest.approx(1)  # only the one without the vessel
    assert targets[2, 25:35, 25:35].mean() == pytest.approx(50, abs=2)
    assert weights[0, 60, 60] == pytest.approx(1)  # the first slice has one neighbor


def test_learning_does_not_use_more_slices_in_a_longer_scan() -> None:
    tissue = np.random.default_rng(2).normal(40, 10, (150, 64, 64)).astype(np.float32)
    samples = scan_samples(Image(tissue, (1, 1, 1), "CT", "HU"), Correlation((0.0,), 0.0, 10_000), 10.0, 64)
    assert len(samples.slices) == 64
