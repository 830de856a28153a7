"""Suite gate: does the default's own result pass the default's own gate, and does the gate tell what is so?

Over the scans of `gate_cases`. Where the truth is known, each tissue's shift as it is told stands beside what is so: the mean of
output - truth where the truth shows that tissue. Then 2 HU are added to fat, to fat at the skin and to fat at bone, and the gate
has to fail each of these results.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demottle.benchmark.suites.cases import CaseSpec, Choices, Finding
from demottle.benchmark.suites.decisions.gate_cases import GateCase, cases
from demottle.benchmark.suites.real_scans import folder_of
from demottle.image import Image, Mask
from demottle.noise.fat_layers import BONE, SKIN, fat_layers
from demottle.noise.fingerprint import measure as fingerprint_of
from demottle.pipeline.run import denoise
from demottle.quality.check.result_marks import LAYERS, NAMES
from demottle.quality.check.shifts import TissueShift
from demottle.quality.check.tissues import CT_TISSUES, label_plane, smoothed
from demottle.quality.check.whole import check
from demottle.quality.gate import gate

CLOSE_HU = 0.3
BIAS_HU = 2.0


@dataclass(frozen=True)
class Told:
    """One tissue of one case: its shift as told and as it is."""

    case: str
    half: str
    shift: TissueShift
    true: float

    @property
    def right(self) -> bool:
        """Within 0.3 HU, or as near as its own interval says."""
        reach = (self.shift.ci_high - self.shift.ci_low) / 2
        return bool(abs(self.shift.shift - self.true) <= max(CLOSE_HU, reach))

    @property
    def plain(self) -> dict[str, float | str | bool]:
        """Shift as told with its interval, and as it is, HU."""
        shift = self.shift
        told = {"told": shift.shift, "low": shift.ci_low, "high": shift.ci_high, "true": self.true}
        return {"tissue": shift.name, **{name: float(value) for name, value in told.items()}, "right": self.right}


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the scans, judged ones first; those of the public scans only where there is a folder of them."""
    known = cases(choices.real is not None)
    count = choices.seeds or (1 if choices.quick else None)
    return tuple(
        CaseSpec("gate", half, first + number, _recipe(case, choices.real))
        for half, first in (("judge", 0), ("tune", 1000))
        for number, case in enumerate([case for case in known if case.half == half][:count])
    )


def _recipe(case: GateCase, real: Path | None) -> dict[str, str]:
    return {"name": case.name, **({"path": str(real)} if case.real else {})}


def entrants() -> tuple[str, ...]:
    """What `denoise` does without options."""
    return ("default",)


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Denoise one scan by the default and hold the gate against it."""
    real = folder_of(spec)
    case = next(one for one in cases(real is not None) if one.name == spec.recipe["name"])
    truth, before = case.make(real, cache)
    return held_against(case, truth, before, denoise(before).image)


def held_against(case: GateCase, truth: Image | None, before: Image, after: Image) -> Finding:
    """What the gate says of a result, beside what is so."""
    verdict = gate(found := check(before, after))
    said = {"name": case.name, "what": case.what, "warnings": list(found.warnings)}
    if not verdict.passed:
        said |= {"missed": f"{case.name}: {verdict.reasons}", "inspect": list(fingerprint_of(before).warnings)}
    quality: dict[str, float | None] = {"passes": float(verdict.passed)}
    if truth is None:
        return Finding(quality, said)
    told = list(tissues_told(case, found.tissues, truth, after))
    apart = [one.shift.shift - one.true for one in told]
    caught = {name: not gate(check(before, worse)).passed for name, worse in biased(after, truth)}
    quality |= {
        "told_right": float(np.mean([one.right for one in told])) if told else None,
        "told_apart": float(np.sqrt(np.mean(np.square(apart)))) if told else None,
        "bias_caught": float(np.mean(list(caught.values()))) if caught else None,
    }
    return Finding(quality, {**said, "tissues": [one.plain for one in told], "caught": caught})


def tissues_told(case: GateCase, found: tuple[TissueShift, ...], truth: Image, after: Image) -> Iterator[Told]:
    """What is told of each tissue, with what is so; air has its own limit."""
    true = true_shifts(truth, after)
    for shift in found:
        if shift.name != "air" and shift.name in true:
            yield Told(case.name, case.half, shift, true[shift.name])


def true_shifts(truth: Image, after: Image) -> dict[str, float]:
    """Mean of after - truth in each tissue of the truth that has 500 voxels."""
    counts, sums = np.zeros(len(NAMES)), np.zeros(len(NAMES))
    for plane, other in zip(truth.voxels, after.voxels, strict=True):
        error = (other - plane).ravel()
        maps = (
            (label_plane(smoothed(plane, truth), truth, CT_TISSUES), 0, len(CT_TISSUES)),
            (fat_layers(plane, truth.spacing[1:]), len(CT_TISSUES), len(LAYERS)),
        )
        for labels, first, number in maps:
            counts[first : first + number] += np.bincount(labels.ravel(), None, number + 1)[1:]
            sums[first : first + number] += np.bincount(labels.ravel(), error, number + 1)[1:]
    return {name: float(s / n) for name, n, s in zip(NAMES, counts, sums, strict=True) if n >= 500}


def biased(after: Image, truth: Image) -> Iterator[tuple[str, Image]]:
    """Results with 2 HU added where the truth is fat, at the skin alone and at bone alone, where that is 5000 voxels or more."""
    planes = [fat_layers(plane, truth.spacing[1:]) for plane in truth.voxels]
    places: dict[str, Mask] = {
        "fat": (truth.voxels > -130) & (truth.voxels < -70),
        "fat at the skin": np.stack(planes) == SKIN,
        "fat at bone": np.stack(planes) == BONE,
    }
    for name, where in places.items():
        if where.sum() >= 5000:
            yield name, after.with_voxels(after.voxels + where.astype(np.float32) * np.float32(BIAS_HU))
