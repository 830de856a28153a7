"""Write a suite's page of the documentation: its tables between the markers, its pictures beside it; what else is there stays.

python -m tools.benchmark_page ct-volume benchmark-results/ct-volume/results.jsonl --rival bm3d
"""

import argparse
import base64
import sys
from pathlib import Path

import cv2
import numpy as np

from demottle.benchmark.engine.results import Results
from demottle.benchmark.shown import tables
from demottle.benchmark.shown.markdown import markdown
from demottle.benchmark.suites.catalog import Suite, suite_named

PAGES = Path(__file__).parents[1] / "docs" / "benchmark"


def main() -> None:
    """Take the options and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite")
    parser.add_argument("results", type=Path)
    parser.add_argument("--rival")
    parser.add_argument("--folder", type=Path, default=PAGES, help="where the pages are")
    options = parser.parse_args()
    results, suite = Results(options.results), suite_named(options.suite)
    rows = tables.done(results.rows, suite.name)
    told = markdown(results, suite, tables.rival_of(rows, options.rival))
    picture = options.folder.parent / "pictures" / f"benchmark-{suite.name}.png"
    if draw(rows, picture):
        told += f"\n![Middle of one slice of each entrant's result](../pictures/{picture.name})\n"
    page = options.folder / f"{suite.name}.md"
    text = page.read_text(encoding="utf-8") if page.exists() else new_page(suite)
    page.write_text(put_between(text, suite.name, told), encoding="utf-8")


def new_page(suite: Suite) -> str:
    """Return the page of a suite that has none yet: title, command, and the place of its figures."""
    first, last = markers(suite.name)
    return (
        f"# {suite.name}\n\n`demottle benchmark --suite {suite.name}`: {suite.summary}. "
        f"How it is measured: [benchmark](index.md#how-it-is-measured).\n\n## Figures\n\n{first}\n{last}\n"
    )


def markers(suite: str) -> tuple[str, str]:
    """Return the lines between which the figures of a suite stand."""
    return f"<!-- begin {suite}: made by tools/benchmark_page.py -->", f"<!-- end {suite} -->"


def put_between(text: str, suite: str, told: str) -> str:
    """Return the page with other text between the markers of a suite; everything else stays as it is."""
    first, last = markers(suite)
    if text.count(first) != 1 or text.count(last) != 1:
        sys.exit(f"The page needs the lines {first} and {last}, once each.")
    before, rest = text.split(first)
    return f"{before}{first}\n\n{told}\n{last}{rest.split(last)[1]}"


def draw(rows: list[dict[str, object]], path: Path, columns: int = 5, double: int = 1) -> bool:
    """Write a grid of the pictures of the first case that is shown; False where there are none."""
    shown = [row for row in rows if row.get("picture")]
    if not shown:
        return False
    case = tables.case_of(shown[0])
    found = {str(row["entrant"]): str(row["picture"]) for row in shown if tables.case_of(row) == case}
    of_case = [row for row in shown if tables.case_of(row) == case]
    truth = [("truth", str(row["truth_picture"])) for row in of_case if row.get("truth_picture")]
    order = truth[:1] + [(name, found[name]) for name in tables.names(rows) if name in found]
    tiles = [tile(name, png, double) for name, png in order]
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % columns)
    grid = np.vstack([np.hstack(tiles[n : n + columns]) for n in range(0, len(tiles), columns)])
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), grid, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return True


def tile(name: str, png: str, double: int) -> np.ndarray:
    """One picture with its name below."""
    gray = cv2.imdecode(np.frombuffer(base64.b64decode(png), np.uint8), cv2.IMREAD_GRAYSCALE)
    gray = np.kron(gray, np.ones((double, double), np.uint8))
    below = np.zeros((18, gray.shape[1]), np.uint8)
    cv2.putText(below, name, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.38, 220, 1, cv2.LINE_AA)
    return np.pad(np.vstack([gray, below]), 2)


if __name__ == "__main__":
    main()
