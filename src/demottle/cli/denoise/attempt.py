"""One scan of a folder: denoised, left out as done, or failed with a sentence; here, or in a worker process."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from demottle.cli.denoise.aside import aside_name
from demottle.cli.denoise.job import denoise_scan
from demottle.cli.denoise.outcome import Outcome, Record, Wishes
from demottle.cli.pages import read_record
from demottle.cli.places import Places, beside, name_in_batch, places_for
from demottle.cli.screen.console import Said, hear, say, say_warnings
from demottle.cli.screen.guard import explain, sentence_of
from demottle.cli.screen.options import use_method_file
from demottle.cli.screen.progress import Stages, watch
from demottle.io.formats import output_name, stem_of


@dataclass(frozen=True)
class FolderOrder:
    """What is asked for all scans of a folder.

    Attributes:
        root, output, report: the folder, and where results and pages go.
        page: pages are wanted.
        wishes: as for one scan.
        skip: leave out what an earlier run has finished, put aside results that fail the gate included.
        method_file: a method of the user, which a worker process has to know too.
    """

    root: Path
    output: Path
    report: Path | None
    page: bool
    wishes: Wishes
    skip: bool = False
    method_file: Path | None = None


@dataclass(frozen=True)
class Attempt:
    """What became of one scan.

    Attributes:
        name: of the scan, below the folder.
        done: a record a volume, by name.
        reason: why nothing came of it, in one sentence; empty where something did.
        skipped: an earlier run had finished it.
        said: what a worker process had to say; the others have said it.
        seconds: what it took there.
    """

    name: str
    done: tuple[tuple[str, Record], ...] = ()
    reason: str = ""
    skipped: bool = False
    said: tuple[Said, ...] = ()
    seconds: float = 0.0


def attempted(order: FolderOrder, scan: Path, quiet: bool = False) -> Attempt:
    """Denoise one scan of the folder; whatever it raises, Ctrl-C but for, is its reason.

    Args:
        order: what is asked for all of them.
        scan: this one.
        quiet: show no progress.
    """
    name = str(scan.relative_to(order.root))
    try:
        places = _places(order, scan)
        if order.skip and (earlier := _earlier_attempt(name, places)):
            return earlier
        with Stages() if quiet else watch() as listener:
            outcome = denoise_scan(scan, places, order.wishes, listener)
        say_warnings(outcome.warnings)
        if isinstance(outcome, Outcome):
            return Attempt(name, ((name, outcome.to_dict()),))
        return Attempt(name, tuple((f"{name}, volume {label}", record) for label, record in outcome.records))
    except Exception as error:  # one bad scan, or a bug that one scan wakes, must not cost the others
        explain(error)
        return Attempt(name, reason=sentence_of(error))


def begin_worker(order: FolderOrder) -> Callable[[Path], Attempt]:
    """Return what does a scan in a worker process: it says nothing itself, but hands on what is to be said."""
    from time import monotonic

    logging.getLogger("pydicom").setLevel(logging.CRITICAL)  # it quotes headers
    use_method_file(order.method_file)
    ready = replace(order, wishes=with_model(order.wishes))

    def do(scan: Path) -> Attempt:
        begun = monotonic()
        with hear() as said:
            found = attempted(ready, scan, quiet=True)
        return replace(found, said=tuple(said), seconds=monotonic() - begun)

    return do


def with_model(wishes: Wishes) -> Wishes:
    """Load the model, where there is one: once for all scans."""
    model = wishes.request.model
    if not isinstance(model, Path):
        return wishes
    from demottle import methods

    return replace(wishes, request=replace(wishes.request, model=methods.load(model)))


def _places(order: FolderOrder, scan: Path) -> Places:
    """Where the results of one scan of the folder go."""
    root, output, report, wishes = order.root, order.output, order.report, order.wishes
    name = scan.relative_to(root)
    target = output_name(output / name_in_batch(scan, root, wishes.format), scan, wishes.format)
    folder = name.with_name(stem_of(name))
    places = wishes.files.added_to(places_for(target, (report or beside(output)) / folder, order.page), scan, None)
    beyond = aside_name(output) / target.relative_to(output)
    kept = beside(aside_name(output)) if report is None else aside_name(report)
    return replace(places, aside=places_for(beyond, kept / folder, order.page))


def _earlier_attempt(name: str, places: Places) -> Attempt | None:
    """What an earlier run has finished of a scan, as of that run: results appear whole or not at all. None: nothing."""
    aside = places.aside
    if places.output.exists():
        say("Done by an earlier run.")
        return Attempt(name, tuple((f"{name}{label}", record) for label, record in _earlier(places)), skipped=True)
    if aside is None or not aside.output.exists():
        return None
    say(f"Failed the gate in an earlier run; kept in {aside.output}.")
    reason = (
        f"It failed the gate in an earlier run and is kept in {aside.output}; run it alone with --force to accept it."
    )
    return Attempt(name, reason=reason, skipped=True)


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
