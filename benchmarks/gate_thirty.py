"""Does the default's own result pass the default's own gate, and does the gate tell what is so? Over the scans of `gate_cases`.

    DEMOTTLE_REAL_DATA=FOLDER python -m benchmarks.gate_thirty
    python -m benchmarks.gate_thirty --case head-28-soft-3mm-2 --biased

Each line: what the gate says, what `inspect` had said before, the warnings. Where the truth is known, each tissue's shift as it
is told, with its interval, beside what is so: the mean of output - truth where the truth shows that tissue. `--biased` adds
2 HU to fat, to fat at the skin, to fat at bone, and asks whether the gate fails. Results are kept in the cache; `--again`
makes them anew.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.cases import CACHE
from benchmarks.gate_cases import GateCase, cases
from demottle.image import Image, Mask
from demottle.noise.fat_layers import BONE, SKIN, fat_layers
from demottle.noise.fingerprint import measure
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
        return abs(self.shift.shift - self.true) <= max(CLOSE_HU, reach)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", help="only this one; repeatable")
    parser.add_argument("--biased", action="store_true", help="also results with 2 HU added to fat")
    parser.add_argument("--again", action="store_true", help="denoise anew")
    wanted = parser.parse_args()
    told: list[Told] = []
    passed = missed = 0
    chosen = cases(wanted.case)
    if not chosen:
        sys.exit(f"No case is called {' or '.join(wanted.case or [])}; without --case all are run.")
    for case in chosen:
        truth, before, after = outputs(case, wanted.again)
        verdict = gate(found := check(before, after))
        passed += verdict.passed
        print(f"{case.name:26s} {case.half:8s} {'pass' if verdict.passed else 'FAIL: ' + verdict.reasons}", flush=True)
        for said in measure(before).warnings if not verdict.passed else ():
            print(f"    inspect: {said}")
        for warning in found.warnings:
            print(f"    warning: {warning}")
        if truth is None:
            continue
        told += (new := list(tissues_told(case, found.tissues, truth, after)))
        for one in new:
            s = one.shift
            mark = "" if one.right else "  WRONG"
            print(
                f"    {s.name:16s} told {s.shift:+6.2f} ({s.ci_low:+.2f} to {s.ci_high:+.2f})  true {one.true:+6.2f}{mark}"
            )
        if wanted.biased:
            missed += sum(_missed(*told_bias) for told_bias in biased(before, after, truth))
    print(f"\n{passed} of {len(chosen)} results pass")
    _summary(told)
    if wanted.biased:
        print(f"{missed} biased results passed that should not have")


def outputs(case: GateCase, again: bool) -> tuple[Image | None, Image, Image]:
    """Truth, scan and the default's result, from the cache where they are."""
    path = Path(CACHE) / "gate" / f"{case.name}.npz"
    if again or not path.exists():
        begun = time.process_time()
        truth, before = case.make()
        after = denoise(before).image
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            path, truth=np.zeros(0) if truth is None else truth.voxels, noisy=before.voxels, out=after.voxels,
            spacing=before.spacing, seconds=time.process_time() - begun,
        )  # fmt: skip
    kept = np.load(path)
    spacing = tuple(float(s) for s in kept["spacing"])
    images = [
        Image(np.asarray(kept[name], np.float32), spacing, "CT", "HU") if kept[name].size else None
        for name in ("truth", "noisy", "out")
    ]
    truth, before, after = images
    assert before is not None and after is not None
    return truth, before, after


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


def biased(before: Image, after: Image, truth: Image) -> Iterator[tuple[str, Image, Image, int]]:
    """Results with 2 HU added where the truth is fat, at the skin alone and at bone alone; and how many voxels that are."""
    planes = [fat_layers(plane, truth.spacing[1:]) for plane in truth.voxels]
    places: dict[str, Mask] = {
        "fat": (truth.voxels > -130) & (truth.voxels < -70),
        "fat at the skin": np.stack(planes) == SKIN,
        "fat at bone": np.stack(planes) == BONE,
    }
    for name, where in places.items():
        if where.sum() >= 5000:
            yield name, before, after.with_voxels(after.voxels + BIAS_HU * where), int(where.sum())


def _missed(name: str, before: Image, after: Image, voxels: int) -> bool:
    verdict = gate(check(before, after))
    print(f"    +{BIAS_HU:g} HU in {name} ({voxels} voxels): {verdict.reasons or 'PASSES'}", flush=True)
    return verdict.passed


def _summary(told: list[Told]) -> None:
    for name in NAMES:
        of_it = [one for one in told if one.shift.name == name]
        if of_it:
            apart = np.array([one.shift.shift - one.true for one in of_it])
            true = np.array([one.true for one in of_it])
            print(
                f"{name:16s} {len(of_it):3d} cases: told - true {np.sqrt((apart**2).mean()):.2f} HU rms, "
                f"{np.abs(apart).max():.2f} at most, {sum(one.right for one in of_it)} within 0.3 HU or their interval; "
                f"true {np.sqrt((true**2).mean()):.2f} HU rms, {np.abs(true).max():.2f} at most"
            )


if __name__ == "__main__":
    main()
