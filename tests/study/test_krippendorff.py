"""Krippendorff's alpha, held against the worked examples of its author."""

from math import isnan, nan

import numpy as np
import pytest

from demottle.study.krippendorff import INTERVAL, NOMINAL, ORDINAL, SCALES, krippendorff, krippendorff_interval

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", example C: four observers (rows), twelve units, five values.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
        [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
    ]
).T


@pytest.mark.parametrize(("scale", "alpha"), [(NOMINAL, 0.743), (ORDINAL, 0.815), (INTERVAL, 0.849)])
def test_alpha_is_that_of_the_published_example(scale: str, alpha: float) -> None:
    assert krippendorff(PUBLISHED, scale) == pytest.approx(alpha, abs=0.0005)


def test_two_observers_and_two_values() -> None:
    """Example A of the same paper: ten units, worked out there by hand to 0.095."""
    first, second = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    table = np.array([first, second], float).T
    for scale in SCALES:  # with two values there is no difference between them
        assert krippendorff(table, scale) == pytest.approx(0.095, abs=0.0005)


@pytest.mark.parametrize("scale", SCALES)
def test_full_agreement_is_one_and_chance_is_zero(scale: str) -> None:
    rng = np.random.default_rng(0)
    alike = np.repeat(rng.integers(1, 6, (40, 1)), 4, axis=1).astype(float)
    alike[rng.random(alike.shape) < 0.2] = nan
    assert krippendorff(alike, scale) == pytest.approx(1, abs=1e-12)
    found = krippendorff_interval(alike, scale)
    assert (found.ci_low, found.ci_high) == pytest.approx((1, 1), abs=1e-12)
    thrown = rng.integers(1, 6, (4000, 3)).astype(float)
    assert krippendorff(thrown, scale) == pytest.approx(0, abs=0.03)  # three standard errors
    assert krippendorff(np.array([[1.0, 5.0], [5.0, 1.0]]), scale) < 0  # opposite


@pytest.mark.parametrize("scale", SCALES)
def test_the_interval_holds_the_truth_as_often_as_it_says(scale: str) -> None:
    """Readers of known error see 40 things: in about 95 % of 200 such studies it holds the alpha of very many things."""
    rng = np.random.default_rng(1)

    def rated(things: int) -> np.ndarray:
        table = np.clip(np.round(rng.normal(3, 1, (things, 1)) + rng.normal(0, 0.6, (things, 3))), 1, 5)
        table[rng.random(table.shape) < 0.1] = nan
        return table

    truth = krippendorff(rated(40_000), scale)
    found = [krippendorff_interval(rated(40), scale, resamples=400) for _ in range(200)]
    assert 0.88 <= np.mean([one.ci_low <= truth <= one.ci_high for one in found]) <= 0.99


def test_readers_and_things_in_another_order_and_ratings_that_nobody_shares_change_nothing() -> None:
    rng = np.random.default_rng(2)
    shuffled = PUBLISHED[rng.permutation(12)][:, rng.permutation(4)]
    alone = np.array([[5, nan, nan, nan], [nan] * 4])
    for scale in SCALES:
        assert krippendorff(np.vstack([shuffled, alone]), scale) == pytest.approx(krippendorff(PUBLISHED, scale))


def test_the_ordinal_scale_knows_no_distances_and_the_interval_scale_no_zero() -> None:
    stretched = np.where(PUBLISHED == 5, 90.0, PUBLISHED)
    assert krippendorff(stretched, ORDINAL) == pytest.approx(krippendorff(PUBLISHED, ORDINAL))
    assert krippendorff(stretched, INTERVAL) > krippendorff(PUBLISHED, INTERVAL) + 0.1
    assert krippendorff(7 + 2 * PUBLISHED, INTERVAL) == pytest.approx(krippendorff(PUBLISHED, INTERVAL))


def test_where_nothing_varies_or_nobody_rated_twice_there_is_no_alpha() -> None:
    for table in (np.full((5, 3), 4.0), np.array([[1.0, nan], [nan, 2.0]]), np.empty((0, 3))):
        assert isnan(krippendorff(table))
        assert isnan(krippendorff_interval(table).ci_low)
    one = krippendorff_interval(np.array([[1.0, 2.0, 2.0]]))
    assert (one.value <= 0, isnan(one.ci_low)) == (True, True)


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="nominal, ordinal, interval, not 'ratio'"):
        krippendorff(PUBLISHED, "ratio")
