"""Write what the suite lies found: ROC curves by size and contrast, the tables of docs/benchmark/lies.md between their markers.

python -m tools.lies_page benchmark-results/lies/results.jsonl
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from demottle.benchmark.engine.results import Results
from demottle.benchmark.suites.lies.suite import JUDGING, SMALL_MM, SMALL_TIMES, TUNING
from demottle.quality.limits import Limits

DOCS = Path(__file__).parents[1] / "docs"
PICTURE = "lies-roc.svg"
SIZES = ((4.0, 6.0), (6.0, 9.0), (9.0, 13.0), (13.0, 20.0))
CONTRASTS = ((15.0, 30.0), (30.0, 60.0), (60.0, 100.0))
FALSE_ALARMS = 0.05
_BEGIN, _END = "<!-- begin lies-roc: made by tools/lies_page.py -->", "<!-- end lies-roc -->"

Row = dict[str, Any]
Array = NDArray[np.float64]


def main() -> None:
    """Take the options and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--docs", type=Path, default=DOCS, help="where the documentation is")
    options = parser.parse_args()
    rows = [row for row in Results(options.results).rows if row["suite"] == "lies" and row.get("said")]
    halves = {half: [row for row in rows if row["group"].startswith(half)] for half in (TUNING, JUDGING)}
    draw(halves[JUDGING], options.docs / "pictures" / PICTURE)
    page = options.docs / "benchmark" / "lies.md"
    text = page.read_text(encoding="utf-8")
    before, after = text.split(_BEGIN)[0], text.split(_END)[1]
    page.write_text(f"{before}{_BEGIN}\n\n{told(halves)}\n{_END}{after}", encoding="utf-8")


def told(halves: dict[str, list[Row]]) -> str:
    """Return the tables as Markdown."""
    limit = Limits().spots or np.inf
    chosen = threshold(honest(halves[TUNING], lost=False))
    strict = threshold(honest(halves[TUNING]))
    judged = halves[JUDGING]
    counts = {half: len(lesions(rows)) + len(rows) for half, rows in halves.items()}
    lines = [
        f"{counts[TUNING]} cases to tune on, {counts[JUDGING]} to judge, each an honest result or a copy with one lesion erased "
        "or invented. All of what follows is of the judging half.",
        "",
        "| score beyond which a result is suspect | honest results beyond | of these, a real loss | 6 mm, 2.5 x noise left | "
        "all others |",
        "|---|---|---|---|---|",
    ]
    for name, at in (
        (f"{chosen:.2f}: 5 % of the tuning half's, real losses aside", chosen),
        (f"{limit:g}: the gate's limit", limit),
        (f"{strict:.2f}: 5 % of the tuning half's, all", strict),
    ):
        beyond = [row for row in judged if row["said"]["honest"] > at]
        real = sum(bool(row["said"]["lost"]) for row in beyond)
        small, other = (lesions(judged, small=small) for small in (True, False))
        lines.append(f"| {name} | {len(beyond)} of {len(judged)} | {real} | {share(small, at)} | {share(other, at)} |")
    lines += ["", f"Found beyond {chosen:.2f} (of so many), by diameter and contrast:", ""]
    lines += ["| | " + " | ".join(f"{low:g} to {high:g} HU" for low, high in CONTRASTS) + " |", "|---" * 4 + "|"]
    for low, high in SIZES:
        cells = [
            share([one for one in lesions(judged, small=False) if within(one, (low, high), ends)], chosen, count=True)
            for ends in CONTRASTS
        ]
        lines.append(f"| {low:g} to {high:g} mm | " + " | ".join(cells) + " |")
    lines += ["", f"![ROC curves by size and contrast](../pictures/{PICTURE})", ""]
    return "\n".join(lines)


def honest(rows: Sequence[Row], lost: bool = True) -> Array:
    """Return the largest score of each honest result; without `lost`, of those where no real structure is gone there."""
    return np.array([row["said"]["honest"] for row in rows if lost or not row["said"]["lost"]])


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


def share(found: Sequence[Row], at: float, count: bool = False) -> str:
    """Return how many lesions score beyond, in percent."""
    if not found:
        return "–"
    percent = f"{100 * np.mean([one['score'] > at for one in found]):.0f} %"
    return f"{percent} ({len(found)})" if count else percent


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
    scores = honest(rows, lost=False)
    for place, curves in enumerate(groups, start=1):
        axes = figure.add_subplot(1, 2, place)
        for name, found in (*curves, small):
            axes.step(
                *curve(np.array([one["score"] for one in found]), scores), where="post", label=f"{name} ({len(found)})"
            )
        axes.axvline(FALSE_ALARMS, color="0.7", lw=1, ls=":")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("share of honest results beyond, real losses aside")
        axes.set_ylabel("share of lesions found")
        axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def curve(found: Array, scores: Array) -> tuple[Array, Array]:
    """Return false alarms and detections at every score, false alarms rising."""
    at = np.sort(np.concatenate([scores, found, [np.inf]]))[::-1]
    return np.array([(scores >= t).mean() for t in at]), np.array([(found >= t).mean() for t in at])


if __name__ == "__main__":
    main()
