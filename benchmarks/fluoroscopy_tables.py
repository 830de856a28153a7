"""The tables of the documentation, from the rows that `benchmarks.fluoroscopy` and `benchmarks.fluoroscopy_full` have written.

    python -m benchmarks.fluoroscopy_tables benchmark-results/fluoroscopy-full.jsonl

For each lag and dose PSNR with its spread over seeds, and what udca wins; then how wide edges become
with speed, what a step misses, and what the recursive filter gains on the static scene, which has to be 9.5 dB.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.fluoroscopy_rows import Row, Rows, tables

RECURSIVE_GAIN = 9.54
"""dB at weight 0.2: 10 log10((2 - w) / w)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", help="JSON lines")
    rows = [row for path in parser.parse_args().files for row in Rows(path).all]
    print(tables(rows))
    print("\n" + widths(rows))
    print("\n" + recursive_check(rows))


def widths(rows: Sequence[Row]) -> str:
    """Markdown: widths of an edge by its speed, and the share of a step that the first and the tenth frame miss."""
    lines = ["| quanta | | edge at 0, 2, 5, 10 px per frame | at 10 / at rest | step missing in frames 1, 10 |"]
    lines.append("|---|---|---|---|---|")
    known = [row for row in rows if "edges" in row and not row["lag"]]
    for quanta, name in dict.fromkeys((row["quanta"], row["name"]) for row in known):
        here = [row for row in known if (row["quanta"], row["name"]) == (quanta, name)]
        mean = [_mean([row["edges"][k] for row in here]) for k in range(len(here[0]["edges"]))]
        told = ", ".join("over 60" if np.isinf(width) else f"{width:.1f}" for width in mean)
        ratio = "" if np.isinf(mean[-1]) else f"{mean[-1] / mean[0]:.2f}"
        first, tenth = (_mean([row[f"{which}_frame_missing"] for row in here]) for which in ("first", "tenth"))
        lines.append(f"| {quanta:g} | {name} | {told} px | {ratio} | {100 * first:.1f} %, {100 * tenth:.1f} % |")
    return "\n".join(lines)


def recursive_check(rows: Sequence[Row]) -> str:
    """The gain of the recursive filter on the static scene, run by run."""
    still = [row for row in rows if row["motion"] == "static" and not row["lag"]]
    before, after = (
        {(row["quanta"], row["seed"], row["size"]): row["psnr"] for row in still if row["name"] == name}
        for name in ("input", "recursive")
    )
    gains = [after[key] - before[key] for key in before if key in after]
    if not gains:
        return "The recursive filter was not run on a static scene."
    told = f"{min(gains):.2f} to {max(gains):.2f} dB in {len(gains)} static runs"
    return f"Recursive filter, weight 0.2: {told}; by its formula {RECURSIVE_GAIN} dB."


def _mean(values: Sequence[float | None]) -> float:
    """Infinite where one is."""
    return float(np.mean([np.inf if value is None else value for value in values]))


if __name__ == "__main__":
    main()
