"""`demottle phantom`: find a QA phantom in a scan and measure it, before and after a denoiser, and over months."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from demottle.cli.phantom import arguments
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
from demottle.events import Stage

if TYPE_CHECKING:
    from demottle.events import Listener
    from demottle.image import Image
    from demottle.quality.phantoms.figures import Figure
    from demottle.quality.phantoms.history import Chart
    from demottle.quality.phantoms.measured import Examined


@guarded
def phantom(
    scan: arguments.Series,
    after: arguments.After = None,
    kind: arguments.Kind = None,
    html: arguments.Html = None,
    csv: arguments.Csv = None,
    overwrite: arguments.Overwrite = False,
    history: arguments.History = None,
    date: arguments.Date = None,
    as_json: Json = False,
    series: Series = None,
    volume: Volume = None,
    spacing: Spacing = None,
    modality: Modality = None,
    unit: Unit = None,
    accept_uneven: AcceptUneven = False,
    debug: Debug = False,
) -> None:
    """Find a QA phantom in a CT scan and measure it: CT numbers, noise, sharpness, slice thickness.

    Catphan 500, 503, 504, 600, 604, 700, ACR 464, a water phantom and CCT189 are recognized, turned, shifted, and tilted by up
    to 5 degrees.
    """
    from demottle import io
    from demottle.cli.phantom.files import as_mapping, write_figures
    from demottle.physics.phantoms.qa.layouts import layout_named

    if kind is not None:
        layout_named(kind)
    results = Results(csv, html, overwrite, history=history)
    results.refuse((scan, after))
    given = (parse_spacing(spacing), parse_modality(modality), parse_unit(unit))
    with watch() as listener:
        before = _read(scan, given, series, volume, accept_uneven, listener)
        changed = None if after is None else _read(after, given, None, volume, accept_uneven, listener)
        day = _day(before, date, history)
        with listener.stage(Stage.EVALUATE):
            from demottle.quality.phantoms.figures import figures_of
            from demottle.quality.phantoms.measured import examine

            examined = examine(before, changed, kind)
            figures = figures_of(examined, before)
        charts: list[Chart] = []
        remember = partial(_remember, charts, history, figures, day, before, examined.found.layout.kind)

        def draw(page: Path) -> None:
            from demottle.report.phantom.page import write_phantom_page

            with listener.stage(Stage.REPORT):
                write_phantom_page(before, changed, examined, figures, charts, page)

        results.write(lambda table: write_figures(table, figures), draw, history=remember)
    if as_json:
        show_json(as_mapping(examined, figures, charts))
        return
    from demottle.cli.phantom.tables import show_phantom

    say_warnings((*io.warnings_of(before), *_refused(examined)))
    show_phantom(examined, figures, charts)


def _read(
    path: Path,
    given: tuple[tuple[float, float, float] | None, str | None, str | None],
    series: str | None,
    volume: int | None,
    accept_uneven: bool,
    listener: "Listener",
) -> "Image":
    from demottle import io

    spacing, modality, unit = given
    opened = io.open_scan(
        path,
        series=series,
        spacing=spacing,
        modality=modality,
        unit=unit,
        accept_uneven=accept_uneven,
        accept_own_output=True,
    )
    return opened.read(volume, listener)


def _day(scan: "Image", given: str | None, history: Path | None) -> str:
    """The day of the scan; asked for only where there is a history."""
    from datetime import date

    from demottle import io
    from demottle.errors import InputError

    day = given or io.acquired_on(scan)
    if history is None and given is None:
        return day
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        pass
    if given:
        raise InputError(f"'{given}' does not name a day; give it like 2026-03-31.")
    raise InputError("The file does not say on which day the scan was made, and a history needs it.", remedy="date")


def _remember(
    charts: "list[Chart]",
    history: Path | None,
    figures: "Sequence[Figure]",
    day: str,
    scan: "Image",
    kind: str,
    place: Path,
) -> None:
    """Write the history with this scan to `place`, and add its charts to `charts`."""
    if history is None:
        return
    from demottle.cli.phantom.files import with_history
    from demottle.quality.phantoms.history import charts_of

    charts += charts_of(with_history(history, place, figures, day, scan, kind), kind)


def _refused(examined: "Examined") -> tuple[str, ...]:
    first = examined.before.refused
    second = () if examined.after is None else examined.after.refused
    return (*first, *(f"After: {sentence}" for sentence in second if sentence not in first))
