"""Plots of an evaluation: texture, sharpness, contrast left, detectability, and one figure for each slice."""

from collections.abc import Sequence

import numpy as np

from demottle.quality.check.spectra import Spectra
from demottle.quality.objects.contrast import Recovered
from demottle.quality.objects.known_objects import Detected
from demottle.quality.objects.observers import Observed
from demottle.quality.objects.sharpness import Sharpness
from demottle.quality.worst import WorstSlice
from demottle.report.drawing import AFTER, BEFORE, FAINT, REMOVED, WARN, drawing, legend_above, svg_of

_COLORS = (AFTER, BEFORE, REMOVED, WARN, "#7fb2ff", "#d7d06a")


def texture_plot(spectra: Spectra) -> str:
    """Draw the noise spectra before and after, each over its own variance: what differs here is texture, not level."""
    with drawing("texture") as (figure, axes):
        for spectrum, color, name in ((spectra.before, BEFORE, "before"), (spectra.after, AFTER, "after")):
            scale = spectrum.sigma**2 or 1.0
            axes.plot(spectrum.frequency[1:], spectrum.density[1:] / scale, color=color, lw=2, label=name)
            axes.axvline(spectrum.mean, color=color, lw=1, ls=(0, (2, 3)))
        axes.set_xlim(0, spectra.before.frequency[-1])
        axes.set_ylim(0)
        axes.set_xlabel("spatial frequency (1/mm); dotted: mean frequency")
        axes.set_ylabel("noise power / variance (mm²)")
        legend_above(axes)
        return svg_of(figure)


def ttf_plot(edges: Sequence[Sharpness], reference: str) -> str:
    """Draw the task transfer functions of structures: dashed in the `reference` ("truth" or "input"), solid after."""
    with drawing("ttf") as (figure, axes):
        for edge, color in zip(edges, _COLORS * len(edges), strict=False):
            axes.plot(edge.reference.frequency, edge.reference.ttf, color=color, lw=1.3, ls=(0, (3, 2)))
            axes.plot(
                edge.after.frequency, edge.after.ttf, color=color, lw=2, label=f"{edge.name} ({edge.contrast:+.0f})"
            )
        for level in (0.5, 0.1):
            axes.axhline(level, color=FAINT, lw=1)
        axes.set_xlim(0, edges[0].after.frequency[-1])
        axes.set_ylim(0, 1.15)
        axes.set_xlabel(f"spatial frequency (1/mm); dashed: {reference}, solid: after")
        axes.set_ylabel("task transfer function")
        legend_above(axes)
        return svg_of(figure)


def contrast_plot(found: Sequence[Recovered], unit: str) -> str:
    """Draw the contrast left of structures, by diameter, or by contrast where all are of one size; bars: standard error."""
    with drawing("contrast") as (figure, axes):
        sizes = np.array([one.diameter_mm for one in found])
        contrasts = np.array([abs(one.contrast) for one in found])
        by_size = bool(np.ptp(sizes) > 0)
        shares = np.array([one.share for one in found])
        errors = np.nan_to_num(np.array([one.share_error for one in found]))
        axes.axhline(1, color=FAINT, lw=1)
        axes.errorbar(sizes if by_size else contrasts, shares, errors, fmt="o", color=AFTER, ecolor=FAINT, ms=6, lw=1.5)
        if not by_size:
            axes.set_xscale("log")
        axes.set_ylim(
            min(0.0, float(np.nanmin(shares - errors)) - 0.1), max(1.2, float(np.nanmax(shares + errors)) + 0.1)
        )
        axes.set_xlabel("diameter (mm)" if by_size else f"contrast ({unit})")
        axes.set_ylabel("share of contrast left")
        return svg_of(figure)


def detectability_plot(found: Sequence[Detected]) -> str:
    """Draw d' (NPWE) of structures before and after, on a logarithmic axis: easy and hard ones lie decades apart."""
    with drawing("detectability") as (figure, axes):
        places = np.arange(len(found))
        for side, color, name in ((0, BEFORE, "before"), (1, AFTER, "after")):
            axes.plot([one.npwe[side] for one in found], places, "o", color=color, ms=7, label=name)
        for place, one in enumerate(found):
            axes.plot(one.npwe, [place, place], color=FAINT, lw=1, zorder=1)
        axes.set_xscale("log")
        axes.set_yticks(places, [one.name for one in found])
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.set_xlabel("d' of the NPWE observer")
        legend_above(axes)
        return svg_of(figure)


def observers_plot(found: Sequence[Observed]) -> str:
    """Draw d' of Hotelling observers with 95 % intervals, before and after, one line for each question."""
    with drawing("observers", height=0.9 + 0.42 * len(found)) as (figure, axes):
        for shift, color, name in ((-0.14, BEFORE, "before"), (0.14, AFTER, "after")):
            for place, one in enumerate(found):
                seen = one.before if name == "before" else one.after
                label = name if place == 0 else None
                axes.plot([seen.dprime_low, seen.dprime_high], [place + shift] * 2, color=color, lw=2.2, alpha=0.7)
                axes.plot(seen.dprime, place + shift, "o", color=color, ms=6, label=label)
        axes.set_yticks(range(len(found)), [one.name for one in found])
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.set_xlim(0)
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("d' (0: chance)")
        legend_above(axes)
        return svg_of(figure)


def slices_plot(worst: WorstSlice, unit: str) -> str:
    """Draw one figure for each slice, the worst marked."""
    with drawing("slices") as (figure, axes):
        numbers = np.arange(1, len(worst.values) + 1)
        axes.plot(numbers, worst.values, color=AFTER, lw=1.6, marker="o" if len(numbers) < 40 else "", ms=3.5)
        axes.plot(worst.slice + 1, worst.values[worst.slice], "o", color=WARN, ms=8)
        axes.set_ylim(0)
        axes.set_xlabel("slice")
        axes.set_ylabel(f"{worst.what} ({unit})")
        return svg_of(figure)
