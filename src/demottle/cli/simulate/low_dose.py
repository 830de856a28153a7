"""`demottle simulate low-dose`: a real scan as it would have been at a lower dose."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.text import Text

from demottle.cli.screen.console import heading, out, say_warnings, show_json, shown
from demottle.cli.screen.guard import guarded
from demottle.cli.screen.options import (
    AcceptUneven,
    Debug,
    Json,
    Modality,
    Scan,
    Series,
    Spacing,
    Unit,
    Volume,
    parse_spacing,
)
from demottle.cli.screen.progress import watch
from demottle.cli.screen.tables import facts
from demottle.cli.simulate import arguments
from demottle.errors import InputError, OutputError
from demottle.events import Stage
from demottle.io.formats import output_name

if TYPE_CHECKING:
    from demottle.physics.low_dose.scan import LowDose

_SHOWN = (
    ("tube voltage", "kvp", " kV"),
    ("tube current", "tube_current", " mA"),
    ("current modulation", "modulation", ""),
    ("source to axis", "source_to_axis_mm", " mm"),
    ("scan field", "scan_diameter_mm", " mm"),
)


@guarded
def low_dose(
    scan: Scan,
    dose: arguments.LowDoseDose,
    output: arguments.LowDoseOutput,
    seed: arguments.LowDoseSeed = 0,
    repeats: arguments.LowDoseRepeats = 1,
    kernel: arguments.LowDoseKernel = "match",
    correlation: arguments.LowDoseCorrelation = None,
    electronic: arguments.LowDoseElectronic = None,
    bow_tie: arguments.LowDoseBowTie = None,
    modulation: arguments.LowDoseModulation = None,
    beam: arguments.LowDoseBeam = "parallel",
    projector: arguments.LowDoseProjector = "builtin",
    accept_truncated: arguments.LowDoseAcceptTruncated = False,
    format: arguments.LowDoseFormat = None,
    overwrite: arguments.LowDoseOverwrite = False,
    series: Series = None,
    volume: Volume = None,
    spacing: Spacing = None,
    modality: Modality = None,
    unit: Unit = None,
    accept_uneven: AcceptUneven = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Add the noise that a CT scan would have had at a lower dose; the result is marked SIMULATED."""
    from demottle import io
    from demottle.io.output import exists_already, refuse_inputs
    from demottle.physics.low_dose.scan import LowDose, LowDoseSettings, check_dose

    check_dose(dose)
    settings = LowDoseSettings(
        kernel=cast("Any", kernel),
        correlation=_correlation(correlation),
        electronic=electronic,
        bow_tie=bow_tie,
        modulation=modulation,
        beam=cast("Any", beam),
        projector=cast("Any", projector),
        accept_truncated=accept_truncated,
    )
    where = {"modality": modality, "unit": unit, "accept_uneven": accept_uneven, "spacing": parse_spacing(spacing)}
    names = _names(file := io.only_file_in(scan), output, format, repeats)
    whole = names[0] if repeats == 1 else output
    refuse_inputs([whole], [scan])
    if whole.exists() and not overwrite:
        raise exists_already(whole)
    with watch() as listener:
        with listener.stage(Stage.READ):
            image = io.read(file, series=series, volume=volume, **cast("Any", where), listener=listener)
        lost = io.check_output(image, names[0], format)
        simulation = LowDose(image, dose, settings, listener, workers=os.cpu_count() or 1)
        options = {"format": format, "overwrite": overwrite, "listener": listener}
        levels = _written(simulation, seed, names, whole, options)
    warnings = (*io.warnings_of(image), *lost, *simulation.warnings, *simulation.check(levels))
    record = {**simulation.to_dict(), "reached_level_hu": levels, "seed": seed, "warnings": list(warnings)}
    if as_json:
        return show_json({**record, "input": str(file), "output": list(map(str, names))})
    say_warnings(warnings)
    return _show(simulation, levels, whole)


def _written(simulation: "LowDose", seed: int, names: list[Path], whole: Path, options: dict[str, Any]) -> list[float]:
    """Write one realization, or several as one folder: all of them or none; return their noise levels in HU."""
    from demottle.io.output import staged

    if len(names) == 1:
        return [_draw_and_write(simulation, seed, 0, whole, options)]
    with staged(whole, overwrite=options["overwrite"]) as folder:
        folder.mkdir()
        return [
            _draw_and_write(simulation, seed, index, folder / name.name, options) for index, name in enumerate(names)
        ]


def _draw_and_write(simulation: "LowDose", seed: int, repeat: int, path: Path, options: dict[str, Any]) -> float:
    """Draw one realization and write it; return the noise level that it has in HU.

    Raises:
        InputError: where that level is far from the one wanted; nothing is written then.
    """
    from demottle import io

    image = simulation.realization(seed, repeat, options["listener"])
    level = simulation.level_of(image)
    simulation.check([level])
    io.write(image, path, **options)
    return level


def _names(scan: Path, output: Path, wanted: str | None, repeats: int) -> list[Path]:
    """Where each realization goes: OUT itself, or OUT/repeat-01 and so on."""
    from demottle.io.formats import suffix_of

    if repeats == 1:
        return [output_name(output, scan, wanted)]
    if suffix_of(output):
        raise OutputError(f"With --repeats {output.name} becomes a folder of scans; leave out its ending.")
    digits = max(2, len(str(repeats)))
    return [output_name(output / f"repeat-{index:0{digits}d}", scan, wanted) for index in range(1, repeats + 1)]


def _correlation(text: str | None) -> Any:
    if text is None:
        return "geometry"
    if text == "measured":
        return text
    try:
        return float(text)
    except ValueError:
        raise InputError(f"The correlation is '{text}'; it has to be a number from 0 to 0.95, or measured.") from None


def _show(simulation: "LowDose", levels: list[float], whole: Path) -> None:
    record = simulation.to_dict()
    acquisition = record["acquisition"]
    heading("Simulated", f"{100 * simulation.dose:g} % of the dose")
    table = facts()
    reached = ", ".join(f"{level:.1f}" for level in levels[:4]) + (", ..." if len(levels) > 4 else "")
    table.add_row(
        "noise level", f"{simulation.level:.1f} HU before, {reached} HU after; {simulation.target:.1f} HU wanted"
    )
    rho = simulation.correlation
    table.add_row("kernel", _kernel(simulation))
    table.add_row("slice correlation", f"{rho.value:.2f} ({rho.why})")
    table.add_row(
        "local level", "measured is {:.2f} to {:.2f} of what the model expects".format(*record["local_level_fit"])
    )
    table.add_row("scanner", _tube(record["tube"]))
    for label, key, unit in _SHOWN:
        fact = acquisition[key]
        if fact["value"] not in (None, ""):
            value = fact["value"]
            text = f"{value[0]:g} to {value[1]:g}" if isinstance(value, list) else f"{value:g}"
            table.add_row(label, f"{text}{unit} ({fact['from']})")
    table.add_row("written", Text(shown(whole)))
    out.print(table, soft_wrap=True)


def _kernel(simulation: "LowDose") -> str:
    kernel = simulation.kernel
    if isinstance(kernel.value, str):
        return f"{kernel.value} ({kernel.why})"
    if kernel.why == "asked for":
        return f"cut-off at {kernel.value:.2f} /mm ({kernel.why})"
    return f"the scan's own spectrum, of a mean like that of a cut-off at {kernel.value:.2f} /mm ({kernel.why})"


def _tube(tube: dict[str, Any]) -> str:
    used, fitted = tube["used"], set(tube["fitted"])
    names = {"bow_tie": "bow-tie", "electronic": "electronic noise", "modulation": "modulation"}
    return ", ".join(
        f"{label} {used[name]:.3g}{' (fitted)' if name in fitted else ''}" for name, label in names.items()
    )
