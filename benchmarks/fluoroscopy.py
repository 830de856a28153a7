"""What udca reaches on simulated fluoroscopy, beside classical filters, Noise2Void and the same student with clean frames.

    python -m benchmarks.fluoroscopy --quick
    python -m benchmarks.fluoroscopy --seeds 3 --quanta 24 --ablation
    python -m benchmarks.fluoroscopy --quanta 24 --lag 0 0.1 --only input recursive udca "udca, lag left in"

At each dose, lag and seed one model is fitted on the runs of all motions together, or one on each (`--each`), and applied to
each run. PSNR = 20 log10(R / RMSE) in stored numbers, R = 4095 (12 bits), over whole frames from the tenth on; in the file
also over the pixels of catheter and guidewire. Edges are 10-90 % widths on test scenes with the first run's noise.
Every row is a line of the file as soon as it is known; what the file has already is not computed again.
With lag, every method that undoes it also runs with the lag left in.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fluoroscopy_cases import MOTIONS, Case, Setting, judge, make_case
from benchmarks.fluoroscopy_rivals import Result, Rival, rivals
from benchmarks.fluoroscopy_rows import Row, Rows, tables
from demottle.events import Progress
from demottle.methods.udca.method import STEPS
from demottle.noise.sequence.lag import lag_to_undo
from demottle.quality.sequence.response import response_at

SPEEDS = (0.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Group:
    """Runs that are learned from together."""

    setting: Setting
    motions: tuple[str, ...]

    def rows(self, name: str) -> list[Row]:
        """The facts of a rival's rows, without figures."""
        facts = {"name": name, **asdict(self.setting), "fitted_on": list(self.motions)}
        return [{**facts, "motion": motion} for motion in self.motions]


def main() -> None:
    options = parsed()
    rows = Rows(options.out)
    table = rivals(options.ablation, lag=any(options.lag), paper=options.paper)
    chosen = list(table) if options.only is None else options.only
    unknown = [name for name in chosen if name not in table]
    if unknown:
        raise SystemExit(f"There is no {', '.join(unknown)}; choose from: {', '.join(table)}.")
    groups = groups_of(options)
    work = [(group, name) for group in groups for name in chosen if worth_it(name, group)]
    open_ = [(group, name) for group, name in work if not all(rows.has(row) for row in group.rows(name))]
    if len(open_) < len(work):
        print(f"{len(work) - len(open_)} of {len(work)} are in {options.out} already.", flush=True)
    cases: dict[Group, list[Case]] = {}
    for number, (group, name) in enumerate(open_):
        if group not in cases:
            _say(f"simulating {group.setting.quanta:g} quanta, seed {group.setting.seed}")
            cases = {group: [make_case(motion, group.setting) for motion in group.motions]}
        found = compare(table[name], cases[group], group.rows(name))
        rows.add(found)
        left = time_left(rows, open_[number + 1 :])
        told = "  ".join(f"{row['motion']} {row['psnr']:.2f}" for row in found)
        _say("")
        print(
            f"{number + 1}/{len(open_)}  {group.setting.quanta:g} quanta, lag {group.setting.lag:g}, seed "
            f"{group.setting.seed}  {name}: {told}  {found[0]['seconds']:.0f} s{left}",
            flush=True,
        )
    print("\n" + tables(rows.matching(row for group, name in work for row in group.rows(name))))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="192 x 192, 40 frames, 150 steps")
    parser.add_argument("--size", type=int, default=512, help="rows and columns (512)")
    parser.add_argument("--frames", type=int, default=100, help="of each run (100)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of learning ({STEPS})")
    parser.add_argument("--quanta", type=float, nargs="+", default=[12.0, 24.0, 50.0])
    parser.add_argument("--motions", nargs="+", choices=MOTIONS, default=MOTIONS)
    parser.add_argument("--seeds", type=int, default=1, help="how many: 0, 1, ...; patient, noise and learning change")
    parser.add_argument("--lag", type=float, nargs="+", default=[0.0], help="of the detector")
    parser.add_argument("--each", action="store_true", help="fit one model on each run")
    parser.add_argument("--ablation", action="store_true", help="also udca with parts switched off")
    parser.add_argument("--paper", action="store_true", help="also networks of the paper's size (needs a GPU)")
    parser.add_argument("--only", nargs="+", default=None, help="names of what to run: udca, noise2void, clean, ...")
    parser.add_argument("--out", type=Path, default=Path("benchmark-results/fluoroscopy.jsonl"), help="JSON lines")
    options = parser.parse_args()
    if options.quick:
        options.size, options.frames, options.steps = 192, 40, 150
    return options


def groups_of(options: argparse.Namespace) -> list[Group]:
    """All groups, seeds outermost, so that one seed of everything is there first."""
    together = [(motion,) for motion in options.motions] if options.each else [tuple(options.motions)]
    return [
        Group(Setting(quanta, lag, seed, options.size, options.frames, options.steps), motions)
        for seed in range(options.seeds)
        for quanta in options.quanta
        for lag in options.lag
        for motions in together
    ]


def worth_it(name: str, group: Group) -> bool:
    """Without lag there is nothing to leave in."""
    return group.setting.lag > 0 or not name.endswith("lag left in")


def compare(rival: Rival, cases: Sequence[Case], facts: Sequence[Row]) -> list[Row]:
    """Run a rival on a group of cases."""
    begun, cpu, setting = time.monotonic(), time.process_time(), facts[0]
    results = rival(cases, setting["steps"], setting["seed"], Ticker(str(setting["name"])))
    cleaned = [result(case.noisy) for result, case in zip(results, cases, strict=True)]
    spent = {"seconds": round(time.monotonic() - begun, 1), "cpu_seconds": round(time.process_time() - cpu, 1)}
    more = {**spent, **edges(results[0], cases[0])}
    return [{**row, **judge(case, image), **more} for row, case, image in zip(facts, cases, cleaned, strict=True)]


def edges(result: Result, case: Case) -> dict[str, Any]:
    """Widths of an edge at `SPEEDS`, None where it trails without end, and the share of a step that frames 1 and 10 miss."""
    found = response_at(result, case.noisy, case.measured.curve, SPEEDS, lag=lag_to_undo(case.measured))
    widths = [round(width, 2) if np.isfinite(width) else None for _, width in found.widths]
    missing = {"first_frame_missing": round(found.lag_first, 4), "tenth_frame_missing": round(found.lag_tenth, 4)}
    return {"edge_rest": widths[0], "edge_fast": widths[-1], "edges": widths, **missing}


def time_left(rows: Rows, remaining: Sequence[tuple[Group, str]]) -> str:
    """By what each rival took before; one that never ran counts as the slowest that did."""
    if not remaining:
        return ""
    known = [rows.seconds_of(name, group.rows(name)[0]) for group, name in remaining]
    seen = [seconds for seconds in known if seconds is not None]
    worst = max(seen, default=0.0)
    minutes = sum(worst if seconds is None else seconds for seconds in known) / 60
    guess = "at least " if any(seconds is None for seconds in known) else "about "
    return f", {guess}{minutes:.0f} min left"


class Ticker:
    """Says on standard error where learning is, in place, every few seconds."""

    def __init__(self, name: str) -> None:
        """Begin."""
        self._name, self._said = name, time.monotonic()
        self._begun: tuple[str, float, int] | None = None

    def __call__(self, event: Progress) -> None:
        """Hear of progress."""
        if time.monotonic() - self._said < 5:
            return
        self._said = time.monotonic()
        if self._begun is None or self._begun[0] != event.stage:
            self._begun = event.stage, self._said, event.done
        _, since, first = self._begun
        pace = (self._said - since) / (event.done - first) if event.done > first else None
        left = f", {pace * (event.total - event.done):.0f} s left" if pace and event.total else ""
        _say(f"{self._name}: {event.stage} {event.done} of {event.total}{left}")


def _say(text: str) -> None:
    sys.stderr.write(f"\r\x1b[K{text}" if sys.stderr.isatty() else f"{text}\n" if text else "")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
