"""`demottle report`: the page of a result, again or for the first time."""

from pathlib import Path
from typing import Annotated

import typer

from demottle.cli.evaluate.case import Given, Images, Reading, evaluate_case
from demottle.cli.evaluate.sequence import is_run, report_run
from demottle.cli.pages import Record, read_record, volume_of_record, write_evaluation_page
from demottle.cli.screen.console import out, shown
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import (
    AcceptUneven,
    Debug,
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
from demottle.errors import InputError
from demottle.events import Stage
from demottle.io.output import refuse_existing, refuse_inputs


@guarded
def report(
    places: Annotated[
        list[Path], typer.Argument(metavar="RUN | INPUT OUTPUT", help="OUT-report of a run, or a scan and its output.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The page, ending in .html.")],
    truth: Annotated[Path | None, typer.Option(metavar="TRUTH", help="The noise-free scan, if known.")] = None,
    structures: Annotated[Path | None, typer.Option(metavar="FILE", help="truth.json of a phantom.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace an earlier page.")] = False,
    spacing: Spacing = None,
    series: Series = None,
    volume: Volume = None,
    modality: Modality = None,
    unit: Unit = None,
    accept_uneven: AcceptUneven = False,
    debug: Debug = False,
) -> None:
    """Write the page of a result: from the folder OUT-report of a run, or from a scan and its output.

    The folder of a run names its scan and output; both must still exist.
    """
    from demottle.quality.limits import Limits

    if output.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"'{output}' has to end in .html", param_hint="--output")
    if not overwrite:
        refuse_existing([output])
    scan, denoised, record, record_file = _found(places)
    refuse_inputs([output], [scan, denoised, truth, structures, record_file])
    number = volume or volume_of_record(record)
    reading = Reading(parse_spacing(spacing), parse_modality(modality), accept_uneven, parse_unit(unit), series, number)
    given = Given(denoised, scan, truth, structures=structures)
    if is_run(scan, reading):
        report_run(given, reading, output, record)
        out.print(f"Page   {shown(output)}", markup=False, soft_wrap=True)
        return
    with watch() as listener:
        images, found = evaluate_case(given, reading, Limits(), None, listener)
        with listener.stage(Stage.REPORT):
            write_evaluation_page(Images(images.before, images.after, images.truth), found, output, record)
    out.print(f"Page   {shown(output)}", markup=False, soft_wrap=True)


def _found(places: list[Path]) -> tuple[Path, Path, Record | None, Path | None]:
    """Scan, output, and the record of the run and its file where there is one."""
    if len(places) == 2:
        return places[0], places[1], None, None
    if len(places) != 1:
        raise typer.BadParameter("takes the folder of a run, or a scan and its output", param_hint="RUN | INPUT OUTPUT")
    path = places[0] / "run.json" if places[0].is_dir() else places[0]
    record = read_record(path)
    if record is None and (volumes := _volumes_of_run(places[0])):
        raise InputError(
            f"{places[0]} holds a run of {len(volumes)} volumes, each with a page of its own; "
            f"give one of its folders: {', '.join(volumes)}."
        )
    if record is None:
        raise InputError(
            f"{places[0]} holds no run.json of demottle; give the folder OUT-report of a run, or a scan and its output."
        )
    found = []
    for name in ("input", "output"):
        value = record.get(name)
        if not isinstance(value, str) or not Path(value).exists():
            raise InputError(f"The {name} of this run, {value}, is missing; give a scan and its output instead.")
        found.append(Path(value))
    return found[0], found[1], record, path


def _volumes_of_run(folder: Path) -> list[str]:
    """Names of the folders in OUT-report that hold the record of one volume each, in order; none for any other folder."""
    numbers = [path.parent.name.removeprefix("volume-") for path in folder.glob("volume-*/run.json")]
    return [f"volume-{number}" for number in sorted(numbers, key=lambda text: (len(text), text))]
