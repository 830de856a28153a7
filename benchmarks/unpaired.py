"""What methods that learn from sets of scans reach on a simulated cohort, beside filters and beside learning from pairs.

    python -m benchmarks.unpaired filters --seeds 0 1 2
    python -m benchmarks.unpaired pdml --minutes 12 --seeds 0 1 2
    python -m benchmarks.unpaired supervised --minutes 12 --seeds 0 1 2
    python -m benchmarks.unpaired pdml --minutes 12 --shift 20
    python -m benchmarks.unpaired pdml --steps 2000 --ablation
    python -m benchmarks.unpaired table
    python -m benchmarks.unpaired apply pdml

`--shift` adds so many HU to every full-dose scan: CT numbers of the output must not follow. Figures are of patients that nothing
was learned from and no setting was chosen on (`unpaired_cases`); with DEMOTTLE_REAL_DATA parts of two real scans join the cohort.
Every run is a line of benchmark-results/unpaired-cohort.jsonl. A run that is there is not made again, one that was killed goes
on from its checkpoint, and `table` shows them all.
"""

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import unpaired_apply, unpaired_tables
from benchmarks.cases import Case
from benchmarks.unpaired_cases import Patient, cohort, has_real_scans, tests
from benchmarks.unpaired_discs import disc_figures
from benchmarks.unpaired_filters import FACTORS, FILTERS, Filter
from benchmarks.unpaired_runs import ABLATIONS, FOLDER, RESULTS, Asked, figures, keep, known, mean
from demottle.image import Image
from demottle.learning.observing import Report
from demottle.learning.run import Run
from demottle.methods import Budget, method

Tests = Sequence[tuple[Patient, Case]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", help="a method that learns from sets, or: filters, table, apply")
    parser.add_argument("of", nargs="*", help="with apply: the methods; default pdml and perceptual-cyclegan")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--shift", type=float, default=0.0, help="HU added to every full-dose scan")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of noise, split and learning")
    parser.add_argument("--ablation", action="store_true", help="the method with its parts off, one after the other")
    parser.add_argument("--cohort", choices=["phantoms", "all"], help="default: all where DEMOTTLE_REAL_DATA is set")
    parser.add_argument("--tuning", action="store_true", help="figures of the patients that settings are chosen on")
    parser.add_argument("--lines", type=Path, nargs="+", default=[RESULTS], help="with table: files with results")
    options = parser.parse_args()
    if options.what == "table":
        unpaired_tables.show(options.tuning, options.lines)
        return
    if options.what == "apply":
        unpaired_apply.run(options.of or ["pdml", "perceptual-cyclegan"])
        return
    real = has_real_scans() if options.cohort is None else options.cohort == "all"
    who = "tuning" if options.tuning else "test"
    for seed in options.seeds:
        cases = tests(seed, real, who)
        run_input(cases, Asked("input", seed, real, who))
        if options.what == "filters":
            for rival in FILTERS:
                run_filter(rival, cases, seed, real, who)
            continue
        for asked in runs(options, seed, real, who):
            run_method(asked, cases)


def runs(options: argparse.Namespace, seed: int, real: bool, who: str) -> list[Asked]:
    """What is asked for with one seed: one run, or an ablation's."""
    chosen = {name: json.loads(value) for name, value in (text.split("=", 1) for text in options.sets)}
    variants = ABLATIONS[options.what] if options.ablation else {"": {}}
    length = {"steps": options.steps, "minutes": options.minutes, "shift": options.shift}
    return [
        Asked(options.what, seed, real, who, options.preset, {**chosen, **changes}, **length, label=label)
        for label, changes in variants.items()
    ]


def run_input(cases: Tests, asked: Asked) -> None:
    """The noisy scans themselves."""
    line = known(asked) or keep(asked, [figures(one, case, case.noisy, []) for one, case in cases])
    told(asked, line)


def run_filter(rival: Filter, cases: Tests, seed: int, real: bool, who: str) -> None:
    """One filter, with the strength of its rule, and with the one that suits the truth of these very patients best."""
    rule, best = (Asked(rival.name, seed, real, who, preset) for preset in ("rule", "truth"))
    if not (known(rule) and known(best)):
        by_rule, by_truth = filtered(rival, cases, seed)
        keep(rule, **by_rule)
        keep(best, **by_truth)
    told(rule, known(rule))
    told(best, known(best))


def filtered(rival: Filter, cases: Tests, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return figures of a filter by its rule, and by the factor that suits the truth best, as `keep` takes them."""
    started = time.monotonic()
    strengths = [rival.strength(case.noisy) for _, case in cases]

    def judged(factor: float, discs: bool = False) -> list[dict[str, Any]]:
        found = []
        for (one, case), strength in zip(cases, strengths, strict=True):

            def clean(image: Image, strength: float = strength) -> Image:
                return rival.apply(image, factor, strength)

            made = clean(case.noisy)
            found.append(figures(one, case, made, disc_figures(case, clean, made, seed) if discs else []))
        return found

    by_rule = judged(1.0, discs=True)
    seconds = round(time.monotonic() - started, 1)
    found = {1.0: by_rule, **{factor: judged(factor) for factor in FACTORS}}
    factor = min(found, key=lambda one: mean({"patients": found[one]}, "rmse"))
    rule = {"patients": by_rule, "strengths": strengths, "seconds": seconds}
    return rule, {"patients": found[factor], "factor": factor}


def run_method(asked: Asked, cases: Tests) -> None:
    """Train one method and measure what it makes of the patients."""
    line = known(asked)
    if line is None:
        started = time.monotonic()
        denoiser = trained(asked)
        seconds = time.monotonic() - started
        found = []
        for one, case in cases:
            made = denoiser(case.noisy)
            found.append(figures(one, case, made, disc_figures(case, denoiser, made, asked.seed)))
        line = keep(asked, found, seconds=round(seconds, 1), steps=int(denoiser.fitted.get("steps", 0)))
    told(asked, line)


def trained(asked: Asked) -> Any:
    """Train a method on the cohort; the model is kept in benchmark-results/unpaired-models."""
    info = method(asked.method)
    module = info.load()
    settings = module.Settings(**{**module.PRESETS[asked.preset], **asked.sets})
    sets = cohort(asked.shift, info.learns_from == "pairs", asked.seed, asked.real)
    folder = FOLDER / "unpaired-runs" / asked.key
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(folder=folder, observers=(tell,), save_every=200)
    budget = Budget(steps=asked.steps, minutes=asked.minutes)
    denoiser = module.train(sets, settings, seed=asked.seed, budget=budget, run=run)
    models = FOLDER / "unpaired-models"
    models.mkdir(exist_ok=True)
    denoiser.save(models / f"{asked.method}-{asked.key}.safetensors")
    shutil.rmtree(folder)
    return denoiser


def tell(report: Report) -> None:
    if report.step % 100 == 0 or report.validation is not None:
        losses = "  ".join(f"{name} {value:.4f}" for name, value in report.losses.items())
        validation = "" if report.validation is None else f"  criterion {report.validation:.4f}"
        print(f"{report.step}/{report.steps}  {losses}{validation}  {report.seconds_left:.0f} s left", flush=True)


def told(asked: Asked, line: Any) -> None:
    parts = [f"seed {asked.seed}  {asked.name:56s} {mean(line, 'psnr'):6.2f} dB  RMSE {mean(line, 'rmse'):6.2f} HU"]
    for kind in ("phantom", "real"):
        parts.append(f"{kind} {mean(line, 'rmse', kind):6.2f}")
    parts += [f"{tissue} {mean(line, tissue):+.2f}" for tissue in ("fat", "fluid", "muscle")]
    print("  ".join(parts), flush=True)


if __name__ == "__main__":
    main()
