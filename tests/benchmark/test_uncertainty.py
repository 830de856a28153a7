"""The suite uncertainty: an interval that is right is told so, one that is not is missed, and halves stay apart."""

import numpy as np
import pytest
from tests.quality.phantoms import body, ct

from demottle.benchmark.suites import ct_anatomies
from demottle.benchmark.suites.cases import Choices
from demottle.benchmark.suites.decisions.uncertainty import counted, specs
from demottle.image import Image

TRUTH = ct(body(6, 128))
BODY = TRUTH.voxels > -300


def found(error: float, told: float) -> tuple[dict[str, float | None], dict[str, object]]:
    drawn = np.random.default_rng(0).normal(0, error, TRUTH.shape).astype(np.float32)
    result: Image = TRUTH.with_voxels(TRUTH.voxels + drawn)
    one = counted(TRUTH, result, TRUTH.with_voxels(np.full(TRUTH.shape, told, np.float32)), BODY, "a case")
    return dict(one.quality), dict(one.said)


def test_the_standard_deviation_of_normal_errors_holds_ninety_percent() -> None:
    quality, said = found(7.0, 7.0)
    assert quality["covered_all"] == pytest.approx(0.9, abs=0.005)
    assert quality["covered_soft"] == pytest.approx(0.9, abs=0.01)
    assert "missed" not in said


@pytest.mark.parametrize("told", [4.0, 12.0])
def test_what_is_too_sure_or_too_unsure_is_missed(told: float) -> None:
    quality, said = found(7.0, told)
    assert quality["covered_all"] is not None and abs(quality["covered_all"] - 0.9) > 0.05
    assert "all" in str(said["missed"])


def test_judged_cases_come_first_and_are_those_of_both_suites() -> None:
    groups = [spec.group for spec in specs(Choices())]
    judged = [group for group in groups if not group.startswith("tune")]
    assert groups[: len(judged)] == judged
    assert set(ct_anatomies.JUDGING) < set(judged) and any(group.startswith("rho") for group in judged)
    assert set(groups) - set(judged) == set(ct_anatomies.TUNING)
