"""A series with several volumes: each is denoised by itself, and all of them are written as one series again."""

import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from demottle import __version__
from demottle.cli.denoise.outcome import Record, Wishes, source_of
from demottle.cli.denoise.treated import treated
from demottle.cli.gate import refusal
from demottle.cli.places import Places
from demottle.cli.screen.console import say, say_warnings
from demottle.cli.screen.progress import Stages
from demottle.cli.spot_map import MAP, SPREAD, UNCERTAINTY
from demottle.errors import DemottleError, OutputError
from demottle.events import Stage

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.io import Opened
    from demottle.io.volumes.series import Part
    from demottle.quality.gate import Gate

PHASE = "These are phase images, whose values wrap around: no filter here handles them, so they are written unchanged."


@dataclass(frozen=True)
class VolumesOutcome:
    """What came of the volumes of one series: a record of each, with its label."""

    scan: Path
    places: Places
    records: tuple[tuple[str, Record], ...]
    warnings: tuple[str, ...]
    seconds: Mapping[Stage, float]

    def to_dict(self) -> Record:
        """Plain values for `--json`."""
        return {
            "program": "demottle",
            "version": __version__,
            "input": str(self.scan),
            "output": str(self.places.output),
            "volumes": [record for _, record in self.records],
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class _Treated:
    """One volume that is finished: what is written of it, and the verdict of the gate if it fails."""

    part: "Part"
    image: "Image"
    record: Record
    warnings: tuple[str, ...]
    failed: "Gate | None" = None


def denoise_volumes(scan: Path, opened: "Opened", places: Places, wishes: Wishes, listener: Stages) -> VolumesOutcome:
    """Denoise every volume and write all of them as one new series; either everything is in place at the end or nothing.

    Raises:
        GateError: one of them fails the gate, and was not forced: all of them were put aside.
        DemottleError: as `denoise_scan`; the sentence names the volume.
    """
    _refuse_formats_of_one_volume(opened.volumes, places, wishes)
    with tempfile.TemporaryDirectory(prefix="demottle-") as scratch:
        done = []
        for part in opened.volumes:
            say(f"\n[{part.number}/{len(opened.volumes)}] {part.label}", style="bold")
            mine = _places_of(places, part.number)
            try:
                done.append(_treat(scan, opened, part, mine, wishes, listener, Path(scratch)))
            except DemottleError as error:
                raise type(error)(f"Volume {part.number} ({part.label}): {error}", remedy=error.remedy) from error
        warnings = _merged([(one.part, one.warnings) for one in done])
        failed = [one for one in done if one.failed is not None]
        if failed:
            raise _put_aside(done, failed[0], places, wishes, listener, Path(scratch), warnings)
        _write(done, places, wishes, listener, Path(scratch))
    records = tuple((f"{one.part.number}: {one.part.label}", one.record) for one in done)
    return VolumesOutcome(scan, places, records, warnings, listener.seconds)


def _refuse_formats_of_one_volume(parts: "Sequence[Part]", places: Places, wishes: Wishes) -> None:
    from demottle.io.formats import format_of, suffix_of

    count = len(parts)
    files = {header.file for part in parts for volume in part.volumes for header in volume.slices}
    if suffix_of(places.output) and len(files) > 1 and format_of(places.output) == "dicom":
        raise OutputError(
            f"{len(files)} DICOM files need a folder, but {places.output.name} names one file; leave out the suffix."
        )
    kind = wishes.format or format_of(places.output) or "dicom"
    if kind != "dicom":
        raise OutputError(
            f"The series holds {count} volumes, and {kind} holds one; choose one of them, or write DICOM.",
            remedy="volume",
        )
    for name in (name for name in (MAP, UNCERTAINTY, SPREAD) if name in places.extras):
        raise OutputError(
            f"The series holds {count} volumes, and a file for --{name} is of one; choose one of them.", remedy="volume"
        )
    if places.model is not None:
        raise OutputError(
            f"The series holds {count} volumes, each with a model of its own; choose one of them to save a model.",
            remedy="volume",
        )


def _places_of(places: Places, number: int) -> Places:
    """Page and record of one volume: OUT-report/volume-1/report.html; page-volume-1.html where a page was named."""

    def own(path: Path | None) -> Path | None:
        if path is None:
            return None
        if path.name in ("report.html", "run.json"):
            return path.parent / f"volume-{number}" / path.name
        return path.with_name(f"{path.stem}-volume-{number}{path.suffix}")

    aside = None if places.aside is None else _places_of(places.aside, number)
    return replace(places, page=own(places.page), record=own(places.record), aside=aside)


def _treat(
    scan: Path,
    opened: "Opened",
    part: "Part",
    places: Places,
    wishes: Wishes,
    listener: Stages,
    scratch: Path,
) -> _Treated:
    before = dict(listener.seconds)
    with listener.stage(Stage.READ):
        image = opened.read(part.number, listener)
    if part.phase:
        return _unchanged(scan, part, places, image)
    outcome = treated(scan, image, places, wishes, listener)
    if places.page is not None:
        with listener.stage(Stage.REPORT):
            outcome.draw(outcome.to_dict(), scratch / f"{part.number}.html")
    spent = {stage: total - before.get(stage, 0.0) for stage, total in listener.seconds.items()}
    outcome = replace(outcome, seconds={stage: seconds for stage, seconds in spent.items() if seconds > 0})
    return _Treated(
        part, outcome.result.image, outcome.to_dict(), outcome.warnings, outcome.gate if outcome.refused else None
    )


def _unchanged(scan: Path, part: "Part", places: Places, image: "Image") -> _Treated:
    from demottle.image import ProcessingStep
    from demottle.io import warnings_of
    from demottle.io.dicom.headers.marks import UNCHANGED
    from demottle.io.volumes.series import PHASE_IMAGES

    step = ProcessingStep(UNCHANGED, __version__, {"reason": "phase images"})
    record: Record = {
        "program": "demottle",
        "version": __version__,
        "method": UNCHANGED,
        "input": str(scan),
        "output": str(places.output),
        "source": source_of(image),
        "warnings": [PHASE],
    }
    others = tuple(warning for warning in warnings_of(image) if warning != PHASE_IMAGES)
    return _Treated(part, image.with_voxels(image.voxels, step), record, (PHASE, *others))


def _merged(found: "Sequence[tuple[Part, tuple[str, ...]]]") -> tuple[str, ...]:
    """Each warning once, with the volumes it is about, where that is not all of them."""
    about: dict[str, list[int]] = defaultdict(list)
    for part, warnings in found:
        for warning in dict.fromkeys(warnings):
            about[warning].append(part.number)
    told = []
    for warning, numbers in about.items():
        which = f"Volume {numbers[0]}" if len(numbers) == 1 else f"Volumes {', '.join(map(str, numbers))}"
        told.append(warning if len(numbers) == len(found) else f"{which}: {warning}")
    return tuple(told)


def _write(done: "Sequence[_Treated]", places: Places, wishes: Wishes, listener: Stages, scratch: Path) -> None:
    """Put pages, records and the series in their places."""
    from demottle import io
    from demottle.io.output import publishing

    wanted = [(one, _places_of(places, one.part.number)) for one in done]
    pages = {own.page: scratch / f"{one.part.number}.html" for one, own in wanted if own.page is not None}
    pages = {final: drawn for final, drawn in pages.items() if drawn.exists()}
    records = {own.record: one.record for one, own in wanted if own.record is not None}
    with publishing([*pages, *records, places.output], overwrite=wishes.overwrite) as at:
        for final, drawn in pages.items():
            shutil.copyfile(drawn, at[final])
        for final, record in records.items():
            at[final].write_text(json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n")
        with listener.stage(Stage.WRITE):  # last: everything else that can fail has not failed
            images, output = [one.image for one in done], places.output
            io.write(images, output, format=wishes.format, listener=listener, place=at[output])


def _put_aside(
    done: Sequence[_Treated],
    failed: _Treated,
    places: Places,
    wishes: Wishes,
    listener: Stages,
    scratch: Path,
    warnings: tuple[str, ...],
) -> DemottleError:
    """Keep all volumes beside the place they were made for, since one fails; return what to say of it."""
    from demottle.io.refused import marked_refused

    assert failed.failed is not None
    say_warnings(warnings)
    if places.aside is not None:
        marked = []
        for one in done:
            told = one.failed.reasons if one.failed else f"volume {failed.part.number} of the series failed"
            record = {**one.record, "output": str(places.aside.output), "refused": True}
            marked.append(replace(one, image=marked_refused(one.image, told), record=record))
        _write(marked, places.aside, replace(wishes, overwrite=True), listener, scratch)
    error = refusal(failed.failed, places.aside, None, learned=False)
    return type(error)(f"Volume {failed.part.number} ({failed.part.label}): {error}")
