"""`demottle benchmark`: every method and every rival on the same cases with a known truth, under one time budget."""

from dataclasses import replace
from pathlib import Path

import typer

from demottle.cli.benchmark import arguments
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
from demottle.io.output import refuse_inputs, refuse_unwritable

NOTHING_DONE = 1  # the exit code where every cell that was run failed


@guarded
def benchmark(
    suite: arguments.Suite = SUITE,
    quick: arguments.Quick = False,
    out: arguments.Out = None,
    method: arguments.Method = None,
    method_file: MethodFile = None,
    rival: arguments.Rival = None,
    case: arguments.Case = None,
    seeds: arguments.Seeds = None,
    minutes: arguments.Minutes = None,
    real: arguments.Real = None,
    data: arguments.Data = None,
    split: arguments.Split = None,
    cohort: arguments.Cohort = False,
    page: arguments.Page = False,
    retry: arguments.Retry = False,
    jobs: arguments.Jobs = 1,
    threads: arguments.Threads = None,
    wall: arguments.Wall = None,
    cache: arguments.Cache = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare all methods and installed rivals on cases with a known truth.

    Results that exist are kept: after Ctrl-C the same command continues. Writes results.jsonl and benchmark.html.
    """
    from demottle.benchmark.engine.results import Results
    from demottle.benchmark.suites.cases import Choices
    from demottle.benchmark.suites.catalog import suite_named

    use_method_file(method_file)
    asked = suite_named(suite)
    check_options(asked, real, cohort, data, split)
    folder = out or Path("benchmark-results") / f"{suite}{'-cohort' if cohort else ''}{'-quick' if quick else ''}"
    everybody = entrants_of(asked, method or [])
    limit = minutes_of(minutes, quick, asked.minutes)
    refuse_inputs([folder, cache], [real, data, split, method_file], added=True)
    refuse_unwritable(folder)
    results = Results(folder / "results.jsonl")
    say_warnings(results.doubts)
    failed = False
    if page:
        refuse_nothing(results, asked)
    else:
        refuse_rival(results, asked, everybody, rival)
        work = replace(work_of(jobs, threads, wall, cache or folder / "cases"), method_file=method_file)
        choices = Choices(quick, seeds, real_of(asked, real, cohort), cohort, data, split)
        cells = planned(asked, everybody, choices, limit, work, case or [])
        told = {"suite": suite, "quick": quick, "minutes": limit, "jobs": jobs, "threads": work.threads}
        failed = not run_missing(cells, results, work, told, retry)
    show(results, asked, rival, folder / "benchmark.html", as_json)
    if failed:
        say_error("Everything that ran failed; the reasons are above, and --retry runs it again.")
        raise typer.Exit(NOTHING_DONE)
