"""What a method that learns from sets of scans reaches on a simulated cohort, beside the usual filters.

    python -m benchmarks.unpaired pdml --preset small --minutes 10 --shift 20 --set levels=5
    python -m benchmarks.unpaired filters

`--shift` adds so many HU to every full-dose scan: CT numbers of the output must not follow. The filters get the strength that
suits the truth best, which no user could choose. Figures of two patients that nothing was learned from; lines are appended to
benchmark-results/unpaired.jsonl.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

from benchmarks.__main__ import Outcome, judge, line, with_discs
from benchmarks.cases import Case
from benchmarks.rivals import bm3d_white
from benchmarks.unpaired_cases import LOW_HU, cohort, tests
from demottle.image import Image, Voxels
from demottle.learning.observing import Report
from demottle.learning.run import Run
from demottle.methods import Budget, method

RESULTS = Path("benchmark-results/unpaired.jsonl")
STRENGTHS = (0.4, 0.6, 0.8, 1.0, 1.4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", help="a method that learns from sets, or: filters")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--shift", type=float, default=0.0, help="HU added to every full-dose scan")
    parser.add_argument("--seed", type=int, default=0, help="of noise, split and learning")
    parser.add_argument("--checkpoints", type=Path, help="folder to go on from")
    options = parser.parse_args()
    cases = [with_discs(case) for case in tests(options.seed)]
    note("input", [judge(case, case.noisy, discs) for case, discs in cases], {})
    if options.method == "filters":
        run_filters(cases)
        return
    started = time.monotonic()
    denoiser = trained(options)
    seconds = time.monotonic() - started
    outcomes = [judge(case, denoiser(case.noisy), discs) for case, discs in cases]
    steps = int(denoiser.fitted.get("steps", 0))
    name = " ".join([options.method, *options.sets, *([f"+{options.shift:g} HU"] if options.shift else [])])
    arguments = {key: value for key, value in vars(options).items() if key != "checkpoints"}
    note(name, [replace(outcome, seconds=seconds, steps=steps) for outcome in outcomes], arguments)


def trained(options: argparse.Namespace):
    """Train a method on the cohort."""
    info = method(options.method)
    module = info.load()
    chosen = {key: json.loads(value) for key, value in (text.split("=") for text in options.sets)}
    settings = module.Settings(**{**module.PRESETS[options.preset], **chosen})
    sets = cohort(options.shift, info.learns_from == "pairs", options.seed)
    run = Run(folder=options.checkpoints, observers=(tell,), save_every=100)
    budget = Budget(steps=options.steps, minutes=options.minutes)
    return module.train(sets, settings, seed=options.seed, budget=budget, run=run)


def tell(report: Report) -> None:
    if report.step % 100 == 0 or report.exam is not None:
        losses = "  ".join(f"{name} {value:.4f}" for name, value in report.losses.items())
        exam = "" if report.exam is None else f"  criterion {report.exam:.4f}"
        print(f"{report.step}/{report.steps}  {losses}{exam}  {report.seconds_left:.0f} s left", flush=True)


def run_filters(cases: list[tuple[Case, list]]) -> None:
    """Run the filters, each with the strength that suits the truth best."""
    filters: dict[str, Callable[[Voxels, float], Voxels]] = {
        "NLM": lambda x, s: denoise_nl_means(
            x, patch_size=5, patch_distance=6, h=s * LOW_HU, sigma=LOW_HU, fast_mode=True
        ),
        "TV": lambda x, s: denoise_tv_chambolle(x / LOW_HU, weight=2 * s) * LOW_HU,
        "BM3D, white noise": lambda x, s: bm3d_white(x, s * LOW_HU),
    }
    for name, clean in filters.items():
        found = []
        for strength in STRENGTHS:
            outcomes = [judge(case, filtered(case.noisy, clean, strength), discs) for case, discs in cases]
            found.append((float(np.mean([outcome.rmse for outcome in outcomes])), strength, outcomes))
        _, strength, outcomes = min(found, key=lambda one: one[0])
        note(f"{name}, strength {strength:g}", outcomes, {"method": name, "strength": strength})


def filtered(image: Image, clean: Callable[[Voxels, float], Voxels], strength: float) -> Image:
    planes = [np.clip(plane, -1000, 1500) for plane in image.voxels]
    return image.with_voxels(np.stack([np.asarray(clean(plane, strength), np.float32) for plane in planes]))


def note(name: str, outcomes: list[Outcome], arguments: dict[str, object]) -> None:
    """Print the mean over the patients and keep all figures."""
    mean = Outcome(
        psnr=float(np.mean([o.psnr for o in outcomes])),
        rmse=float(np.mean([o.rmse for o in outcomes])),
        seconds=outcomes[0].seconds,
        steps=outcomes[0].steps,
        shifts={
            tissue: float(np.mean([o.shifts[tissue] for o in outcomes if tissue in o.shifts]))
            for tissue in outcomes[0].shifts
        },
        recovery=_mean([o.recovery for o in outcomes]),
        f50=_mean([o.f50 for o in outcomes]),
    )
    print(line(name, mean), flush=True)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with RESULTS.open("a") as log:
        log.write(json.dumps({"name": name, "arguments": arguments, "patients": [vars(o) for o in outcomes]}) + "\n")


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


if __name__ == "__main__":
    main()
