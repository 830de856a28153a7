"""The page's plots as inline SVG, in the page's colors."""

import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from demottle.quality.leak import Leak
from demottle.quality.shifts import TissueShift
from demottle.quality.spectra import Spectra
from demottle.quality.verdicts import moved

BEFORE, AFTER, REMOVED = "#e3a857", "#5cc8b4", "#9a93e8"
_TEXT, _FAINT, _GRID, _WARN = "#aab4c0", "#6c7784", "#242c36", "#ef7d6b"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": _TEXT,
    "axes.labelcolor": _TEXT,
    "axes.edgecolor": _GRID,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.8,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "xtick.labelcolor": _TEXT,
    "ytick.labelcolor": _TEXT,
    "legend.frameon": False,
}


def spectrum_plot(spectra: Spectra, unit: str) -> str:
    """Draw the noise power spectra before, after, and of what was removed."""
    with _figure("spectrum") as (figure, axes):
        curves = (
            (spectra.before, BEFORE, "before"),
            (spectra.after, AFTER, "after"),
            (spectra.removed, REMOVED, "removed"),
        )
        for spectrum, color, name in curves:
            style = (0, (4, 2)) if name == "removed" else "-"
            axes.plot(spectrum.frequency[1:], spectrum.density[1:], color=color, lw=2, ls=style, label=name)
        axes.fill_between(spectra.after.frequency[1:], spectra.after.density[1:], color=AFTER, alpha=0.10, lw=0)
        axes.set_xlim(0, spectra.before.frequency[-1])
        axes.set_ylim(0)
        axes.set_xlabel("spatial frequency (1/mm)")
        axes.set_ylabel(f"noise power ({unit}² mm²)")
        axes.legend(loc="upper right", labelcolor=_TEXT)
        return _svg(figure)


def tissue_plot(shifts: Sequence[TissueShift], unit: str) -> str:
    """Draw the shift of each tissue's mean with its 90 % interval, over the margin of equivalence."""
    with _figure("tissues") as (figure, axes):
        margin = shifts[0].margin
        reach = max(1.6 * margin, *(1.15 * max(abs(s.ci_low), abs(s.ci_high)) for s in shifts))
        axes.axvspan(-margin, margin, color=AFTER, alpha=0.10, lw=0)
        axes.axvline(0, color=_FAINT, lw=1)
        for place, s in enumerate(shifts):
            color = AFTER if s.equivalent else _WARN if moved(s, unit) else _TEXT
            axes.plot([s.ci_low, s.ci_high], [place, place], color=color, lw=2.4, solid_capstyle="round")
            axes.plot(s.shift, place, "o", color=color, ms=6)
        axes.set_yticks(range(len(shifts)), [s.name for s in shifts])
        axes.set_ylim(len(shifts) - 0.5, -0.5)
        axes.set_xlim(-reach, reach)
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"mean after − mean before ({unit}); shaded: ±{margin:.3g} {unit}")
        return _svg(figure)


def leak_plot(leak: Leak) -> str:
    """Draw the noise correlation between slices before and after, by distance in slices."""
    with _figure("leak") as (figure, axes):
        lags = np.arange(1, len(leak.before.rho) + 1)
        rhos = [np.nan_to_num(np.array(c.rho, float)) for c in (leak.before, leak.after)]
        axes.bar(lags - 0.19, rhos[0], 0.34, color=BEFORE, label="before")
        axes.bar(lags + 0.19, rhos[1], 0.34, color=AFTER, label="after")
        axes.axhline(0, color=_FAINT, lw=1)
        low, high = min(r.min() for r in rhos), max(r.max() for r in rhos)
        axes.set_ylim(min(-0.1, 1.2 * low), max(0.5, 1.15 * high))
        axes.set_xticks(lags)
        axes.set_xlabel("distance (slices)")
        axes.set_ylabel("noise correlation")
        axes.grid(False, axis="x")
        axes.legend(loc="upper right", labelcolor=_TEXT)
        return _svg(figure)


class _figure:  # noqa: N801 - reads as a function where it is used
    """A figure of the page's size and style, without matplotlib's global state."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> tuple[Any, Any]:
        import matplotlib

        # The salt keeps the ids of several SVG in one page apart, and the same from run to run.
        self._context = matplotlib.rc_context({**_STYLE, "svg.hashsalt": self._name})
        self._context.__enter__()
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.2, 3.3), layout="constrained")
        FigureCanvasAgg(figure)
        return figure, figure.add_subplot()

    def __exit__(self, *args: object) -> None:
        self._context.__exit__(None, None, None)


def _svg(figure: Any) -> str:
    """The figure as an <svg> element that scales with the page and takes the page's font."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return svg.replace("'DejaVu Sans'", "system-ui, 'Segoe UI', Roboto, sans-serif")
