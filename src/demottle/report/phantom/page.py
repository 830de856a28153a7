"""One self-contained page about a QA phantom: where it lies, every figure, pictures, curves, and drift over months."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite
from pathlib import Path

from markupsafe import Markup

from demottle import io
from demottle.image import Image
from demottle.quality.phantoms.figures import Figure
from demottle.quality.phantoms.history import FEWEST, Chart
from demottle.quality.phantoms.measured import Examined
from demottle.report.page import environment_and_style, write_whole
from demottle.report.phantom.pictures import pictures_of
from demottle.report.phantom.plots import control_chart, plots_of

CHARTED = (
    ("CT number", None),
    ("uniformity", "middle"),
    ("noise", None),
    ("slice thickness", "mean of the ramps"),
    ("line pairs", "modulation of 50% at"),
    ("line pairs", "modulation of 10% at"),
    ("sharpness", None),
)
"""Figures that are charted even where they did not move: group, and name (None: all of the group)."""


@dataclass(frozen=True)
class Card:
    """One of the large figures on top: label, value, detail; state is "good", "warn" or empty."""

    label: str
    value: str
    detail: str
    state: str = ""


def write_phantom_page(
    before: Image,
    after: Image | None,
    examined: Examined,
    figures: Sequence[Figure],
    charts: Sequence[Chart],
    path: Path,
) -> None:
    """Write the page.

    Args:
        before, after: the scan of the phantom and what was made of it, None for nothing.
        examined: what was measured.
        figures: all figures of it.
        charts: the figures over time; empty where there is no history.
        path: the page; appears only when complete.

    Raises:
        OutputError: where the page cannot be written.
    """
    environment, css = environment_and_style()
    refused = list(examined.before.refused)
    if examined.after is not None:
        refused += [f"After: {sentence}" for sentence in examined.after.refused if sentence not in refused]
    page = environment.get_template("phantom/page.html.j2").render(
        css=css,
        title=examined.found.layout.title,
        facts=_facts(before, examined),
        both=after is not None,
        refused=refused,
        cards=_cards(figures, after is not None),
        pictures=pictures_of(before, after, examined.found),
        groups=[(name, list(rows)) for name, rows in groupby(figures, key=lambda figure: figure.group)],
        plots=[(title, Markup(svg)) for title, svg in plots_of(examined)],
        charts=[(chart, Markup(control_chart(chart))) for chart in charts if _charted(chart)],
        moved=[chart for chart in charts if chart.moved],
        scans=max((len(chart.values) for chart in charts), default=0),
        fewest=FEWEST,
        number=_number,
    )
    write_whole(page, path)


def _facts(image: Image, examined: Examined) -> list[str]:
    pose = examined.found.pose
    slices, rows, columns = image.shape
    between, row, _ = image.spacing
    thick = f", {image.slice_thickness:g} mm thick" if image.slice_thickness else ""
    told = [
        io.description_of(image),
        io.acquired_on(image),
        f"{slices} slices of {rows} x {columns}, {row:.3g} mm pixels, {between:.3g} mm apart{thick}",
        f"turned by {pose.roll:.1f}°, tilted by {pose.lean:.1f}°"
        + (", seen from its other end" if pose.mirrored else ""),
    ]
    return [fact for fact in told if fact]


def _cards(figures: Sequence[Figure], both: bool) -> list[Card]:
    def pick(group: str, name: str) -> Figure | None:
        return next((f for f in figures if (f.group, f.name) == (group, name)), None)

    cards = []
    stated = [f for f in figures if f.within(f.after if both else f.before) is not None]
    if stated:
        good = sum(bool(f.within(f.after if both else f.before)) for f in stated)
        state = "good" if good == len(stated) else "warn"
        cards.append(Card("within stated ranges", f"{good} of {len(stated)}", "after" if both else "figures", state))
    wanted = (("noise", "standard deviation", "noise"), ("slice thickness", "mean of the ramps", "slice thickness"))
    cards += [_card(figure, label, both) for group, name, label in wanted if (figure := pick(group, name))]
    sharp = [f for f in figures if f.group == "sharpness" and f.name.startswith("f50")]
    if sharp:
        cards.append(_card(sharp[0], sharp[0].name, both))
    bars = pick("line pairs", "modulation of 50% at")
    if bars is not None:
        cards.append(_card(bars, "bars at 50 %", both))
    return cards


def _card(figure: Figure, label: str, both: bool) -> Card:
    value = figure.after if both else figure.before
    detail = f"before: {_number(figure.before, figure.digits)}" if both else ""
    if isfinite(figure.low):
        detail = f"stated: {figure.low:g} to {figure.high:g}" + (f", {detail}" if detail else "")
    within = figure.within(value)
    return Card(
        label,
        f"{_number(value, figure.digits)} {figure.unit}".strip(),
        detail,
        "" if within is None else "good" if within else "warn",
    )


def _charted(chart: Chart) -> bool:
    if len(chart.values) < 2:
        return False
    usual = any(chart.group == group and name in (None, chart.figure) for group, name in CHARTED)
    return chart.moved or (usual and not chart.figure.startswith("f10"))


def _number(value: float, digits: int, sign: bool = False) -> str:
    """A figure with its decimals; a dash where it was not measured."""
    if not isfinite(value):
        return "–"
    rounded = round(value, digits) + 0.0
    return f"{rounded:+.{digits}f}" if sign else f"{rounded:.{digits}f}"
