"""A filter is chosen by what it does to the run itself, estimated without the truth; here the truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from demottle.benchmark.suites.decisions.fluoroscopy_plan import judge
from demottle.benchmark.suites.decisions.runs import PlanCase, cases_of, run_of
from demottle.errors import UnsuitableError
from demottle.methods.registry import method
from demottle.noise.sequence.fingerprint import measure_sequence
from demottle.physics.fluoroscopy.moved_still import StillMotion
from demottle.pipeline.plan_sequence import CANDIDATES, Candidate, Risk, filter_plan, make_sequence_plan
from demottle.pipeline.sequence_risk import measure_risks, plan_run
from demottle.pipeline.settings import make_settings

SMALL = PlanCase("wires-50", StillMotion("pan", 1.0, 0), 60, 8, 8, 0.68, size=144)
HANDFUL = [
    SMALL,
    replace(SMALL, motion=StillMotion("pan", 4.0, 0), shifted=True),
    replace(SMALL, motion=StillMotion("heartbeat", 3.0), quanta=24, recursion=1.0),
]


def test_the_estimated_error_is_the_true_one() -> None:
    noisy, truth, _ = run_of(SMALL)
    found = measure_sequence(noisy)
    risks = measure_risks(noisy, found)
    assert sorted(risk.candidate.name for risk in risks) == sorted(candidate.name for candidate in CANDIDATES)
    for risk in risks:
        module = method(risk.candidate.method).load()
        begin = getattr(module, "untaught", module.fit)
        fitted = begin(noisy, make_settings(risk.candidate.method, risk.candidate.settings), found)
        error = float(np.sqrt(np.mean((fitted(noisy).voxels - truth) ** 2)))
        assert risk.error == pytest.approx(error, rel=0.15), risk.candidate.name


@pytest.mark.parametrize(
    "case",
    [HANDFUL[0], *(pytest.param(case, marks=pytest.mark.slow) for case in HANDFUL[1:])],
    ids=lambda case: case.name,
)
def test_the_chosen_filter_is_nearly_the_best_and_never_worse_than_nothing(case: PlanCase) -> None:
    outcome = judge(case, steps=8)
    assert outcome.above_best <= 0.2
    assert outcome.error <= outcome.untouched
    assert outcome.live_error <= outcome.untouched


@pytest.mark.slow
@pytest.mark.parametrize("case", list(cases_of("judging")), ids=lambda case: case.name)
def test_the_catalog(case: PlanCase) -> None:
    outcome = judge(case)
    assert outcome.above_best <= 0.2
    assert outcome.error <= outcome.untouched


def test_a_live_plan_waits_for_no_frame_and_every_plan_says_what_was_tried() -> None:
    noisy, _, _ = run_of(SMALL)
    found = measure_sequence(noisy)
    for live in (False, True):
        plan = plan_run(noisy, found, live=live)
        chosen = Candidate(plan.method, plan.settings)
        assert any(chosen.name == known.name and known.live >= live for known in CANDIDATES)
        assert f"So {chosen.name} is used" in plan.reasons[-1]
        assert not any("little to average" in reason for reason in plan.reasons)


def test_where_no_filter_gains_anything_the_run_is_left_as_it_is() -> None:
    noisy, _, _ = run_of(SMALL)
    found = measure_sequence(noisy)
    worse = (Risk(CANDIDATES[0], 3.0, 2.9),)
    with pytest.raises(UnsuitableError, match="none brings it nearer to the truth"):
        make_sequence_plan(found, None, None, worse)
    assert filter_plan((Risk(CANDIDATES[3], 2.0, 2.9),), {}, ()).settings == {"centered": True}
