"""How every plot of the page is drawn: one size, the page's colors, inline SVG."""

import io
import re
from typing import Any

BEFORE, AFTER, REMOVED = "#e3a857", "#5cc8b4", "#9a93e8"
TEXT, FAINT, GRID, WARN = "#aab4c0", "#6c7784", "#242c36", "#ef7d6b"
_NAMED = {
    BEFORE: "before",
    AFTER: "after",
    REMOVED: "removed",
    TEXT: "plot-text",
    FAINT: "faint",
    GRID: "line",
    WARN: "warn",
    "#d7d06a": "fifth",
    "#7fb2ff": "sixth",
}
"""Colors of plots by their names in `page.css`."""
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": TEXT,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": TEXT,
    "ytick.labelcolor": TEXT,
    "legend.frameon": False,
}


class drawing:  # noqa: N801 - reads as a function where it is used
    """A figure of the page's size and style, without matplotlib's global state."""

    def __init__(self, name: str, height: float = 3.3) -> None:
        """Take a name that no other plot of the page has, and a height in inches beside a width of 6.2."""
        self._name, self._height = name, height

    def __enter__(self) -> tuple[Any, Any]:
        import matplotlib

        # The salt keeps the ids of several SVG in one page apart, and the same from run to run.
        self._context = matplotlib.rc_context({**_STYLE, "svg.hashsalt": self._name})
        self._context.__enter__()
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.2, self._height), layout="constrained")
        FigureCanvasAgg(figure)
        return figure, figure.add_subplot()

    def __exit__(self, *args: object) -> None:
        self._context.__exit__(None, None, None)


def legend_above(axes: Any) -> None:
    """Name the curves above the axes, where none of them runs."""
    entries = len(axes.get_legend_handles_labels()[1])
    columns = min(entries, 3)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.99), ncols=columns, labelcolor=TEXT, borderaxespad=0.2)


def svg_of(figure: Any) -> str:
    """The figure as an <svg> element that scales with the page and takes the page's font."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for color, name in _NAMED.items():  # so that the plots follow the page's light and print styles
        svg = svg.replace(color, f"var(--{name}, {color})")
    return svg.replace("'DejaVu Sans'", "system-ui, 'Segoe UI', Roboto, sans-serif")
