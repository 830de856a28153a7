"""What the suite lies found: ROC curves and tables by size and contrast; `tools.benchmark_page` puts them on its page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from demottle.benchmark.suites.cases import Choices
from demottle.benchmark.suites.lies.suite import DOSES, JUDGING, SMALL_MM, SMALL_TIMES, TUNING, specs
from demottle.quality.limits import Limits

PICTURE = "lies-roc.svg"
SIZES = ((4.0, 6.0), (6.0, 9.0), (9.0, 13.0), (13.0, 20.0))
CONTRASTS = ((15.0, 30.0), (30.0, 60.0), (60.0, 100.0))
FALSE_ALARMS = 0.05

Row = dict[str, Any]
Array = NDArray[np.float64]


def figures(rows: Sequence[Row], docs: Path) -> str:
    """Return the tables as Markdown; the curves are written to the pictures of the documentation."""
    told_of = [row for row in rows if row["suite"] == "lies" and row.get("said")]
    halves = {half: [row for row in told_of if row["group"].startswith(half)] for half in (TUNING, JUDGING)}
    draw(halves[JUDGING], docs / "pictures" / PICTURE)
    return told(halves)


def told(halves: dict[str, list[Row]]) -> str:
    """Return the tables as Markdown."""
    chosen = threshold(false_alarms(halves[TUNING]))
    counts = {half: len(lesions(rows)) + len(rows) for half, rows in halves.items()}
    lines = [
        f"{counts[TUNING]} cases to tune on ({len(halves[TUNING])} scans), {counts[JUDGING]} to judge ({len(halves[JUDGING])} "
        "scans), each an honest result or a copy with one lesion erased or invented. All of what follows is of the judging half.",
        "",
        *_by_score(halves, chosen),
        "",
        f"Found beyond {chosen:.2f} / what an ideal observer would find (of so many), by diameter and contrast:",
        "",
        *_by_size(halves[JUDGING], chosen),
        "",
        f"The lesions of {SMALL_MM:g} mm and {SMALL_TIMES:g} times the noise left, by the noise of the scan (lowest to highest):",
        "",
        *_by_noise(halves[JUDGING], chosen),
        "",
        "What the spots of honest results are, of all that are listed (beyond 1, at most 20):",
        "",
        *_by_scan(halves[JUDGING], chosen),
        "",
        f"![ROC curves by size and contrast](../pictures/{PICTURE})",
        "",
    ]
    return "\n".join(lines)


def _by_score(halves: dict[str, list[Row]], chosen: float) -> list[str]:
    limit, strict = Limits().spots or np.inf, threshold(honest(halves[TUNING]))
    judged = halves[JUDGING]
    lines = [
        "| score beyond which a result is suspect | honest results beyond | with a false alarm | 6 mm, 2.5 x noise left: found "
        "| possible | all others: found | possible |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, at in (
        (f"{chosen:.2f}: 5 % of the tuning half's false alarms", chosen),
        (f"{limit:g}: the gate's limit", limit),
        (f"{strict:.2f}: 5 % of the tuning half's, real losses too", strict),
    ):
        beyond, wrong = (sum(scores > at) for scores in (honest(judged), false_alarms(judged)))
        cells = [
            text
            for small in (True, False)
            for text in (share(lesions(judged, small), at), possible(lesions(judged, small)))
        ]
        lines.append(f"| {name} | {beyond} of {len(judged)} | {wrong} | " + " | ".join(cells) + " |")
    return lines


def _by_size(rows: Sequence[Row], at: float) -> list[str]:
    lines = ["| | " + " | ".join(f"{low:g} to {high:g} HU" for low, high in CONTRASTS) + " |", "|---" * 4 + "|"]
    others = lesions(rows, small=False)
    for low, high in SIZES:
        cells = [[one for one in others if within(one, (low, high), ends)] for ends in CONTRASTS]
        texts = [f"{share(cell, at)} / {possible(cell)} ({len(cell)})" if cell else "–" for cell in cells]
        lines.append(f"| {low:g} to {high:g} mm | " + " | ".join(texts) + " |")
    return lines


def _by_noise(rows: Sequence[Row], at: float) -> list[str]:
    lines = [
        "| noise HU | left HU | d' in the scan's noise | d' in what was removed | noise reaches | possible | found | lesions |",
        "|---" * 8 + "|",
    ]
    for noise in DOSES:
        scans = [row for row in rows if recipe(row)["sigma"] == noise]
        small = lesions(scans, small=True)
        if small:
            cells = [span([row["said"]["left"] for row in scans])]
            cells += [span([one[key] for one in small]) for key in ("in_noise", "in_removed", "threshold")]
            lines.append(
                f"| {noise:g} | " + " | ".join(cells) + f" | {possible(small)} | {share(small, at)} | {len(small)} |"
            )
    return lines


def _by_scan(rows: Sequence[Row], at: float) -> list[str]:
    lines = [
        f"| scan, noise | method | spots | real losses | lost HU (median, largest) | false alarms | beyond {at:.2f} | told and "
        "true HU of the strongest false one |",
        "|---" * 8 + "|",
    ]
    for row in sorted(rows, key=lambda row: (str(row["group"]), int(row["seed"]))):
        made, found = recipe(row), row["said"]["spots"]
        real, false = ([spot for spot in found if spot["real"] is kind] for kind in (True, False))
        lost = np.abs([spot["true"] for spot in real])
        size = f"{np.median(lost):.0f}, {lost.max():.0f}" if real else "–"
        first = max(false, key=lambda spot: float(spot["score"]), default=None)
        worst = "–" if first is None else f"{first['told']:+.0f}, {first['true']:+.0f} (score {first['score']:.2f})"
        beyond = sum(spot["score"] > at for spot in false)
        cells = (
            f"{made['what']}, {made['sigma']:g} HU",
            made["method"],
            len(found),
            len(real),
            size,
            len(false),
            beyond,
            worst,
        )
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def recipe(row: Row) -> Row:
    """Return what a row's scan was made of."""
    (found,) = (spec.recipe for spec in specs(Choices()) if spec.seed == row["seed"])
    return dict(found)


def span(values: Sequence[float]) -> str:
    """Return the smallest and the largest of some values."""
    low, high = (f"{value:.1f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def possible(found: Sequence[Row]) -> str:
    """Return how many lesions an ideal observer would find, in percent."""
    return f"{100 * np.mean([one['possible'] for one in found]):.0f} %" if found else "–"


def honest(rows: Sequence[Row]) -> Array:
    """Return the largest score of each honest result."""
    return np.array([row["said"]["honest"] for row in rows])


def false_alarms(rows: Sequence[Row]) -> Array:
    """Return the score of each honest result's strongest spot that is no real loss; 1 at most where all that are listed are."""
    return np.array([row["said"]["false"] for row in rows])


def threshold(scores: Array) -> float:
    """Return the smallest score that at most 5 % of these exceed."""
    ranked = np.sort(scores)[::-1]
    return float(ranked[int(FALSE_ALARMS * len(ranked))])


def lesions(rows: Sequence[Row], small: bool | None = None) -> list[Row]:
    """Return all lesions; with `small` only those of 6 mm and 2.5 times the noise left, or only the others."""
    return [one for row in rows for one in row["said"]["lesions"] if small is None or one["small"] == small]


def within(one: Row, sizes: tuple[float, float], contrasts: tuple[float, float]) -> bool:
    """Whether a lesion lies in a range of diameters and contrasts."""
    return sizes[0] <= one["diameter"] < sizes[1] and contrasts[0] <= abs(one["contrast"]) < contrasts[1]


def share(found: Sequence[Row], at: float) -> str:
    """Return how many lesions score beyond, in percent."""
    return f"{100 * np.mean([one['score'] > at for one in found]):.0f} %" if found else "–"


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw the share of lesions found against the share of honest results beyond the same score, by size and by contrast."""
    figure = Figure(figsize=(9.0, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    every = lesions(rows, small=False)
    groups = (
        [(f"{low:g} to {high:g} mm", [one for one in every if low <= one["diameter"] < high]) for low, high in SIZES],
        [
            (f"{low:g} to {high:g} HU", [o for o in every if low <= abs(o["contrast"]) < high])
            for low, high in CONTRASTS
        ],
    )
    small = (f"{SMALL_MM:g} mm, {SMALL_TIMES:g} x noise left", lesions(rows, small=True))
    scores = false_alarms(rows)
    for place, curves in enumerate(groups, start=1):
        axes = figure.add_subplot(1, 2, place)
        for name, found in (*curves, small):
            axes.step(
                *curve(np.array([one["score"] for one in found]), scores), where="post", label=f"{name} ({len(found)})"
            )
        axes.axvline(FALSE_ALARMS, color="0.7", lw=1, ls=":")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("share of honest results with a false alarm beyond")
        axes.set_ylabel("share of lesions found")
        axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def curve(found: Array, scores: Array) -> tuple[Array, Array]:
    """Return false alarms and detections at every score, false alarms rising."""
    at = np.sort(np.concatenate([scores, found, [np.inf]]))[::-1]
    return np.array([(scores >= t).mean() for t in at]), np.array([(found >= t).mean() for t in at])
