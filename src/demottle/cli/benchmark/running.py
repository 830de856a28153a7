"""Run what a benchmark lacks, and show what is there."""

import fnmatch
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.cli.benchmark.tables import as_plain, show_suite
from demottle.cli.screen.console import say, show_json
from demottle.cli.screen.progress import watch
from demottle.errors import InputError
from demottle.io.output import refuse_unwritable

if TYPE_CHECKING:
    from demottle.benchmark.engine.entrants import Entrant
    from demottle.benchmark.engine.results import Cell, Results
    from demottle.benchmark.engine.runner import Work
    from demottle.benchmark.suites.cases import Choices
    from demottle.benchmark.suites.catalog import Suite


def work_of(jobs: int, threads: int | None, wall: float | None, cache: Path) -> "Work":
    """How much runs at once; without a number of threads the cores are shared out."""
    from demottle.benchmark.engine.runner import Work

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Work(jobs, threads or max(1, cores // jobs), wall, cache)


def planned(
    suite: "Suite",
    everybody: "tuple[Entrant, ...]",
    choices: "Choices",
    minutes: float,
    work: "Work",
    patterns: Sequence[str] = (),
) -> "list[Cell]":
    """The cases of a suite, or those of its kinds that match a pattern, under every entrant, in the order of work.

    Raises:
        InputError: a pattern matches no kind.
    """
    from demottle.benchmark.engine.runner import cells_of

    specs = suite.specs(choices)
    kinds = list(dict.fromkeys(one.group for one in specs))
    for pattern in patterns:
        if not fnmatch.filter(kinds, pattern):
            raise InputError(f"No case of {suite.name} is called '{pattern}'; its kinds are: {'; '.join(kinds)}.")
    wanted = {kind for pattern in patterns for kind in fnmatch.filter(kinds, pattern)} or set(kinds)
    return cells_of(tuple(one for one in specs if one.group in wanted), everybody, minutes, work.threads)


def show(results: "Results", suite: "Suite", rival: str | None, page: Path, as_json: bool) -> None:
    """Write the page of a suite, and show its tables or, as JSON, everything.

    Raises:
        InputError: where the rival has no results.
    """
    from demottle.benchmark.shown.page import write_benchmark_page
    from demottle.benchmark.shown.tables import rival_of

    rows = [row for row in results.rows if row["suite"] == suite.name]
    against = rival_of(rows, rival)
    where = write_benchmark_page(results, suite, against, page)
    if as_json:
        show_json(as_plain(results, suite, against))
    else:
        show_suite(results, suite, against)
    say(f"\nThe page is {where}, every row in {results.path}.")


def run_missing(cells: "list[Cell]", results: "Results", work: "Work", settings: dict[str, Any], retry: bool) -> bool:
    """Run what is missing; return False where there was something to run and all of it failed."""
    from demottle.benchmark.engine.machine import facts
    from demottle.benchmark.engine.runner import run_cells

    if retry:
        results.forget_failures()
    refuse_unwritable(work.cache)
    missing = [cell for cell in cells if not results.has(cell)]
    if len(missing) < len(cells):
        say(f"{len(cells) - len(missing)} of {len(cells)} results are in {results.path} already.")
    if not missing:
        return True
    results.begin({**facts(), "asked": settings})
    with watch() as listener:
        complete = run_cells(cells, results, work, listener)
    if not complete:
        there = sum(results.has(cell) for cell in cells)
        say(f"Time is up with {there} of {len(cells)} results; the same command continues from there.", style="yellow")
    ran = [results.failed(cell) for cell in missing if results.has(cell)]
    return not ran or not all(ran)
