"""`demottle benchmark`: every method and every rival on the same cases with a known truth, under one time budget."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from demottle.cli.benchmark.options import (
    SUITE,
    check_options,
    entrants_of,
    minutes_of,
    real_of,
    refuse_nothing,
    refuse_rival,
)
from demottle.cli.benchmark.running import planned, run_missing, show, work_of
from demottle.cli.screen.console import say_error, say_warnings
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import Debug, Json, MethodFile, use_method_file
from demottle.io.output import refuse_unwritable

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
    method_file: MethodFile = None,
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
    from demottle.benchmark.suites.cases import Choices
    from demottle.benchmark.suites.catalog import suite_named

    use_method_file(method_file)
    asked = suite_named(suite)
    check_options(asked, real, cohort)
    folder = out or Path("benchmark-results") / f"{suite}{'-cohort' if cohort else ''}{'-quick' if quick else ''}"
    everybody = entrants_of(asked, method or [])
    limit = minutes_of(minutes, quick, asked.minutes)
    refuse_unwritable(folder)
    results = Results(folder / "results.jsonl")
    say_warnings(results.doubts)
    failed = False
    if page:
        refuse_nothing(results, asked)
    else:
        refuse_rival(results, asked, everybody, rival)
        work = replace(work_of(jobs, threads, wall, cache or folder / "cases"), method_file=method_file)
        cells = planned(asked, everybody, Choices(quick, seeds, real_of(asked, real, cohort), cohort), limit, work)
        told = {"suite": suite, "quick": quick, "minutes": limit, "jobs": jobs, "threads": work.threads}
        failed = not run_missing(cells, results, work, told, retry)
    show(results, asked, rival, folder / "benchmark.html", as_json)
    if failed:
        say_error("Nothing that was run succeeded; the reasons are above, and --retry runs it again.")
        raise typer.Exit(NOTHING_DONE)
