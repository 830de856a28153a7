"""The whole fluoroscopy benchmark at once, on a machine with a GPU and several processors, within a given time.

    python -m benchmarks.fluoroscopy_full --out OUT/fluoroscopy.jsonl --seconds 300
    python -m benchmarks.fluoroscopy_full --size 128 --frames 24 --steps 5 --seeds 1 --workers 1 --seconds 120

Does what `benchmarks.fluoroscopy` does, the rows are the same, but in many processes: each simulates the runs of one dose, lag
and seed and sends some rivals over them, so that optical flow, filters and simulation fill the processors while the networks
share the GPU. What matters most comes first; what is not done when the time is up is left out. Rows are written as they come,
and those the file has already are not computed again.
"""

import argparse
import multiprocessing
import os
import queue
import sys
import time
import traceback
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from benchmarks.fluoroscopy import Group, compare
from benchmarks.fluoroscopy_cases import MOTIONS, Setting, make_case
from benchmarks.fluoroscopy_rivals import ABLATION, CLEAN_PAPER, LEFT_IN, PAPER, rivals
from benchmarks.fluoroscopy_rows import Rows, tables
from demottle.events import silent
from demottle.methods import METHODS

FILTERS = tuple(name for name, info in METHODS.items() if info.images == "sequences" and info.learns_from == "nothing")
MAIN = ("input", *FILTERS, "noise2void", "udca", "clean")
LAGGED = tuple(
    name for both in ("recursive", "motion-adaptive-recursive", "udca") for name in (both, f"{both}, {LEFT_IN}")
)
LAG, MIDDLE = 0.1, 24.0  # the lag, and the dose at which lag and ablation are looked at
_AT_ONCE = 4  # ablations that share a simulation


@dataclass(frozen=True)
class Bundle:
    """What one process does: a group of runs, and what is sent over them, in this order."""

    group: Group
    names: tuple[str, ...]


def main() -> None:
    options = parsed()
    until = time.monotonic() + options.seconds
    rows = Rows(options.out)
    todo = [one for one in bundles(options) if not all(rows.has(r) for name in one.names for r in one.group.rows(name))]
    context = multiprocessing.get_context("spawn")
    done: Any = context.Queue()
    running: list[SpawnProcess] = []
    while (todo or running) and time.monotonic() < until:
        running = [process for process in running if process.is_alive()]
        while todo and len(running) < options.workers:
            running.append(context.Process(target=work, args=(todo.pop(0), done, until), daemon=True))
            running[-1].start()
        collect(done, rows, until)
    collect(done, rows, until)
    for process in running:
        process.terminate()
    print(f"{len(todo)} bundles were not begun, {sum(p.is_alive() for p in running)} not ended.\n", flush=True)
    print(tables(rows.all))
    sys.stdout.flush()
    os._exit(0)  # a process that hangs on the GPU must not hold us back


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0, help="that all of it may take (300)")
    parser.add_argument("--size", type=int, default=512, help="rows and columns (512)")
    parser.add_argument("--frames", type=int, default=60, help="of each run (60)")
    parser.add_argument("--steps", type=int, default=500, help="of learning (500)")
    parser.add_argument("--paper-steps", type=int, default=800, help="of learning for the paper's size (800)")
    parser.add_argument("--quanta", type=float, nargs="+", default=[24.0, 12.0, 50.0])
    parser.add_argument("--seeds", type=int, default=3, help="how many: 0, 1, ...")
    parser.add_argument("--workers", type=int, default=max(1, min(15, (os.cpu_count() or 2) - 1)))
    parser.add_argument("--parts", nargs="+", default=["main", "ablation", "lag", "paper"], help="what to run")
    parser.add_argument("--out", type=Path, default=Path("benchmark-results/fluoroscopy-full.jsonl"))
    return parser.parse_args()


def bundles(options: argparse.Namespace) -> list[Bundle]:
    """Everything, the most important first: the doses with one seed, the paper's size, then seeds, lag and ablation."""

    def group(quanta: float, seed: int, lag: float = 0.0, steps: int | None = None) -> Group:
        return Group(Setting(quanta, lag, seed, options.size, options.frames, steps or options.steps), MOTIONS)

    middle = MIDDLE if MIDDLE in options.quanta else options.quanta[0]
    ablation = [tuple(ABLATION)[first : first + _AT_ONCE] for first in range(0, len(ABLATION), _AT_ONCE)]
    found = {"main": [Bundle(group(q, seed), MAIN) for seed in range(options.seeds) for q in options.quanta]}
    published = list(PAPER)[-1]
    others = (CLEAN_PAPER, *(name for name in PAPER if name != published))
    found["paper"] = [Bundle(group(middle, 0, steps=options.paper_steps), names) for names in (others, (published,))]
    found["lag"] = [Bundle(group(middle, seed, LAG), ("input", *LAGGED)) for seed in range(options.seeds)]
    found["ablation"] = [Bundle(group(middle, seed), names) for seed in range(options.seeds) for names in ablation]
    first = len(options.quanta)
    ordered = [*found["main"][:first], *found["paper"], *found["main"][first:], *found["ablation"][: len(ablation)]]
    ordered += [*found["lag"], *found["ablation"][len(ablation) :]]
    chosen = [one for part in options.parts for one in found[part]]
    return [one for one in ordered if one in chosen]


def work(bundle: Bundle, done: Any, until: float) -> None:
    """Run a bundle in a process of its own; puts rows, or a sentence about what went wrong."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    setting, told = bundle.group.setting, ""
    try:
        begun = time.monotonic()
        cases = [make_case(motion, setting) for motion in bundle.group.motions]
        done.put(f"simulated {setting.quanta:g} quanta, lag {setting.lag:g}, seed {setting.seed}: {_since(begun)}")
        table = rivals(ablation=True, lag=setting.lag > 0, paper=True)
        for name in bundle.names:
            told = f"{name}, {setting.quanta:g} quanta, lag {setting.lag:g}, seed {setting.seed}"
            if time.monotonic() > until:
                return
            done.put(compare(_heard(table[name], told, done), cases, bundle.group.rows(name)))
    except Exception:
        done.put(f"{told or setting} failed:\n{traceback.format_exc()}")


def _heard(rival: Any, told: str, done: Any) -> Any:
    """The rival, and a line about how long its fit took."""

    def run(cases: Any, steps: int, seed: int, listener: Any) -> Any:
        begun = time.monotonic()
        out = rival(cases, steps, seed, silent)
        done.put(f"fitted {told}: {_since(begun)}")
        return out

    return run


def _since(begun: float) -> str:
    return f"{time.monotonic() - begun:.1f} s"


def collect(done: Any, rows: Rows, until: float) -> None:
    """Write what came, and wait a little for more."""
    while True:
        try:
            found = done.get(timeout=0.3)
        except queue.Empty:
            return
        if isinstance(found, str):
            print(f"[{until - time.monotonic():.0f} s left] {found}", flush=True)
            continue
        rows.add(found)
        one = found[0]
        figures = "  ".join(f"{row['motion']} {row['psnr']:.2f}" for row in found)
        told = f"{one['quanta']:g} quanta, lag {one['lag']:g}, seed {one['seed']}, {one['name']}: {figures}"
        print(f"[{until - time.monotonic():.0f} s left] {told}  ({one['seconds']:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
