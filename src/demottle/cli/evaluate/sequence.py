"""`demottle evaluate` for a run of frames: with a truth, or with nothing but input and output."""

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.cli.evaluate.figures_csv import write_csv
from demottle.cli.gate import show_gate
from demottle.cli.screen.console import heading, out, say_warnings, show_json
from demottle.cli.screen.progress import Stages, watch
from demottle.cli.screen.tables import before_after, change_of, measured, number, percent
from demottle.errors import InputError
from demottle.events import Stage

if TYPE_CHECKING:
    from demottle.cli.evaluate.case import Given, Reading
    from demottle.cli.pages import Record
    from demottle.cli.results import Results
    from demottle.image import Image
    from demottle.quality.gate import Gate
    from demottle.quality.limits import Limits
    from demottle.quality.measures import Measure
    from demottle.quality.sequence.check import SequenceCheck
    from demottle.quality.sequence.truth import SequenceErrors

    Errors = tuple[SequenceErrors, SequenceErrors]

_OTHERS = ("second_input", "second_output", "structures", "absent_input", "absent_output")


def is_run(scan: Path, reading: "Reading") -> bool:
    """True where SCAN is a run of frames, looking at no pixel of a DICOM series."""
    from demottle import io
    from demottle.io.formats import format_of

    scan = io.only_file_in(scan)
    if reading.modality in ("XA", "RF"):
        return True
    if scan.is_dir() or format_of(scan) in (None, "dicom"):
        return io.holds_run(scan, reading.series) or reading.over_time(scan)
    return reading.read(scan).sequence


def evaluate_run(
    given: "Given",
    reading: "Reading",
    results: "Results",
    as_json: bool,
    limits: "Limits | None" = None,
) -> "Gate | None":
    """Measure a denoised run and show it; with limits it is held against them where it is of MR volumes.

    Raises:
        InputError: for what is only measured on volumes, or shapes that differ.
    """
    from demottle.quality.cohort import Case
    from demottle.quality.sequence.check import check_sequence
    from demottle.quality.sequence.compared import structure_lost
    from demottle.quality.sequence.figures import sequence_figures
    from demottle.quality.sequence.series_gate import series_gate
    from demottle.quality.to_plain import plain

    unused = [name for name in _OTHERS if getattr(given, name) is not None]
    if unused:
        raise InputError(f"--{unused[0].replace('_', '-')} is for volumes; leave it out for a run of frames.")
    assert given.scan is not None and given.output is not None
    found: dict[str, Any] = {}
    with watch() as listener:
        with listener.stage(Stage.READ):
            before, after = reading.read_input(given.scan), reading.read(given.output)
            truth = None if given.truth is None else reading.read(given.truth)
        check = check_sequence(before, after, listener)
        found["check"] = check.to_dict()
        errors = _errors(before, after, truth, listener)
        if errors is not None:
            lost = [sentence for sentence in [structure_lost(errors)] if sentence]
            found["truth"] = {"before": plain(errors[0]), "after": plain(errors[1]), "warnings": lost}

        def draw(page: Path) -> None:
            with listener.stage(Stage.REPORT):
                _write_page(before, after, check, errors, page, None)

        cases = [Case(str(given.scan), str(given.output), tuple(sequence_figures(check, errors)))]
        results.write(lambda table: write_csv(table, cases), draw)
    verdict = None
    if limits is not None and check.modality == "MR":
        verdict = series_gate(check, limits)
        found["gate"] = verdict.to_dict()
    if as_json:
        show_json(found)
        return verdict
    say_warnings([*found.get("truth", {}).get("warnings", ()), *check.warnings])
    if errors is not None:
        _show_errors(errors, check)
    _show_check(check)
    if verdict is not None:
        show_gate(verdict)
    return verdict


def report_run(given: "Given", reading: "Reading", path: Path, record: "Record | None") -> None:
    """Write the page of a run: what `demottle report` does for one."""
    from demottle.quality.sequence.check import check_sequence

    assert given.scan is not None and given.output is not None
    with watch() as listener:
        with listener.stage(Stage.READ):
            before, after = reading.read_input(given.scan), reading.read(given.output)
            truth = None if given.truth is None else reading.read(given.truth)
        check = check_sequence(before, after, listener)
        errors = _errors(before, after, truth, listener)
        with listener.stage(Stage.REPORT):
            _write_page(before, after, check, errors, path, record)


def _errors(before: "Image", after: "Image", truth: "Image | None", listener: Stages) -> "Errors | None":
    """Errors before and after, over one range."""
    from demottle.quality.sequence.compared import compared

    if truth is None:
        return None
    with listener.stage(Stage.EVALUATE):
        return compared(before, after, truth)


def _write_page(
    before: "Image",
    after: "Image",
    check: "SequenceCheck",
    errors: "Errors | None",
    path: Path,
    record: "Record | None",
) -> None:
    from demottle.cli.pages import record_of
    from demottle.report.sequence import write_sequence_page

    write_sequence_page(before, after, check, record or record_of(before, after), path, errors=errors)


def _show_errors(errors: "Errors", check: "SequenceCheck") -> None:
    from demottle.quality.sequence.measures import error_rows

    low, high = errors[0].window
    heading("Against the truth", f"range {low:.4g} to {high:.4g}")
    table = before_after()
    for row in error_rows(check.modality):
        one, other = row.values(errors)
        if isfinite(one) or isfinite(other):
            table.add_row(row.headed(check.unit), *measured(row, one, other))
    out.print(table)


def _show_check(check: "SequenceCheck") -> None:
    from demottle.quality.sequence.measures import headed, sequence_measure

    heading("Without it", "in still parts")
    table = before_after()
    noise_row, held, flicker, mean, trail = (
        sequence_measure(key) for key in ("noise", "held_over", "flicker_still", "mean", "trail")
    )

    def title(row: "Measure", name: str = "") -> str:
        return headed(row, "", check.modality, name)

    change = percent(-check.noise.removed_share, sign=True)
    table.add_row(title(noise_row), *(number(v, noise_row.digits) for v in noise_row.values(check)), change)
    table.add_row(title(held), *(number(v, held.digits) for v in held.values(check)), "")
    low, high = flicker.values(check)
    table.add_row(title(flicker), number(low, 2), number(high, 2), change_of(low, high, 2))
    for shift in check.shifts:
        change = change_of(shift.before, shift.after)
        table.add_row(title(mean, f"{shift.name} parts"), number(shift.before), number(shift.after), change)
    if isfinite(check.trail):
        table.add_row(title(trail), "", "", f"x {number(check.trail, trail.digits)}")
    out.print(table)
