"""The plots of a study's page, as inline SVG in the page's colors."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from demottle.report.drawing import AFTER, BEFORE, FAINT, REMOVED, TEXT, WARN, drawing, svg_of
from demottle.study.analysis import Analysis, ArmMean
from demottle.study.comparing import BETTER, INFERIOR, NON_INFERIOR, SLIGHTLY_WORSE, WORSE, Gain

ARM_COLORS = (BEFORE, AFTER, REMOVED, "#7fb2ff", "#d7d06a")
# From bad to good, equal in the middle: told apart by lightness too.
_POINTS = ("#b5563f", "#d29a6a", "#59636f", "#6fa79b", "#3fbfa6")


def gains_plot(gains: Sequence[Gain], paired: bool) -> str:
    """Draw the gain of an arm in each item with its interval, each reader as a small dot, and the margin of non-inferiority."""
    arm, margin = gains[0].arm, gains[0].margin
    with drawing(f"gains {arm}") as (figure, axes):
        axes.axvspan(-margin, 0, color=AFTER, alpha=0.08, lw=0)
        axes.axvline(-margin, color=FAINT, lw=1, ls=(0, (4, 3)))
        axes.axvline(0, color=FAINT, lw=1)
        colors = {BETTER: AFTER, NON_INFERIOR: AFTER, SLIGHTLY_WORSE: WARN, WORSE: WARN, INFERIOR: WARN}
        for place, gain in enumerate(gains):
            color = colors.get(gain.verdict, TEXT)
            readers = np.array(gain.by_reader)
            axes.plot(readers, np.full(len(readers), place + 0.27), "o", color=FAINT, ms=3.5)
            axes.plot(
                [gain.mean.ci_low, gain.mean.ci_high], [place, place], color=color, lw=2.4, solid_capstyle="round"
            )
            axes.plot(gain.mean.value, place, "o", color=color, ms=6)
        _items(axes, [gain.item for gain in gains])
        reach = max(1.2 * margin, *(np.nanmax(np.abs([g.mean.ci_low, g.mean.ci_high, *g.by_reader])) for g in gains))
        axes.set_xlim(-1.08 * reach, 1.08 * reach)
        what = "preference" if paired else "points better"
        axes.set_xlabel(f"{what}: {gains[0].reference} ←  0  → {arm}; dashed: margin −{margin:g}")
        return svg_of(figure)


def means_plot(means: Sequence[ArmMean], arms: Sequence[str]) -> str:
    """Draw the mean points of each arm in each item with their intervals."""
    with drawing("means") as (figure, axes):
        items = list(dict.fromkeys(m.item for m in means))
        for number, arm in enumerate(arms):
            color = ARM_COLORS[number % len(ARM_COLORS)]
            shift = (number - (len(arms) - 1) / 2) * min(0.22, 0.7 / len(arms))
            mine = [m for m in means if m.arm == arm]
            places = [items.index(m.item) + shift for m in mine]
            for m, place in zip(mine, places, strict=True):
                axes.plot([m.mean.ci_low, m.mean.ci_high], [place, place], color=color, lw=2, solid_capstyle="round")
            axes.plot([m.mean.value for m in mine], places, "o", color=color, ms=5.5, label=arm)
        _items(axes, items)
        axes.set_xlim(0.9, 5.1)
        axes.set_xticks(range(1, 6))
        axes.set_xlabel("mean points, 5 is best")
        figure.legend(loc="outside upper center", ncols=len(arms), labelcolor=TEXT)
        return svg_of(figure)


def shares_plot(found: Analysis, item: str) -> str:
    """Draw how often each point was given, a bar for each arm; for pairs, how often each was preferred."""
    means = [m for m in found.means if m.item == item]
    with drawing(f"shares {item}") as (figure, axes):
        figure.set_size_inches(6.2, 0.15 + 0.38 * len(means))
        for place, m in enumerate(means):
            total = max(1, sum(m.counts))
            left = 0.0
            for point, count in enumerate(m.counts):
                share = 100 * count / total
                axes.barh(place, share, left=left, height=0.62, color=_POINTS[point], edgecolor="#141a22", lw=1)
                if share >= 7:
                    axes.text(
                        left + share / 2, place, f"{share:.0f}", ha="center", va="center", color="#fff", fontsize=8.5
                    )
                left += share
        _items(axes, [m.arm for m in means])
        axes.set_xlim(0, 100)
        axes.xaxis.set_visible(False)  # the numbers stand in the bars
        axes.spines["bottom"].set_visible(False)
        axes.grid(False)
        return svg_of(figure)


def legend_of_points(paired: bool) -> list[tuple[str, str]]:
    """The colors of the points, and what they mean."""
    words = ("clearly worse", "slightly worse", "equal", "slightly better", "clearly better")
    return list(zip(_POINTS, words if paired else ("1", "2", "3", "4", "5"), strict=True))


def _items(axes: Any, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
