"""The page on paper: a PDF (A4) with the verdict, three pictures, the gate's table, and what made it."""

import io as memory
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from demottle import __version__
from demottle.node.documents.planes import Line, lines_of, planes_of, verdict_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from demottle.pipeline.result import Result

_SIZE = (8.27, 11.69)
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.07, 0.93, 0.95, 0.06
_COLORS = {"gate passed": "#1a6b3c", "gate passed with warnings": "#8a5a00", "gate failed": "#a3261b"}
_TONES = {"failed": "#a3261b", "not shown": "#8a5a00"}
_COLUMNS = ((_LEFT, "left"), (_LEFT + 0.09, "left"), (0.80, "right"), (_RIGHT, "right"))
_ROW = 0.0155
_WHAT = 76  # letters of what was measured that stand in a row
_LETTERS = 100  # of a line, in the size that text has
_FONTS: Any = {"pdf.fonttype": 42, "font.family": "DejaVu Sans"}  # real letters, which can be searched and copied


def paper_of(results: "Sequence[Result]", series: str) -> bytes:
    """Draw the pages of all volumes of a series.

    Args:
        results: one for each volume.
        series: what the foot of each page says of the series, without names.

    Returns:
        The PDF; the same results give the same bytes.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    buffer = memory.BytesIO()
    about = {"Title": "demottle: before, after, gate", "Creator": f"demottle {__version__}", "CreationDate": None}
    with mpl.rc_context(_FONTS), PdfPages(buffer, metadata=about) as pages:
        drawn = [figure for number, result in enumerate(results, 1) for figure in _drawn(result, number, len(results))]
        for number, figure in enumerate(drawn, 1):
            foot = f"demottle {__version__}. Research software, not a medical device, not for diagnosis."
            figure.text(_LEFT, 0.035, foot, fontsize=7, color="#555555")
            figure.text(_LEFT, 0.022, series, fontsize=7, color="#555555")
            figure.text(_RIGHT, 0.035, f"{number} / {len(drawn)}", fontsize=7, ha="right", color="#555555")
            pages.savefig(figure)
    return buffer.getvalue()


def _drawn(result: "Result", number: int, of: int) -> "Iterator[Figure]":
    """Pages of one volume: the first with pictures, more where the table needs them."""
    gate = result.record.get("gate")
    figure, at = _first(result, gate, f"Volume {number} of {of}" if of > 1 else "")
    rows = [row for line in lines_of(gate) for row in _rows(line)]
    while True:
        room = int((at - _BOTTOM - 0.03) / _ROW)
        page, rows = rows[:room], rows[room:]
        at = _table(figure, page, at)
        if not rows:
            break
        yield figure
        figure, at = _empty(), _TOP
    unknown = _not_measured(gate)
    height = 0.013 * len(unknown)
    if at - height < _BOTTOM:
        yield figure
        figure, at = _empty(), _TOP
    figure.text(_LEFT, at - 0.02, "\n".join(unknown), fontsize=7.5, va="top", color="#555555", linespacing=1.35)
    yield figure


def _empty() -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=_SIZE, facecolor="white")


def _first(result: "Result", gate: Any, volume: str) -> "tuple[Figure, float]":
    """The page with the pictures, and where on it (from 0 at the bottom to 1) there is room below them."""
    from demottle.report.words import facts

    figure, verdict = _empty(), verdict_of(gate)
    figure.text(_LEFT, _TOP, "Denoised series", fontsize=17, weight="bold", va="top")
    figure.text(
        _RIGHT,
        _TOP - 0.003,
        verdict.capitalize(),
        fontsize=14,
        weight="bold",
        va="top",
        ha="right",
        color=_COLORS.get(verdict, "#555555"),
    )
    strength = (
        f"strength {result.record['strength']:.3g}" if isinstance(result.record.get("strength"), int | float) else ""
    )
    told = [*facts(result.before, result.record), strength, f"seed {result.record.get('seed')}", volume]
    at = _TOP - 0.032
    for line in textwrap.wrap(" · ".join(one for one in told if one), _LETTERS):
        figure.text(_LEFT, at, line, fontsize=8.5, va="top", color="#333333")
        at -= 0.016
    for line in _warnings(result):
        figure.text(_LEFT, at - 0.004, line, fontsize=8, va="top", color="#8a5a00")
        at -= 0.014
    middle, planes = planes_of(result)
    rows, columns = planes[0].pixels.shape
    width = (_RIGHT - _LEFT - 0.02) / 3
    ratio = rows * result.before.spacing[1] / (columns * result.before.spacing[2])
    height = min(width * _SIZE[0] / _SIZE[1] * ratio, 0.4)
    for number, plane in enumerate(planes):
        axes = figure.add_axes((_LEFT + number * (width + 0.01), at - 0.025 - height, width, height))
        plane.draw(axes, result.before.unit, "none")
        axes.set_aspect(result.before.spacing[1] / result.before.spacing[2])
    at -= 0.03 + height
    what = "frame" if result.before.sequence else "slice"
    figure.text(
        _LEFT, at, f"Middle {what}, {middle + 1} of {result.before.shape[0]}", fontsize=7.5, va="top", color="#555555"
    )
    return figure, _cards(figure, result, at - 0.03)


def _warnings(result: "Result") -> list[str]:
    told = [str(one) for one in result.record.get("warnings") or ()]
    lines = [line for one in told for line in textwrap.wrap(one, _LETTERS + 10)]
    return lines if len(lines) <= 8 else [*lines[:7], "and more, on the page that the node keeps"]


def _cards(figure: "Figure", result: "Result", at: float) -> float:
    """Headlines: noise, CT numbers, edges, ...; return where there is room below them."""
    from demottle.pipeline.result import SequenceResult, VolumeResult
    from demottle.report import sequence, words

    shown: list[words.Card] = []
    if isinstance(result, VolumeResult):
        shown = words.cards(result.check)
    elif isinstance(result, SequenceResult):
        shown = sequence.cards(result.check, result.record)
    for card in shown:
        color = "#8a5a00" if card.tone in ("warn", "bad") else "black"
        figure.text(_LEFT, at, card.label, fontsize=8.5, va="top")
        figure.text(0.32, at, card.value, fontsize=8.5, va="top", weight="bold", color=color)
        figure.text(
            0.52, at, textwrap.shorten(card.detail, 72, placeholder=" ..."), fontsize=7.5, va="top", color="#333333"
        )
        at -= 0.0185
    return at - 0.008


def _rows(line: Line) -> list[tuple[str, tuple[str, str, str, str]]]:
    """A line of the table as rows, each with its color: more than one where it says much."""
    color = _TONES.get(line.status, "black")
    first, *more = textwrap.wrap(line.what, _WHAT)
    return [(color, (line.status, first, line.found, line.limit)), *((color, ("", one, "", "")) for one in more)]


def _table(figure: "Figure", rows: "Sequence[tuple[str, tuple[str, str, str, str]]]", at: float) -> float:
    """The gate's table; return where there is room below it."""
    if not rows:
        return at
    for column, head in zip(_COLUMNS, ("Gate", "What", "Found", "Limit"), strict=True):
        _cell(figure, column, at, head, "black", fontsize=8, weight="bold")
    at -= 0.018
    for color, cells in rows:
        for column, told in zip(_COLUMNS, cells, strict=True):
            _cell(figure, column, at, told, color, fontsize=7.5)
        at -= _ROW
    return at


def _cell(figure: "Figure", column: tuple[float, str], at: float, told: str, color: str, **how: Any) -> None:
    figure.text(column[0], at, told, va="top", ha=column[1], color=color, **how)


def _not_measured(gate: Any) -> list[str]:
    verdicts = gate["verdicts"] if isinstance(gate, dict) else []
    unknown = [f"{one['what']} ({one['why']})" for one in verdicts if one["status"] in ("not measured", "not asked")]
    return textwrap.wrap(f"Not measured: {'; '.join(unknown)}.", _LETTERS + 15) if unknown else []
