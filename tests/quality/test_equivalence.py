"""The test that CT numbers did not move says yes wrongly in at most one case of twenty."""

import numpy as np
import pytest
from scipy import stats
from scipy.ndimage import gaussian_filter
from tests.quality.phantoms import ct

from demottle.errors import InputError
from demottle.quality.check.shifts import tissue_shifts
from demottle.quality.equivalence import equivalence

MARGIN = 2.0
CASES = 1000


def test_it_is_two_one_sided_t_tests_where_blocks_are_of_one_size() -> None:
    values = np.random.default_rng(0).normal(0.4, 2, 30)
    found = equivalence(np.full(30, 7.0), 7 * values, MARGIN)
    lower = stats.ttest_1samp(values, -MARGIN, alternative="greater").pvalue
    upper = stats.ttest_1samp(values, MARGIN, alternative="less").pvalue
    interval = stats.ttest_1samp(values, 0).confidence_interval(0.90)
    assert found.p_value == pytest.approx(max(lower, upper), rel=1e-9)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(interval), rel=1e-9)
    assert found.equivalent == (found.p_value < 0.05)
    assert found.blocks == 30


def test_no_spread_at_all_is_decided_by_the_shift_alone() -> None:
    assert equivalence(np.ones(9), np.full(9, 1.5), MARGIN).equivalent
    assert not equivalence(np.ones(9), np.full(9, 2.0), MARGIN).equivalent


@pytest.mark.parametrize(
    ("counts", "margin", "said"), [(7, 2.0, "Only 7"), (20, 0.0, "positive"), (20, -1.0, "positive")]
)
def test_what_cannot_be_tested_is_refused(counts: int, margin: float, said: str) -> None:
    with pytest.raises(InputError, match=said):
        equivalence(np.ones(counts), np.zeros(counts), margin)


def shares_equivalent(shift: float, sigma: float, blur: float) -> float:
    """Share of simulated cases declared equivalent: correlated noise, of which most is removed, and a true shift."""
    rng = np.random.default_rng(3)
    declared = 0
    for _ in range(CASES):
        grain = gaussian_filter(rng.standard_normal((4, 96, 96)).astype(np.float32), (0.4, blur, blur), mode="wrap")
        grain *= sigma / grain.std()
        (found,) = tissue_shifts(ct(60 + grain), ct(60 + 0.3 * grain + shift), margin=MARGIN)
        declared += found.equivalent
    return declared / CASES


@pytest.mark.slow
@pytest.mark.parametrize("shift", [MARGIN, -MARGIN])
def test_a_shift_of_the_margin_is_called_equivalent_in_at_most_5_percent_of_1000_cases(shift: float) -> None:
    share = shares_equivalent(shift, sigma=25, blur=1.5)
    assert share <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / CASES)  # 99.5 % of the binomial's chance
    assert share >= 0.02  # and it is not merely deaf


@pytest.mark.slow
def test_no_shift_is_shown_to_be_none_where_there_is_enough_tissue() -> None:
    """The power: with this little tissue (16 blocks) and 25 HU of coarse noise about nine in ten."""
    assert shares_equivalent(0.0, sigma=25, blur=1.5) > 0.85
