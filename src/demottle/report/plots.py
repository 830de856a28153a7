"""The page's plots as inline SVG, in the page's colors."""

from collections.abc import Sequence

import numpy as np

from demottle.quality.check.leak import Leak
from demottle.quality.check.shifts import TissueShift
from demottle.quality.check.spectra import Spectra
from demottle.quality.check.verdicts import moved
from demottle.report.drawing import AFTER, BEFORE, FAINT, REMOVED, TEXT, WARN, drawing, legend_above, svg_of


def spectrum_plot(spectra: Spectra, unit: str) -> str:
    """Draw the noise power spectra before, after, and of what was removed."""
    with drawing("spectrum") as (figure, axes):
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
        legend_above(axes)
        return svg_of(figure)


def tissue_plot(shifts: Sequence[TissueShift], unit: str, what: str = "mean after − mean before") -> str:
    """Draw the shift of each tissue's mean with its 90 % interval, over the margin of equivalence."""
    with drawing(what) as (figure, axes):
        margin = shifts[0].margin
        reach = max(1.6 * margin, *(1.15 * max(abs(s.ci_low), abs(s.ci_high)) for s in shifts))
        axes.axvspan(-margin, margin, color=AFTER, alpha=0.10, lw=0)
        axes.axvline(0, color=FAINT, lw=1)
        for place, s in enumerate(shifts):
            color = AFTER if s.equivalent else WARN if moved(s, unit) else TEXT
            axes.plot([s.ci_low, s.ci_high], [place, place], color=color, lw=2.4, solid_capstyle="round")
            axes.plot(s.shift, place, "o", color=color, ms=6)
        axes.set_yticks(range(len(shifts)), [s.name for s in shifts])
        axes.set_ylim(len(shifts) - 0.5, -0.5)
        axes.set_xlim(-reach, reach)
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"{what} ({unit}); shaded: ±{margin:.3g} {unit}")
        return svg_of(figure)


def leak_plot(leak: Leak) -> str:
    """Draw the noise correlation between slices before and after, by distance in slices."""
    with drawing("leak") as (figure, axes):
        lags = np.arange(1, len(leak.before.rho) + 1)
        rhos = [np.nan_to_num(np.array(c.rho, float)) for c in (leak.before, leak.after)]
        axes.bar(lags - 0.19, rhos[0], 0.34, color=BEFORE, label="before")
        axes.bar(lags + 0.19, rhos[1], 0.34, color=AFTER, label="after")
        axes.axhline(0, color=FAINT, lw=1)
        low, high = min(r.min() for r in rhos), max(r.max() for r in rhos)
        axes.set_ylim(min(-0.1, 1.2 * low), max(0.5, 1.15 * high))
        axes.set_xticks(lags)
        axes.set_xlabel("distance (slices)")
        axes.set_ylabel("noise correlation")
        axes.grid(False, axis="x")
        legend_above(axes)
        return svg_of(figure)
