"""A folder of scans: one after the other, the network loaded once, failures named at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import typer

from demottle.cli.denoise.aside import aside_name
from demottle.cli.denoise.job import denoise_scan
from demottle.cli.denoise.outcome import Outcome, Record, Wishes
from demottle.cli.denoise.summary import show_batch
from demottle.cli.pages import read_record
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


@dataclass
class Folder:
    """What became of the scans of a folder so far: one record a volume, not the results themselves, whose images fill memory."""

    pages: Path | None
    done: list[tuple[str, Record]] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    finished: int = 0
    skipped: int = 0

    def write(self) -> None:
        """Write table and page of all scans so far, where pages are wanted: a run that is stopped leaves them, too."""
        if self.pages is None:
            return
        from demottle.report.folder.page import NOT_DONE, Row, row_of, write_folder_report

        rows = [row_of(name, record, self.pages) for name, record in self.done]
        write_folder_report([*rows, *(Row(one.scan, NOT_DONE, reason=one.reason) for one in self.failed)], self.pages)


def denoise_folder(
    root: Path,
    scans: Sequence[Path],
    output: Path,
    report: Path | None,
    page: bool,
    wishes: Wishes,
    as_json: bool,
    skip: bool = False,
) -> None:
    """Denoise every scan into OUT/NAME, its page into OUT-report/NAME; there a table and a page of all of them, too.

    Args:
        skip: leave out what an earlier run has finished, put aside results that fail the gate included.

    Raises:
        typer.Exit: with code 2 where any scan failed; the others are kept.
        KeyboardInterrupt: with the sentence that says what is finished.
    """
    pages = report or beside(output)
    found = Folder(pages if page else None)
    for number, scan in enumerate(scans, start=1):
        name = scan.relative_to(root)
        say(f"\n[{number}/{len(scans)}] {name}", style="bold")
        try:
            places = _places(scan, root, output, report, page, wishes)
            if skip and _left_out(str(name), places, found):
                continue
            found.done += [(f"{name}{label}", record) for label, record in _one(scan, places, wishes)]
            found.finished += 1
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_what_stays(found.finished, len(scans), output)) from None
        except Exception as error:  # one bad scan, or a bug that one scan wakes, must not cost the others
            explain(error)
            found.failed.append(Failure(str(name), sentence_of(error)))
        found.write()
    found.write()
    _show(found, output, as_json)
    if found.failed:
        raise typer.Exit(CANNOT)


def _places(scan: Path, root: Path, output: Path, report: Path | None, page: bool, wishes: Wishes) -> Places:
    """Where the results of one scan of the folder go."""
    name = scan.relative_to(root)
    target = output_name(output / name_in_batch(scan, root, wishes.format), scan, wishes.format)
    folder = name.with_name(stem_of(name))
    places = wishes.files.added_to(places_for(target, (report or beside(output)) / folder, page), scan, None)
    beyond = aside_name(output) / target.relative_to(output)
    kept = beside(aside_name(output)) if report is None else aside_name(report)
    return replace(places, aside=places_for(beyond, kept / folder, page))


def _left_out(name: str, places: Places, found: Folder) -> bool:
    """True where an earlier run has finished a scan, which is then told as of that run: results appear whole or not at all."""
    aside = places.aside
    if not places.output.exists() and not (aside is not None and aside.output.exists()):
        return False
    found.skipped += 1
    if places.output.exists():
        say("Done by an earlier run.")
        found.done += [(f"{name}{label}", record) for label, record in _earlier(places)]
        return True
    assert aside is not None
    say(f"Failed the gate in an earlier run; kept in {aside.output}.")
    reason = (
        f"It failed the gate in an earlier run and is kept in {aside.output}; run it alone with --force to accept it."
    )
    found.failed.append(Failure(name, reason))
    return True


def _earlier(places: Places) -> list[tuple[str, Record]]:
    """Records of an earlier run: one, or one for each volume; where there are none, that there is a result."""
    nothing: Record = {"output": str(places.output), "warnings": []}
    if places.record is None:
        return [("", nothing)]
    if (record := read_record(places.record)) is not None:
        return [("", record)]
    volumes = sorted(places.record.parent.glob("volume-*/run.json"), key=lambda path: int(path.parent.name[7:]))
    told = [(f", volume {path.parent.name[7:]}", read_record(path) or nothing) for path in volumes]
    return told or [("", nothing)]


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


def _show(found: Folder, output: Path, as_json: bool) -> None:
    if as_json:
        failures: list[dict[str, Any]] = [{"scan": one.scan, "reason": one.reason} for one in found.failed]
        show_json({"done": [record for _, record in found.done], "failed": failures, "skipped": found.skipped})
        return
    show_batch(found.done, output, found.pages, count=found.finished + found.skipped)
    if found.pages is not None:
        say(f"All of them: {found.pages / 'index.html'}, as a table: {found.pages / 'results.csv'}")
    if found.failed:
        say("")
        total = counted(found.finished + found.skipped + len(found.failed), "scan")
        say_error(f"{len(found.failed)} of {total} failed:")
        for one in found.failed:
            say(f"  {one.scan}: {one.reason}", style="red")
