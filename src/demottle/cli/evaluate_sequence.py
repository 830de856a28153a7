"""`demottle evaluate` for a run of frames: with a truth, or with nothing but input and output."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.cli.console import heading, out, say_warnings, show_json
from demottle.cli.progress import watch
from demottle.cli.tables import before_after, change_of, number, percent
from demottle.errors import InputError

if TYPE_CHECKING:
    from demottle.cli.evaluate_case import Given, Reading
    from demottle.cli.pages import Record
    from demottle.image import Image
    from demottle.quality.sequence_check import SequenceCheck
    from demottle.quality.sequence_truth import SequenceErrors

_OTHERS = ("second_input", "second_output", "structures", "absent_input", "absent_output")
_ROWS = (
    ("PSNR (dB)", "psnr", 2),
    ("SSIM", "ssim", 3),
    ("bias", "bias", 2),
    ("noise over time", "temporal", 1),
    ("noise over space", "spatial", 1),
    ("flicker", "flicker", 2),
)


def is_run(scan: Path, reading: "Reading") -> bool:
    """True where SCAN is a run of frames, looking at no pixel of a DICOM series."""
    from demottle import io
    from demottle.io.formats import format_of

    if reading.modality in ("XA", "RF"):
        return True
    if scan.is_dir() or format_of(scan) in (None, "dicom"):
        return any(series.modality in ("XA", "RF") for series in io.list_series(scan))
    return reading.read(scan).sequence


def evaluate_run(given: "Given", reading: "Reading", html: Path | None, as_json: bool) -> None:
    """Measure a denoised run and show it.

    Raises:
        InputError: for what is only measured on volumes, or shapes that differ.
    """
    from demottle.quality.plain import plain
    from demottle.quality.sequence_check import check_sequence
    from demottle.quality.sequence_truth import sequence_errors

    unused = [name for name in _OTHERS if getattr(given, name) is not None]
    if unused:
        raise InputError(f"--{unused[0].replace('_', '-')} is for volumes; leave it out for a run of frames.")
    assert given.scan is not None and given.output is not None
    found: dict[str, Any] = {}
    errors: tuple[SequenceErrors, SequenceErrors] | None = None
    with watch() as listener:
        with listener.stage("read"):
            before, after = reading.read(given.scan), reading.read(given.output)
            truth = None if given.truth is None else reading.read(given.truth)
        check = check_sequence(before, after, listener)
        found["check"] = check.to_dict()
        if truth is not None:
            with listener.stage("evaluate"):
                first = sequence_errors(before, truth)
                errors = first, sequence_errors(after, truth, first.window)
            found["truth"] = {"before": plain(errors[0]), "after": plain(errors[1])}
        if html is not None:
            _write_page(before, after, check, html, None)
    if as_json:
        show_json(found)
        return
    say_warnings(check.warnings)
    if errors is not None:
        _show_errors(*errors)
    _show_check(check)


def report_run(given: "Given", reading: "Reading", path: Path, record: "Record | None") -> None:
    """Write the page of a run: what `demottle report` does for one."""
    from demottle.quality.sequence_check import check_sequence

    assert given.scan is not None and given.output is not None
    with watch() as listener:
        with listener.stage("read"):
            before, after = reading.read(given.scan), reading.read(given.output)
        check = check_sequence(before, after, listener)
        with listener.stage("report"):
            _write_page(before, after, check, path, record)


def _write_page(before: "Image", after: "Image", check: "SequenceCheck", path: Path, record: "Record | None") -> None:
    from demottle.cli.pages import record_of
    from demottle.report.sequence import write_sequence_page

    write_sequence_page(before, after, check, record or record_of(before, after), path)


def _show_errors(before: "SequenceErrors", after: "SequenceErrors") -> None:
    low, high = before.window
    heading("Against the truth", f"range {low:.4g} to {high:.4g}")
    table = before_after()
    for name, attribute, places in _ROWS:
        one, other = (float(getattr(errors, attribute)) for errors in (before, after))
        table.add_row(name, number(one, places), number(other, places), change_of(one, other, places))
    out.print(table)


def _show_check(check: "SequenceCheck") -> None:
    heading("Without it", "in still parts")
    table = before_after()
    noise = check.noise
    table.add_row(
        "noise of a frame", number(noise.before), number(noise.after), percent(-noise.removed_share, sign=True)
    )
    table.add_row("held over to the next", number(check.held_before, 2), number(check.held_after, 2), "")
    for shift in check.shifts:
        change = change_of(shift.before, shift.after)
        table.add_row(f"mean, {shift.name} parts", number(shift.before), number(shift.after), change)
    table.add_row("removed where it moves", "", "", f"x {number(check.trail, 2)}")
    out.print(table)
