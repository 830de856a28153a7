"""`demottle evaluate`: how good is an output; against its input, a truth, a second scan, known structures; one or many."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from demottle.cli.evaluate.batch import evaluate_batch
from demottle.cli.evaluate.case import Given, Reading, evaluate_case
from demottle.cli.evaluate.figures_csv import write_csv
from demottle.cli.evaluate.options import (
    AbsentInput,
    AbsentOutput,
    AskGate,
    Batch,
    Csv,
    Html,
    Margin,
    Output,
    Overwrite,
    Scan,
    SecondInput,
    SecondOutput,
    Structures,
    Truth,
)
from demottle.cli.evaluate.patterns import holds
from demottle.cli.evaluate.sequence import evaluate_run, is_run
from demottle.cli.evaluate.tables import show_evaluation
from demottle.cli.gate import LimitsFile, limits_of, show_gate
from demottle.cli.results import Results
from demottle.cli.screen.console import say_warnings, show_json
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import (
    AcceptUneven,
    Debug,
    Json,
    Modality,
    Series,
    Spacing,
    Unit,
    Volume,
    parse_modality,
    parse_spacing,
    parse_unit,
)
from demottle.cli.screen.progress import watch
from demottle.cli.spot_map import SpotMapFile, write_map
from demottle.events import Stage

if TYPE_CHECKING:
    from demottle.quality.limits import Limits

GATE_FAILED = 3


@guarded
def evaluate(
    output: Output = None,
    scan: Scan = None,
    truth: Truth = None,
    second_input: SecondInput = None,
    second_output: SecondOutput = None,
    structures: Structures = None,
    absent_input: AbsentInput = None,
    absent_output: AbsentOutput = None,
    margin: Margin = None,
    batch: Batch = None,
    gate: AskGate = False,
    limits: LimitsFile = None,
    csv: Csv = None,
    html: Html = None,
    spot_map: SpotMapFile = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    spacing: Spacing = None,
    series: Series = None,
    volume: Volume = None,
    modality: Modality = None,
    unit: Unit = None,
    accept_uneven: AcceptUneven = False,
    debug: Debug = False,
) -> None:
    """Measure a denoised scan: with a truth, with a second scan, or with nothing but input and output.

    Measures what the given files allow, and says what could not be measured and why. {repeat} in the names of a phantom's
    scans stands for all its repeats: 'OUT/repeat-{repeat}' --input 'PHANTOM/repeat-{repeat}'.
    """
    held = limits_of(limits)
    gated = gate or limits is not None
    reading = Reading(parse_spacing(spacing), parse_modality(modality), accept_uneven, parse_unit(unit), series, volume)
    given = Given(output, scan, truth, second_input, second_output, structures, absent_input, absent_output)
    _refuse_margin(margin)
    results = Results(csv, html, overwrite, spot_map)
    results.refuse((*given.files(), limits))
    if batch is not None:
        if output is not None:
            raise typer.BadParameter("names the outputs already, so leave out OUT", param_hint="--batch")
        if spot_map is not None:
            raise typer.BadParameter("needs a single result, not a batch", param_hint="--map")
        evaluate_batch(batch, given, reading, held if gated else None, margin, results, as_json)
        return
    given.refuse_incomplete()
    if scan is not None and not holds(scan, "repeat") and is_run(scan, reading):
        if spot_map is not None:
            raise typer.BadParameter("is for volumes of CT, not for runs of frames", param_hint="--map")
        verdict = evaluate_run(given, reading, results, as_json, held if gated else None)
        if verdict is not None and not verdict.passed:
            _fail(verdict.reasons)
        return
    _evaluate_volume(given, reading, held, margin, results, as_json, gated)


def _evaluate_volume(
    given: Given,
    reading: Reading,
    held: "Limits",
    margin: float | None,
    results: Results,
    as_json: bool,
    gated: bool,
) -> None:
    """Measure one volume, write what was asked for and show the rest; exit code 3 where it fails a gate that was asked for."""
    from demottle.cli.pages import write_evaluation_page
    from demottle.io import warnings_of
    from demottle.quality.cohort import Case
    from demottle.quality.figures import figures_of

    with watch() as listener:
        images, found = evaluate_case(given, reading, held, margin, listener)

        def draw(page: Path) -> None:
            with listener.stage(Stage.REPORT):
                write_evaluation_page(images, found, page)

        cases = [Case(str(given.scan), str(given.output), tuple(figures_of(found)))]

        def draw_map(place: Path) -> None:
            assert results.spot_map is not None
            write_map(images.before, found.check.spots, results.spot_map, place)

        results.write(lambda table: write_csv(table, cases), draw, draw_map)
    if as_json:
        show_json(found.to_dict())
    else:
        say_warnings((*warnings_of(images.before), *found.check.warnings))
        show_evaluation(found)
        if gated:
            show_gate(found.gate)
    if gated and not found.gate.passed:
        _fail(found.gate.reasons)


def _refuse_margin(margin: float | None) -> None:
    if margin is not None and not 0 < margin < 1000:
        raise typer.BadParameter(f"{margin:g} is not a margin; give a positive number of HU", param_hint="--margin")


def _fail(reasons: str) -> None:
    from demottle.cli.screen.console import say_error

    say_error(f"The result fails the gate: {reasons}.")
    raise typer.Exit(GATE_FAILED)
