"""Suite fluoroscopy-plan: whether the plan makes a run worse: its choice for short runs, beside every filter it could choose.

Errors are root mean squares over whole runs, in gray levels of 8 bits. `udca` counts as it is before it learns (`untaught`);
where it is chosen, what is judged is what `denoise` would use after learning. The groups: "judge" was not looked at while the
plan was written, "tune" was; "real" runs show the public scans or have noise of real ones, where a folder with them is given.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demottle.benchmark.suites.cases import CaseSpec, Choices, Finding
from demottle.benchmark.suites.decisions.runs import PlanCase, cases_of, run_of
from demottle.benchmark.suites.real_scans import folder_of
from demottle.errors import DemottleError
from demottle.image import Image
from demottle.methods.base import Budget
from demottle.methods.registry import method
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.pipeline.plan_sequence import CANDIDATES, DEFAULT_SEQUENCE, Candidate, filter_plan
from demottle.pipeline.sequence import better_of
from demottle.pipeline.sequence_risk import measure_risks
from demottle.pipeline.settings import make_settings

QUICK_CASES = 2
ALLOWED = 0.2
"""Gray levels of 8 bits that the chosen filter may lie above the best."""


@dataclass(frozen=True)
class Outcome:
    """Errors of one run in gray levels of 8 bits.

    `live` is what is chosen where no filter may look ahead; `best` is the best of the filters that are not barred, `barred` those
    with which thin moving wires are harder to see.
    """

    case: str
    noise_over_truth: float | None
    held: float
    untouched: float
    chosen: str
    error: float
    live: str
    live_error: float
    best: str
    errors: dict[str, float]
    barred: tuple[str, ...] = ()

    @property
    def above_best(self) -> float:
        """How far the choice lies above the best filter that is not barred."""
        return self.error - self.errors[self.best]

    @property
    def passes(self) -> bool:
        """Nearly the best, and below the input."""
        return self.above_best <= ALLOWED and self.error <= self.untouched


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the runs: judged ones first, then those of real scans where there is a folder, then the tuning ones."""
    sets = {"judge": "judging", **({"real": "real"} if choices.real else {}), "tune": "tuning"}
    count = choices.seeds or (QUICK_CASES if choices.quick else None)
    made: list[CaseSpec] = []
    for place, (group, which) in enumerate(sets.items()):
        for number, case in enumerate(list(cases_of(which))[:count]):
            path = {"path": str(choices.real)} if group == "real" else {}
            made.append(CaseSpec("fluoroscopy-plan", group, 1000 * place + number, {**case.recipe, **path}))
    return tuple(made)


def entrants() -> tuple[str, ...]:
    """The plan itself, alone: the filters it is compared with are part of each result."""
    return ("plan",)


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Judge the choice for one run; errors in gray levels of 8 bits."""
    one = judge(PlanCase.of(spec.recipe), real=folder_of(spec))
    quality = {
        "passes": float(one.passes),
        "error": one.error,
        "error_input": one.untouched,
        "error_best": one.errors[one.best],
        "above_best": one.above_best,
        "error_live": one.live_error,
        "noise_over_truth": one.noise_over_truth,
    }
    said = {"name": one.case, "chosen": one.chosen, "best": one.best, "live": one.live, "barred": list(one.barred)}
    why = f"{one.case}: {one.chosen} with {one.error:.2f}, {one.best} has {one.errors[one.best]:.2f}"
    return Finding(quality, {**said, "held": one.held, "errors": one.errors, **({} if one.passes else {"missed": why})})


def judge(case: PlanCase, steps: int | None = None, real: Path | None = None) -> Outcome:
    """Run every filter on one case.

    Args:
        case: the run.
        steps: that `udca` learns, where it is chosen.
        real: the folder of the public scans, for runs that are made of them.
    """
    noisy, truth, level = run_of(case, real)
    found, gray = measure_sequence(noisy), 255 / (2**case.bits - 1)

    def error(image: Image) -> float:
        return float(gray * np.sqrt(np.mean((image.voxels - truth).astype(np.float64) ** 2)))

    errors = {candidate.name: error(image) for candidate, image in _filtered(noisy, found)}
    risks = measure_risks(noisy, found)
    plan = filter_plan(risks, {}, ())  # refuses where nothing is gained
    barred = tuple(risk.candidate.name for risk in risks if risk.loses)
    chosen, of_chosen = risks[0].candidate.name, errors[risks[0].candidate.name]
    if plan.method == DEFAULT_SEQUENCE:
        learned = (
            method(DEFAULT_SEQUENCE).load().fit(noisy, make_settings(DEFAULT_SEQUENCE, {}), found, budget=Budget(steps))
        )
        used, kept = better_of(learned, plan, noisy, found)
        chosen, of_chosen = Candidate(kept.method, kept.settings, learned=used is learned).name, error(used(noisy))
    live = measure_risks(noisy, found, live=True)[0].candidate.name
    return Outcome(
        case.name,
        None if level is None else float(np.median(found.curve.deviation / level(found.curve.signal))),
        found.held,
        error(noisy),
        chosen,
        of_chosen,
        live,
        errors[live],
        min((name for name in errors if name not in barred), key=errors.__getitem__),
        errors,
        barred,
    )


def _filtered(noisy: Image, found: SequenceFingerprint) -> Iterator[tuple[Candidate, Image]]:
    for candidate in CANDIDATES:
        module = method(candidate.method).load()
        begin = getattr(module, "untaught", module.fit)
        try:
            fitted = begin(noisy, make_settings(candidate.method, candidate.settings), found)
        except DemottleError:
            continue
        if fitted is not None:
            yield candidate, fitted(noisy)
