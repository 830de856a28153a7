"""What demottle reaches, beside BM3D and beside the same network with clean targets, in one run.

    python -m benchmarks --cases abdomen:0.12 abdomen:0.45 chest:0.28 chest:0.45 --seed 0

Needs the public scans (DEMOTTLE_REAL_DATA). Prints a table and writes benchmark-results/benchmark.json.
"""

import argparse
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.cases import Case, load_case
from benchmarks.rivals import bm3d_true_spectrum, bm3d_white, true_spectrum
from benchmarks.upper_bound import clean_targets
from demottle.benchmark.suites.judging import psnr_cut, tissue_shifts
from demottle.errors import InputError
from demottle.image import Image
from demottle.methods.one_scan.scan_samples import STEPS_FROM_START
from demottle.physics.phantoms.inserts import Insert, add_inserts, flat_places
from demottle.pipeline.plan import DEFAULT
from demottle.pipeline.run import denoise
from demottle.quality.objects import contrast, edge
from demottle.quality.truth.errors import BODY_WINDOW, rmse

DISC_HU, DISC_RADIUS_MM, DISC_HEIGHT_MM = 35.0, 5.0, 15.0


@dataclass
class Outcome:
    """Figures of one way to denoise one case."""

    psnr: float
    rmse: float
    seconds: float | None = None
    steps: int | None = None
    shifts: dict[str, float] = field(default_factory=dict)
    recovery: float | None = None
    f50: float | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=["abdomen:0.12", "abdomen:0.45", "chest:0.28", "chest:0.45"])
    parser.add_argument("--seed", type=int, default=0, help="of noise and learning")
    parser.add_argument("--slices", help="FIRST:LAST, the last not included; default: all")
    parser.add_argument("--bm3d-slices", type=int, default=4, help="slices that BM3D is run and judged on")
    parser.add_argument("--published", action="store_true", help="also NS-N2N as published (minutes a case)")
    parser.add_argument(
        "--also", nargs="+", default=[], metavar="METHOD", help="other methods that learn from the scan"
    )
    parser.add_argument("--no-upper-bound", action="store_true", help="leave out the network with clean targets")
    parser.add_argument("--out", type=Path, default=Path("benchmark-results/benchmark.json"))
    options = parser.parse_args()
    results = json.loads(options.out.read_text()) if options.out.exists() else {}
    for name in options.cases:
        anatomy, rho = name.split(":")
        print(f"\n{name}, seed {options.seed}", flush=True)
        part = f":{options.slices}" if options.slices else ""
        results[f"{name}{part}:{options.seed}"] = run_case(anatomy, float(rho), options)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(results, indent=1))
    print(f"\nAll figures are in {options.out}.")


def run_case(anatomy: str, rho: float, options: argparse.Namespace) -> dict[str, object]:
    """Run every method on one case and print its line; returns plain values."""
    slices = slice(*(int(n) for n in options.slices.split(":"))) if options.slices else None
    case, discs = with_discs(load_case(anatomy, rho, seed=options.seed, slices=slices))
    picked = [int(i) for i in np.linspace(2, case.truth.shape[0] - 3, options.bm3d_slices).round()]
    figures: dict[str, Outcome] = {}

    def note(name: str, outcome: Outcome) -> None:
        figures[name] = outcome
        print(line(name, outcome), flush=True)

    def judged(image: Image, slices: list[int] | None = None, **more: object) -> Outcome:
        return judge(case, image, discs, slices, **more)

    note("input", judged(case.noisy))
    note("input, BM3D's slices", judged(case.noisy, picked))
    white, true, pace = run_bm3d(case, picked)
    note("BM3D, white noise", judged(white, picked))
    note("BM3D, true spectrum", judged(true, picked, seconds=pace * case.truth.shape[0]))
    methods = [DEFAULT, *(["ns-n2n"] if options.published else []), *options.also]
    steps = 0
    for method in methods:
        started = time.monotonic()
        result = denoise(case.noisy, method=method, seed=options.seed)
        spent = time.monotonic() - started
        steps = steps or int(result.denoiser.fitted["steps"])
        done = int(result.denoiser.fitted["steps"])
        note(method, judged(result.image, seconds=spent, steps=done))
        note(f"{method}, BM3D's slices", judged(result.image, picked))
    if not options.no_upper_bound:
        note("clean targets", judged(clean_targets(case, steps or STEPS_FROM_START, options.seed), steps=steps))
    return {"description": case.description, **{name: vars(outcome) for name, outcome in figures.items()}}


def with_discs(case: Case) -> tuple[Case, list[Insert]]:
    """Put discs of 35 HU and 10 mm into truth and noisy scan alike, where the tissue is flat."""
    for count in (12, 8, 5, 3):
        try:
            places = flat_places(case.truth, DISC_RADIUS_MM, count, height_mm=DISC_HEIGHT_MM, tolerance=30.0)
            break
        except InputError:
            continue
    else:
        return case, []
    discs = [Insert(place, DISC_RADIUS_MM, DISC_HU, DISC_HEIGHT_MM) for place in places]
    truth = add_inserts(case.truth, discs, blur_mm=0.7)
    noisy = case.noisy.with_voxels(case.noisy.voxels + (truth.voxels - case.truth.voxels))
    return replace(case, truth=truth, noisy=noisy), discs


def run_bm3d(case: Case, picked: list[int]) -> tuple[Image, Image, float]:
    """Run BM3D on some slices (the others stay noisy); returns both forms and seconds a slice of the better one."""
    noise = case.noisy.voxels - case.truth.voxels
    spectrum = true_spectrum(noise, case.body)
    sigma = float(noise[case.body].std())
    white, true = case.noisy.voxels.copy(), case.noisy.voxels.copy()
    seconds = 0.0
    for index in picked:
        white[index] = bm3d_white(case.noisy.voxels[index], sigma)
        started = time.monotonic()
        true[index] = bm3d_true_spectrum(case.noisy.voxels[index], spectrum)
        seconds += time.monotonic() - started
    return case.noisy.with_voxels(white), case.noisy.with_voxels(true), seconds / len(picked)


def judge(
    case: Case,
    image: Image,
    discs: list[Insert],
    slices: list[int] | None = None,
    seconds: float | None = None,
    steps: int | None = None,
) -> Outcome:
    """Measure one result against the truth, in the body, on all or some slices."""
    chosen = slice(None) if slices is None else slices
    truth, got, body = case.truth.voxels[chosen], image.voxels[chosen], case.body[chosen]
    psnr = psnr_cut(got, truth, body, BODY_WINDOW)
    outcome = Outcome(round(float(psnr or np.inf), 3), round(rmse(got, truth, body), 2), seconds, steps)
    if slices is None:
        found = tissue_shifts(case.truth, case.noisy, image)
        outcome.shifts = {name: round(value, 2) for name, value in found.items() if value is not None}
        outcome.recovery, outcome.f50 = disc_figures(case, image, discs)
    return outcome


def disc_figures(case: Case, image: Image, discs: list[Insert]) -> tuple[float | None, float | None]:
    """Mean contrast recovery of the discs, and f50 of their mean edge, both as shares of the truth's."""
    if not discs:
        return None, None
    shares, cut, cut_truth = [], [], []
    step = case.truth.spacing[1]
    for disc in discs:
        z, row, column = (int(c) for c in disc.center)
        half = int(np.ceil(2.4 * DISC_RADIUS_MM / step))
        at = contrast.Disc(half, half, DISC_RADIUS_MM / step, DISC_HU)
        box = (slice(z - 1, z + 2), slice(row - half, row + half + 1), slice(column - half, column + half + 1))
        got, true = (v[box].mean(axis=0) for v in (image.voxels, case.truth.voxels))
        shares.append(contrast.disc_contrast(got, at) / contrast.disc_contrast(true, at))
        cut.append(got)
        cut_truth.append(true)
    middle = float(half)
    try:
        f50 = [edge.disc_edge(np.stack(c), step, (middle, middle), DISC_RADIUS_MM / step).f50 for c in (cut, cut_truth)]
        sharpness = round(f50[0] / f50[1], 3)
    except InputError:  # too noisy for an edge: the input itself
        sharpness = None
    return round(float(np.mean(shares)), 3), sharpness


def line(name: str, o: Outcome) -> str:
    """One line of the table."""
    parts = [f"{name:34s} {o.psnr:6.2f} dB  RMSE {o.rmse:6.2f} HU"]
    parts += [f"{o.seconds:5.0f} s" if o.seconds else "", f"{o.steps} steps" if o.steps else ""]
    parts += [f"contrast {o.recovery:.3f}" if o.recovery else "", f"f50 {o.f50:.3f}" if o.f50 else ""]
    parts += [" ".join(f"{tissue} {shift:+.2f}" for tissue, shift in o.shifts.items())]
    return "  ".join(part for part in parts if part)


if __name__ == "__main__":
    main()
