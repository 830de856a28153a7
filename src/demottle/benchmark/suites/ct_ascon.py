"""Suite ct-ascon: what each part of ASCON's loss is worth, on one network and for as many steps.

The cohort of `ct-unpaired --cohort` (five phantoms of 4 slices of 320 x 320 at 40 HU, five others at 12 HU) teaches the
generator of preset `small` (2000 steps of the start, then 800) by losses that grow by one part after another; the last is ASCON
as it is. `pairs-...` learn from the first five with and without noise, in the place of noise simulated on full dose;
`pairs-squared-error` is `supervised` with the mean squared error on that network. Each judged phantom has trainings of its own,
of another learning seed, so an interval is over trainings, patients and their noise. With `--real` parts of the public scans are
learned from, too, on both sides, and one of each is judged.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demottle.benchmark.suites import unpaired_cohort
from demottle.benchmark.suites.cases import CaseSpec, Choices, Finding
from demottle.benchmark.suites.judging import judge_ct
from demottle.benchmark.suites.training import trained_small

SEEDS = 3
FIRST_SEED = 8100
JUDGED_SLICES = 12
"""Of the phantoms that are judged, which hold discs."""
TAUGHT = "ascon"
_ERROR: Mapping[str, Any] = {"structure": 0.0, "share": 0.0}
LOSSES: Mapping[str, Mapping[str, Any]] = {
    "squared-error": _ERROR,
    "with-structure": {"share": 0.0},
    "with-patches": {"contrast": "patch"},
    "ascon": {},
    "pairs-squared-error": {**_ERROR, "pairs": True, "means": 0.0},
    "pairs-ascon": {"pairs": True},
}
"""What the generator learns by, by name."""


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the judged phantoms."""
    common = {**unpaired_cohort.recipe_of(choices), "judged_slices": JUDGED_SLICES}
    return tuple(
        CaseSpec(
            "ct-ascon",
            group,
            FIRST_SEED + number,
            {**common, **judged, "learning_seed": number},
            shown=number == 0,
        )
        for number in range(choices.seeds or (1 if choices.quick else SEEDS))
        for group, judged in unpaired_cohort.judged_in(choices, "40 HU")
    )


def entrants() -> tuple[str, ...]:
    """The losses, beside the input."""
    return ("input", *LOSSES)


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Train by one loss, unless that was done before, and judge the result."""
    case = unpaired_cohort.build(spec, cache)
    if entrant == "input":
        return Finding(judge_ct(case, case.noisy))
    denoiser = trained_small(TAUGHT, LOSSES[entrant], case, cache, entrant)
    begun = time.monotonic()
    image = denoiser(case.noisy)
    seconds = time.monotonic() - begun
    return Finding(
        judge_ct(case, image),
        {"settings": dict(denoiser.settings), "steps": denoiser.fitted.get("steps")},
        {"seconds": round(seconds, 3), "per_slice": round(seconds / image.shape[0], 5)},
    )
