"""Single slices and thin stacks of real anatomy with uneven noise: what demottle's default is worth beside filters and BM3D.

    DEMOTTLE_REAL_DATA=FOLDER python -m benchmarks.single_slice --slices 1
    python -m benchmarks.single_slice --slices 3 --cases chest-9 chest-54 --only default nl-bayes

Prints PSNR in [-160, 240] HU in the body for every case, and the mean difference from `nl-bayes` with its 95 % interval (paired t
over the cases, which share nothing but the patient). Results are appended to benchmark-results/single-slice.jsonl, and what is
there is not computed again. The rows "even" give BM3D the help that our own filters have: noise made even by the measured map.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.cases import Case
from benchmarks.single_slice_cases import JUDGING, TUNING, load
from demottle.benchmark.suites.judging import psnr_cut, tissue_shifts
from demottle.pipeline.run import denoise
from demottle.quality.truth.errors import BODY_WINDOW

METHODS = {
    "input": None,
    "default": {},
    "guided-bayes": {"method": "guided-bayes"},
    "matched-neighbors": {"method": "matched-neighbors"},
    "nl-bayes": {"method": "nl-bayes"},
    "spectral-wiener": {"method": "spectral-wiener"},
    "tv": {"method": "tv"},
    "nlm": {"method": "nlm"},
    "bilateral": {"method": "bilateral"},
    "bm3d-white": {"method": "bm3d", "settings": {"spectrum": "white"}},
    "bm3d": {"method": "bm3d"},
    "bm3d-even": {"method": "bm3d", "settings": {"level": "local"}},
}
OUT = Path("benchmark-results/single-slice.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=1, choices=[1, 2, 3])
    parser.add_argument("--cases", nargs="+", default=list(JUDGING), choices=[*TUNING, *JUDGING], metavar="CASE")
    parser.add_argument("--only", nargs="+", default=list(METHODS), choices=list(METHODS), metavar="METHOD")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.out.read_text().splitlines()] if options.out.exists() else []
    done = {(row["case"], row["slices"], row["method"]): row for row in rows}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for name in options.cases:
        case = None
        for method in options.only:
            key = (name, options.slices, method)
            if key in done:
                continue
            case = case or load(name, options.slices)
            done[key] = {"case": name, "slices": options.slices, "method": method, **figures(case, method)}
            with options.out.open("a") as log:
                log.write(json.dumps(done[key]) + "\n")
            print(f"{name:12s}{method:20s}{done[key]['psnr']:6.2f} dB {done[key]['seconds']:6.1f} s", flush=True)
    print("\n".join(table(done, options.slices, options.cases, options.only)))


def figures(case: Case, method: str) -> dict[str, object]:
    """Denoise a case and judge it; seconds are of one processor core."""
    how, seconds, image, plan = METHODS[method], 0.0, case.noisy, ""
    if how is not None:
        started = time.process_time()
        result = denoise(case.noisy, **how)
        seconds, image, plan = time.process_time() - started, result.image, result.plan.method
    psnr = psnr_cut(image.voxels, case.truth.voxels, case.body, BODY_WINDOW)
    shifts = {name: value for name, value in tissue_shifts(case.truth, case.noisy, image).items() if value is not None}
    return {
        "psnr": psnr,
        "seconds": seconds,
        "plan": plan,
        **{f"shift_{name}": value for name, value in shifts.items()},
    }


def table(
    done: dict[tuple[str, int, str], dict[str, object]], slices: int, cases: list[str], methods: list[str]
) -> list[str]:
    """Rows of a table in Markdown."""
    lines = [
        f"| {slices} of the slices | {' | '.join(cases)} | mean | less nl-bayes (95 %) | s |",
        "|---" * (len(cases) + 4) + "|",
    ]
    for method in methods:
        found = [done.get((name, slices, method)) for name in cases]
        if not all(found):
            continue
        psnr = np.array([row["psnr"] for row in found], float)
        beside = [done.get((name, slices, "nl-bayes")) for name in cases]
        apart = "" if not all(beside) else interval(psnr - np.array([row["psnr"] for row in beside], float))
        seconds = np.mean([row["seconds"] for row in found])
        cells = " | ".join(f"{value:.2f}" for value in psnr)
        lines.append(f"| {method} | {cells} | {psnr.mean():.2f} | {apart} | {seconds:.1f} |")
    return lines


def interval(differences: np.ndarray) -> str:
    """Mean with the interval of a paired t test."""
    mean = differences.mean()
    if len(differences) < 2:
        return f"{mean:+.2f}"
    half = stats.t.ppf(0.975, len(differences) - 1) * stats.sem(differences)
    return f"{mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f})"


if __name__ == "__main__":
    main()
