"""Suite ct-doses: dose-diffusion, trained once on full-dose scans, at every dose; what its passes and its measures are worth.

The full-dose patients of `ct-unpaired --cohort` (five phantoms of 4 slices of 320 x 320, 12 HU) teach one network, preset
`small`; doses from 8 to 12.5 % are never drawn. It is judged on a further phantom at 50, 25, 10 and 5 % of full dose, noise
drawn in projections with `12 HU / sqrt(dose)`. Each judged phantom has trainings of its own, of another learning seed, so an
interval is over trainings, patients and their noise. With `--real` parts of the public scans are learned from, too, and one of
each is judged.
Rivals need a training for each dose: `pdml`, which takes as long, and `supervised` (pairs with the truth).
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import binary_erosion

from demottle.benchmark.suites import unpaired_cohort
from demottle.benchmark.suites.cases import Case, CaseSpec, Choices, Finding
from demottle.benchmark.suites.judging import judge_ct
from demottle.benchmark.suites.training import trained_once, trained_small
from demottle.image import Image, Mask
from demottle.methods import Denoiser
from demottle.methods.registry import method
from demottle.pipeline.settings import settings_of_model

SEEDS = 3
FIRST_SEED = 8000
JUDGED_SLICES = 12
"""Of the phantoms that are judged, which hold discs."""
DOSES = (0.5, 0.25, 0.1, 0.05)
LEFT_OUT = (0.08, 0.125)
TAUGHT = "dose-diffusion"
_APART = 3 * len(unpaired_cohort.JUDGED)
_SOFT, _INSIDE, _STEEP = (-20.0, 120.0), 4, 4.0
CLEAN = 1000.0
APPLIED: Mapping[str, Mapping[str, Any]] = {
    "3-passes": {},
    "1-pass": {"passes": 1},
    "10-passes": {"passes": 10},
    "calibrated": {"calibrate": True},
    "even-noise": {"local": False},
    "half-dose": {"target": 0.5},
    "double-dose-1-pass": {"passes": 1, "target": 2.0},
    "clean-1-pass": {"passes": 1, "target": CLEAN},
    "clean-3-passes": {"target": CLEAN},
    "clean-10-passes": {"passes": 10, "target": CLEAN},
}
"""What the one network is asked for, by name."""
WRONG = {"half-the-noise": 0.5, "double-the-noise": 2.0}
"""Times the level that is measured."""
RIVALS: Mapping[str, Mapping[str, Any]] = {"pdml": {}, "supervised": {"steps": 2800, "network": "residual-dense"}}


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the doses of the first patient, then those of the next."""
    doses = DOSES[1:2] if choices.quick else DOSES
    common = {**unpaired_cohort.recipe_of(choices), "judged_slices": JUDGED_SLICES}
    return tuple(
        CaseSpec(
            "ct-doses",
            group,
            FIRST_SEED + _APART * place + number,
            {
                **common,
                **judged,
                "low": round(common["full"] / float(np.sqrt(dose)), 3),
                "dose": dose,
                "learning_seed": number,
            },
            shown=number == 0,
        )
        for number in range(choices.seeds or (1 if choices.quick else SEEDS))
        for place, dose in enumerate(doses)
        for group, judged in unpaired_cohort.judged_in(choices, f"{100 * dose:g} % of full dose")
    )


def entrants() -> tuple[str, ...]:
    """What the one network is asked for, and rivals with a training for each dose."""
    return ("input", *APPLIED, *WRONG, *RIVALS)


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Judge one entrant on one patient at one dose."""
    case = unpaired_cohort.build(spec, cache)
    if entrant == "input":
        return Finding(_judged(case, case.noisy, spec.recipe["dose"]))
    if entrant in RIVALS:
        denoiser, wanted = _rival(spec, entrant, case, cache), None
    else:
        model, asked = _model(spec, cache), dict(APPLIED.get(entrant, {}))
        if entrant in WRONG:
            asked["noise"] = WRONG[entrant] * spec.recipe["low"]
        denoiser = _asked(model, asked)
        wanted = max(float(denoiser.settings["target"]), spec.recipe["dose"])
    begun = time.monotonic()
    image = denoiser(case.noisy)
    seconds = time.monotonic() - begun
    return Finding(
        _judged(case, image, None if wanted == CLEAN else wanted),
        {"settings": dict(denoiser.settings), "steps": denoiser.fitted.get("steps")},
        {"seconds": round(seconds, 3), "per_slice": round(seconds / image.shape[0], 5)},
    )


def _judged(case: Case, image: Image, wanted: float | None) -> dict[str, float | None]:
    """As of every CT suite; and the noise in flat soft tissue over that of the dose that the result is to have."""
    found = judge_ct(case, image)
    if wanted is not None:
        stated = float(case.spec.recipe["full"]) / float(np.sqrt(wanted))  # of all soft tissue, as the scan's own was
        found["noise_stated"] = _noise_in(case, image) / _noise_in(case, case.noisy) * case.spec.recipe["low"] / stated
    return found


def _noise_in(case: Case, image: Image) -> float:
    """Standard deviation in HU of what differs from the truth, where soft tissue is flat."""
    return float((image.voxels - case.truth.voxels)[_flat(case)].std())


def _flat(case: Case) -> Mask:
    v = case.plain.voxels
    steep = np.hypot(np.gradient(v, axis=1), np.gradient(v, axis=2)) > _STEEP
    soft = (v > _SOFT[0]) & (v < _SOFT[1]) & ~steep & case.body
    return np.asarray(binary_erosion(soft, np.ones((1, 2 * _INSIDE + 1, 2 * _INSIDE + 1))), np.bool_)


def _model(spec: CaseSpec, cache: Path) -> Denoiser:
    """The one network; trained once for all doses of a patient."""
    module = method(TAUGHT).load()
    settings = module.Settings(**{**module.PRESETS["small"], "left_out": LEFT_OUT})
    seed = spec.recipe["learning_seed"]

    def made() -> Denoiser:
        trained: Denoiser = module.train(unpaired_cohort.full_dose(spec, cache), settings, seed=seed)
        return trained

    return trained_once(cache, f"{TAUGHT}-{spec.recipe['size']}-{seed}{unpaired_cohort.mark_of(spec.recipe)}", made)


def _rival(spec: CaseSpec, name: str, case: Case, cache: Path) -> Denoiser:
    """A network for this dose alone."""
    return trained_small(name, RIVALS[name], case, cache)


def _asked(model: Denoiser, given: Mapping[str, Any]) -> Denoiser:
    if not given:
        return model
    settings = settings_of_model(model.method, model.settings, given)
    changed: Denoiser = method(model.method).load().restore(settings, model.fitted, model.tensors())
    return changed
