"""A folder of scans: one after the other, the network loaded once, failures named at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer

from demottle.cli.denoise.aside import aside_name
from demottle.cli.denoise.job import denoise_scan
from demottle.cli.denoise.outcome import Outcome, Record, Wishes
from demottle.cli.denoise.summary import show_batch
from demottle.cli.places import Places, beside, name_in_batch, places_for
from demottle.cli.screen.console import say, say_error, say_warnings, show_json
from demottle.cli.screen.guard import CANNOT, explain, sentence_of
from demottle.cli.screen.progress import watch
from demottle.errors import counted
from demottle.io.formats import output_name, stem_of


@dataclass(frozen=True)
class Failure:
    """A scan of which nothing came, and why, in one sentence."""

    scan: str
    reason: str


def denoise_folder(
    root: Path,
    scans: Sequence[Path],
    output: Path,
    report: Path | None,
    page: bool,
    wishes: Wishes,
    as_json: bool,
) -> None:
    """Denoise every scan into OUT/NAME, its page into OUT-report/NAME.

    Raises:
        typer.Exit: with code 2 where any scan failed; the others are kept.
        KeyboardInterrupt: with the sentence that says what is finished.
    """
    pages = report or beside(output)
    finished = 0
    done: list[tuple[str, Record]] = []  # one a volume; not the results themselves: their images would fill the memory
    failed: list[Failure] = []
    for number, scan in enumerate(scans, start=1):
        name = scan.relative_to(root)
        say(f"\n[{number}/{len(scans)}] {name}", style="bold")
        try:
            target = output_name(output / name_in_batch(scan, root, wishes.format), scan, wishes.format)
            folder = name.with_name(stem_of(name))
            places = wishes.files.added_to(places_for(target, pages / folder, page), scan, None)
            beyond = aside_name(output) / target.relative_to(output)
            kept = beside(aside_name(output)) if report is None else aside_name(report)
            places = replace(places, aside=places_for(beyond, kept / folder, page))
            done += [(f"{name}{label}", record) for label, record in _one(scan, places, wishes)]
            finished += 1
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_what_stays(finished, len(scans), output)) from None
        except Exception as error:  # one bad scan, or a bug that one scan wakes, must not cost the others
            explain(error)
            failed.append(Failure(str(name), sentence_of(error)))
    _show(done, finished, failed, output, pages if page else None, as_json)
    if failed:
        raise typer.Exit(CANNOT)


def _one(scan: Path, places: Places, wishes: Wishes) -> list[tuple[str, Record]]:
    """The record of one scan; of one with several volumes one for each, with its label."""
    with watch() as listener:
        outcome = denoise_scan(scan, places, wishes, listener)
    say_warnings(outcome.warnings)
    if isinstance(outcome, Outcome):
        return [("", outcome.to_dict())]
    return [(f", volume {label}", record) for label, record in outcome.records]


def _what_stays(done: int, total: int, output: Path) -> str:
    if not done:
        return "Stopped, nothing was written."
    return f"Stopped. {done} of {total} scans are finished and stay in {output}; nothing of the others was written."


def _show(
    done: list[tuple[str, Record]],
    finished: int,
    failed: list[Failure],
    output: Path,
    pages: Path | None,
    as_json: bool,
) -> None:
    if as_json:
        failures: list[dict[str, Any]] = [{"scan": one.scan, "reason": one.reason} for one in failed]
        show_json({"done": [record for _, record in done], "failed": failures})
        return
    show_batch(done, output, pages, count=finished)
    if failed:
        say("")
        say_error(f"{len(failed)} of {counted(finished + len(failed), 'scan')} failed:")
        for one in failed:
            say(f"  {one.scan}: {one.reason}", style="red")
