"""Whether the plan ever makes a run worse: what it chooses for short runs, beside every filter of ours, on runs with known truth.

    python -m benchmarks.fluoroscopy_plan                  the 66 judged runs
    python -m benchmarks.fluoroscopy_plan --set tuning     those that were looked at while it was written
    DEMOTTLE_REAL_DATA=FOLDER python -m benchmarks.fluoroscopy_plan --set real

Errors are root mean squares over whole runs, in gray levels of 8 bits. `udca` counts as it is before it learns (`untaught`);
where it is chosen, what is judged is what `denoise` would use after learning. Prints a table and writes
benchmark-results/fluoroscopy_plan.json.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.fluoroscopy_plan_cases import PlanCase, cases_of, run_of
from demottle.errors import DemottleError
from demottle.image import Image
from demottle.methods.base import Budget
from demottle.methods.registry import method
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.pipeline.plan_sequence import CANDIDATES, DEFAULT_SEQUENCE, Candidate, filter_plan
from demottle.pipeline.sequence import better_of
from demottle.pipeline.sequence_risk import measure_risks
from demottle.pipeline.settings import make_settings

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
        return self.error - self.errors[self.best]

    @property
    def passes(self) -> bool:
        return self.above_best <= ALLOWED and self.error <= self.untouched


def judge(case: PlanCase, steps: int | None = None) -> Outcome:
    """Run every filter on one case; `steps`: that `udca` learns, where it is chosen."""
    noisy, truth, level = run_of(case)
    found, gray = measure_sequence(noisy), 255 / (2**case.bits - 1)

    def error(image: Image) -> float:
        return gray * float(np.sqrt(np.mean((image.voxels - truth).astype(np.float64) ** 2)))

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="judging", choices=("tuning", "judging", "real"))
    parser.add_argument("--out", type=Path, default=Path("benchmark-results/fluoroscopy_plan.json"))
    options = parser.parse_args()
    print(
        f"{'run':52} {'noise':>6} {'held':>5} {'input':>6} {'chosen':>6} {'best':>6}  chosen, best; of those that are live"
    )
    outcomes = []
    for case in cases_of(options.set):
        one = judge(case)
        outcomes.append(one)
        level = "" if one.noise_over_truth is None else f"{one.noise_over_truth:.2f}"
        mark = "" if one.passes else "  MISSED"
        print(
            f"{one.case:52} {level:>6} {one.held:5.2f} {one.untouched:6.2f} {one.error:6.2f} {one.errors[one.best]:6.2f}  "
            f"{one.chosen}, {one.best}; {one.live} {one.live_error:.2f}; "
            f"{'without udca ' if 'udca' in one.barred else ''}{len(one.barred)} barred{mark}",
            flush=True,
        )
    above, share = [one.above_best for one in outcomes], np.mean([one.error / one.untouched for one in outcomes])
    print(
        f"\n{sum(one.passes for one in outcomes)} of {len(outcomes)} runs within {ALLOWED} of the best and below the input;"
    )
    print(
        f"above the best by {np.mean(above):.3f} on the mean, {max(above):.2f} at most; {share:.2f} of the input's error."
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([asdict(one) for one in outcomes], indent=1))


if __name__ == "__main__":
    main()
