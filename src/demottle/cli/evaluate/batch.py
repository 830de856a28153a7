"""Many cases: each measured in turn, failures named at the end, then means, spreads and paired tests between methods."""

from typing import TYPE_CHECKING, Any

import typer

from demottle.cli.evaluate.batch_cases import Named, cases_of, table_of
from demottle.cli.evaluate.case import Given, Reading, evaluate_case
from demottle.cli.evaluate.cohort_tables import show_cohort
from demottle.cli.evaluate.figures_csv import write_csv
from demottle.cli.results import Results
from demottle.cli.screen.console import say, say_error, show_json
from demottle.cli.screen.guard import CANNOT, explain, sentence_of
from demottle.cli.screen.progress import watch

if TYPE_CHECKING:
    from demottle.quality.cohort import Case
    from demottle.quality.limits import Limits

Failures = list[dict[str, str]]


def evaluate_batch(
    batch: str,
    given: Given,
    reading: Reading,
    limits: "Limits | None",
    margin: float | None,
    results: Results,
    as_json: bool,
) -> None:
    """Measure every case of a batch.

    Raises:
        InputError: where no case is named.
        typer.Exit: with code 2 where a case could not be measured, else 3 where one failed the gate (if `limits` are given).
    """
    from demottle.quality.cohort import pairings, summaries
    from demottle.report.cohort import write_cohort_page

    named = cases_of(batch, given)
    results.refuse([*(file for one in named for file in one.given.files()), table_of(batch)])
    cases, failed, beyond = _measure(named, reading, limits, margin)
    if cases:
        means, tests = summaries(cases), pairings(cases)
        results.write(
            lambda table: write_csv(table, cases), lambda page: write_cohort_page(cases, means, tests, failed, page)
        )
        if as_json:
            from demottle.quality.to_plain import plain

            told = {
                "cases": cases,
                "summaries": means,
                "paired_tests": tests,
                "failed": failed,
                "beyond_limits": beyond,
            }
            show_json(plain(told))
        else:
            show_cohort(cases, means, tests)
    _tell(failed, f"{len(failed)} of {len(named)} cases could not be measured:")
    _tell(beyond, f"{len(beyond)} of {len(named)} cases fail the gate:")
    if failed:
        raise typer.Exit(CANNOT)
    if beyond:
        raise typer.Exit(3)


def _measure(
    named: list[Named], reading: Reading, limits: "Limits | None", margin: float | None
) -> "tuple[list[Case], Failures, Failures]":
    from demottle.quality.cohort import Case
    from demottle.quality.figures import figures_of
    from demottle.quality.limits import Limits

    cases: list[Case] = []
    failed: Failures = []
    beyond: Failures = []
    for number, one in enumerate(named, start=1):
        say(f"[{number}/{len(named)}] {one}", style="bold")
        try:
            one.given.refuse_incomplete()
            with watch() as listener:
                _, found = evaluate_case(one.given, reading, limits or Limits(), margin, listener)
        except Exception as error:  # one bad case must not cost the others
            if isinstance(error, typer.BadParameter):
                reason = f"Its line names no {error.param_hint}."
                say_error(reason)
            else:
                explain(error)
                reason = sentence_of(error)
            failed.append({"case": str(one), "reason": reason})
            continue
        cases.append(Case(one.case, one.method or "output", tuple(figures_of(found))))
        if limits is not None and not found.gate.passed:
            beyond.append({"case": str(one), "reason": f"{found.gate.reasons}."})
    return cases, failed, beyond


def _tell(entries: list[dict[str, Any]], headline: str) -> None:
    if entries:
        say("")
        say_error(headline)
        for one in entries:
            say(f"  {one['case']}: {one['reason']}", style="red")
