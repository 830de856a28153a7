"""The processes of `benchmarks.unpaired_gpu`: each takes one run after the other and hands back a line of results."""

import os
import queue
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from benchmarks.unpaired import filtered
from benchmarks.unpaired_cases import cohort, tests
from benchmarks.unpaired_discs import disc_figures
from benchmarks.unpaired_filters import FILTERS
from benchmarks.unpaired_runs import Asked, figures, line_of, mean
from demottle.learning.run import Run
from demottle.methods import Budget, method

Line = dict[str, Any]
Pictures = dict[str, np.ndarray]
JUDGE = 8.0  # seconds for judging one run
_LEAST = 0.35  # of the time a run asks for: with less it is not begun
_SHOWN = ("phantom12", "abdomen2")  # patients of whom a slice is kept


def train_all(waiting: Any, done: Any, ends: float) -> None:
    """Train what waits, (asked, seconds) each, until there is None or no time is left."""
    torch.set_num_threads(1)
    torch.backends.cudnn.benchmark = True
    while (job := _next(waiting)) is not None:
        asked, seconds = job
        left = ends - time.time() - JUDGE
        if left < _LEAST * seconds:
            continue
        try:
            done.put(_trained(asked, min(seconds, left)))
        except Exception as error:
            done.put(({**_failed(asked, error), "failed": traceback.format_exc()}, None))


def filter_all(waiting: Any, done: Any, core: int, real: bool) -> None:
    """Run what waits, (name, seed) each, on a core of its own: BM3D's threads wait for each other by spinning."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[-1 - core % len(allowed)]})
    while (job := _next(waiting)) is not None:
        name, seed = job
        rule, best = (Asked(name, seed, real, preset=preset) for preset in ("rule", "truth"))
        try:
            cases = tests(seed, real)
            if name == FILTERS[0].name:
                asked = Asked("input", seed, real)
                line = line_of(asked, [figures(one, case, case.noisy, []) for one, case in cases])
                done.put((told(line), None))
            rival = next(one for one in FILTERS if one.name == name)
            for asked, found in zip((rule, best), filtered(rival, cases, seed), strict=True):
                done.put((told(line_of(asked, **found)), None))
        except Exception as error:
            done.put(({**_failed(rule, error), "failed": traceback.format_exc()}, None))


def told(line: Line) -> Line:
    """Add what a person is told of a run."""
    asked = Asked(**line["asked"])
    text = f"{asked.name}, seed {asked.seed}, {asked.who}: {mean(line, 'psnr'):.2f} dB {mean(line, 'rmse'):.2f} HU"
    return {**line, "told": text + (f", {line['steps']} steps in {line['seconds']:.0f} s" if "steps" in line else "")}


def _next(waiting: Any) -> Any:
    try:
        return waiting.get(timeout=5)
    except queue.Empty:
        return None


def _failed(asked: Asked, error: Exception) -> Line:
    return {"key": asked.key, "asked": asdict(asked), "told": f"{asked.name}: FAILED {error!r}"}


def _trained(asked: Asked, seconds: float) -> tuple[Line, Pictures | None]:
    """Train one method for so many seconds and measure what it makes of the patients."""
    started = time.monotonic()
    info = method(asked.method)
    module = info.load()
    settings = module.Settings(**{**module.PRESETS[asked.preset], **asked.sets})
    sets = cohort(asked.shift, info.learns_from == "pairs", asked.seed, asked.real)
    budget = Budget(steps=asked.steps, minutes=seconds / 60)
    denoiser = module.train(sets, settings, seed=asked.seed, budget=budget, run=Run())
    trained = time.monotonic() - started
    found, pictures = [], {}
    for one, case in tests(asked.seed, asked.real, asked.who):
        clean = denoiser(case.noisy)
        found.append(figures(one, case, clean, disc_figures(case, denoiser, clean, asked.seed)))
        if one.name in _SHOWN and asked.seed == 0 and not asked.label and asked.who == "test":
            pictures[f"{_short(asked)}-{one.name}"] = np.rint(clean.voxels[1]).astype(np.int16)
    line = line_of(
        asked,
        found,
        seconds=round(trained, 1),
        judged_in=round(time.monotonic() - started - trained, 1),
        steps=int(denoiser.fitted.get("steps", 0)),
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else "processor",
    )
    return told(line), pictures or None


def _short(asked: Asked) -> str:
    sets: Mapping[str, Any] = asked.sets
    return f"{asked.method}-{asked.preset}-{sets.get('network', '')}-{asked.shift:g}"
