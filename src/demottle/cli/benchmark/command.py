"""`demottle benchmark`: every method and every rival on the same cases with a known truth, under one time budget."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demottle.cli.benchmark.tables import as_plain, show_suite
from demottle.cli.places import refuse_unwritable
from demottle.cli.screen.console import say, say_error, say_warnings, show_json
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, Json, parse_settings
from demottle.cli.screen.progress import watch

if TYPE_CHECKING:
    from demottle.benchmark.engine.entrants import Entrant
    from demottle.benchmark.engine.results import Cell, Results
    from demottle.benchmark.suites.catalog import Suite

MINUTES, QUICK_MINUTES = 0.75, 0.2
SUITE = "ct-volume"
SUITE_HELP = (
    "Suite. Methods: ct-volume, ct-real, ct-anatomies, ct-unpaired, single-slice, fluoroscopy, mr, nordic; decisions: "
    "fluoroscopy-plan, fluoroscopy-wires, gate; the machine: speed."
)
RUNNING = "How it runs"
NOTHING_DONE = 1  # the exit code where every cell that was run failed


@guarded
def benchmark(
    suite: Annotated[
        str,
        typer.Option(metavar="NAME", help=SUITE_HELP),
    ] = SUITE,
    quick: Annotated[bool, typer.Option("--quick", metavar="", help="Small images, one seed: minutes.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Results and page; benchmark-results/SUITE.")
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            metavar="NAME",
            help="Method to run, beside the input; NAME:SETTING=VALUE for other settings; repeatable.",
        ),
    ] = None,
    rival: Annotated[str | None, typer.Option(metavar="NAME", help="Method that the others are compared with.")] = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", min=1, help="Cases of each kind.")] = None,
    minutes: Annotated[
        float | None, typer.Option(metavar="M", help="Minutes to learn, the same for all; 0.75, with --quick 0.2.")
    ] = None,
    real: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Real CT scans: for ct-volume any of little noise, else the public ones."),
    ] = None,
    cohort: Annotated[
        bool, typer.Option("--cohort", metavar="", help="Larger cohort of ct-unpaired, with parts of the public scans.")
    ] = False,
    page: Annotated[
        bool, typer.Option("--report", metavar="", help="Run nothing: tables and page from what is there.")
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", metavar="", help="Try again what failed.")] = False,
    jobs: Annotated[
        int, typer.Option(metavar="N", min=1, help="Cells at a time; times are surest with 1.", rich_help_panel=RUNNING)
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Threads of each cell. Default: all cores.", rich_help_panel=RUNNING),
    ] = None,
    wall: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Time to stop at; run again to continue.", rich_help_panel=RUNNING),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Simulated cases; OUT/cases.", rich_help_panel=RUNNING)
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare every method and every rival that is installed, on cases with a known truth.

    What is there already is not run again: after Ctrl-C the same command goes on. Writes results.jsonl and benchmark.html.
    """
    from demottle.benchmark.engine.results import Results
    from demottle.benchmark.engine.runner import Work, cells_of
    from demottle.benchmark.shown.page import write_benchmark_page
    from demottle.benchmark.shown.tables import refuse_unknown_rival, rival_of
    from demottle.benchmark.suites.cases import Choices
    from demottle.benchmark.suites.catalog import suite_named
    from demottle.errors import InputError

    asked = suite_named(suite)
    real = _real(asked, real, cohort)
    folder = out or Path("benchmark-results") / f"{suite}{'-cohort' if cohort else ''}{'-quick' if quick else ''}"
    everybody = _entrants(asked, method or [])
    limit = minutes_of(minutes, quick, asked.minutes)
    refuse_unwritable(folder)
    results = Results(folder / "results.jsonl")
    say_warnings(results.doubts)
    none_done = False
    if not page:
        if rival is not None:
            refuse_unknown_rival(results.rows, [one.name for one in everybody], suite, rival)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        work = Work(jobs, threads or max(1, cores // jobs), wall, cache or folder / "cases")
        specs = asked.specs(Choices(quick, seeds, real, cohort))
        cells = cells_of(specs, everybody, limit, work.threads)
        if retry:
            results.forget_failures()
        refuse_unwritable(work.cache)
        none_done = not _run(
            cells,
            results,
            work,
            {"suite": suite, "quick": quick, "minutes": limit, "jobs": jobs, "threads": work.threads},
        )
    elif not any(row["suite"] == suite for row in results.rows):
        raise InputError(f"There are no results of {suite} in {results.path}; run it without --report first.")
    against = rival_of([row for row in results.rows if row["suite"] == suite], rival)
    where = write_benchmark_page(results, asked, against, folder / "benchmark.html")
    if as_json:
        show_json(as_plain(results, asked, against))
    else:
        show_suite(results, asked, against)
    say(f"\nThe page is {where}, every row in {results.path}.")
    if none_done:
        say_error("Nothing that was run succeeded; the reasons are above, and --retry runs it again.")
        raise typer.Exit(NOTHING_DONE)


def _entrants(suite: "Suite", names: list[str]) -> "tuple[Entrant, ...]":
    """Who competes: those named, some of them with settings of their own, else the usual ones."""
    from demottle.benchmark.engine.entrants import base_of, chosen, competing, missing, usual
    from demottle.methods.registry import METHODS
    from demottle.pipeline.settings import check_settings

    everybody = competing(suite)
    if not names:
        return usual(suite, everybody)
    changes = {name: parse_settings(name.partition(":")[2].split(",")) for name in names if ":" in name}
    for name, settings in changes.items():
        if base_of(name) in METHODS:
            check_settings(base_of(name), settings)
    return chosen(everybody, names, missing(suite), changes)


def _real(suite: "Suite", given: Path | None, cohort: bool) -> Path | None:
    """The folder of real scans that a suite uses; the public ones are found by the environment, too."""
    from demottle.benchmark.suites.real_scans import needed, real_folder

    if cohort and not suite.trained:
        raise typer.BadParameter(f"{suite.name} learns from no cohort", param_hint="--cohort")
    public = suite.public or cohort
    if given is not None and not public and suite.name != SUITE:
        raise typer.BadParameter(f"{suite.name} takes no real scans", param_hint="--real")
    folder = real_folder(given) if public else given
    return needed(folder) if suite.only_public else folder


def minutes_of(asked: float | None, quick: bool, usual: float | None = None) -> float:
    """The time budget: the one asked for, else the suite's, else the usual one.

    Raises:
        typer.BadParameter: where it is not positive.
    """
    if asked is not None and not 0 < asked < 1e6:
        raise typer.BadParameter(f"{asked:g} is not a time to learn in; give minutes above 0", param_hint="--minutes")
    return asked or (QUICK_MINUTES if quick else usual or MINUTES)


def _run(cells: "list[Cell]", results: "Results", work: Any, settings: dict[str, Any]) -> bool:
    """Run what is missing; return False where there was something to run and all of it failed."""
    from demottle.benchmark.engine.machine import facts
    from demottle.benchmark.engine.runner import run_cells

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
