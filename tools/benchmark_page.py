"""Write a suite's page of the documentation, whole: what it measures, the remarks on it, its figures and pictures.

python -m tools.benchmark_page ct-volume benchmark-results/ct-volume/results.jsonl --rival bm3d
python -m tools.benchmark_page speed benchmark-results/speed/results.jsonl --part "An archive"
python -m tools.benchmark_page

What it measures is the description of the suite's own module; remarks, what to make of the figures, stand in
`docs/benchmark/remarks/SUITE.md`. Without arguments all pages are written again around the figures that they hold.
"""

import argparse
import base64
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
from tools import lies_page

from demottle.benchmark.engine.results import Results
from demottle.benchmark.shown import tables
from demottle.benchmark.shown.markdown import markdown
from demottle.benchmark.suites.catalog import SUITES, Suite, suite_named

PAGES = Path(__file__).parents[1] / "docs" / "benchmark"
REMARKS = "remarks"
"""The folder of what is written by hand, beside the pages; a suite without remarks has no page yet."""


def main() -> None:
    """Take the options and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="?")
    parser.add_argument("results", type=Path, nargs="?")
    parser.add_argument("--rival")
    parser.add_argument("--part", help="heading under which these figures stand beside those that the page holds")
    parser.add_argument("--folder", type=Path, default=PAGES, help="where the pages are")
    options = parser.parse_args()
    if options.suite is None:
        for name in with_pages(options.folder):
            write(suite_named(name), options.folder)
    elif options.results is None:
        parser.error("RESULTS is missing: the results.jsonl of the suite.")
    else:
        suite = suite_named(options.suite)
        figures = figures_of(Results(options.results), suite, options.rival, options.folder)
        if options.part:
            page = options.folder / f"{suite.name}.md"
            figures = with_part(held(page.read_text(encoding="utf-8"), suite.name), options.part, figures)
        write(suite, options.folder, figures)


def figures_of(results: Results, suite: Suite, rival: str | None, folder: Path) -> str:
    """Return the tables of the results, with the pictures, which are written beside the pages."""
    rows = tables.done(results.rows, suite.name)
    told = markdown(results, suite, tables.rival_of(rows, rival))
    if suite.name == "lies":
        told = f"{lies_page.figures(results.rows, folder.parent)}\n**All of it.** {told}"
    picture = folder.parent / "pictures" / f"benchmark-{suite.name}.png"
    if draw(rows, picture):
        told += f"\n![Middle of one slice of each entrant's result](../pictures/{picture.name})\n"
    return told


def with_pages(folder: Path = PAGES) -> list[str]:
    """Return the suites that have a page, by name."""
    return [name for name in SUITES if (folder / REMARKS / f"{name}.md").exists()]


def write(suite: Suite, folder: Path, figures: str | None = None) -> None:
    """Write the page of a suite; without figures those that it holds stay."""
    path = folder / f"{suite.name}.md"
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(page(suite, folder, held(old, suite.name) if figures is None else figures), encoding="utf-8")


def page(suite: Suite, folder: Path, figures: str) -> str:
    """Return the whole page around its figures."""
    first, last = markers(suite.name)
    remarks = folder / REMARKS / f"{suite.name}.md"
    told = remarks.read_text(encoding="utf-8").strip() if remarks.exists() else ""
    parts = [
        f"# {suite.title}",
        f"`demottle benchmark --suite {suite.name}`: {suite.summary}{'' if suite.summary.endswith('?') else '.'} "
        "How it is measured: [benchmark](index.md#how-it-is-measured).",
        description(suite),
        told,
        "## Figures",
        f"{first}\n\n{figures.strip()}\n\n{last}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def description(suite: Suite) -> str:
    """Return what the suite's module says of itself, a line a paragraph, less its first line, which the summary is."""
    text = import_module(suite.module).__doc__ or ""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n")[1:])


def markers(suite: str) -> tuple[str, str]:
    """Return the lines between which the figures of a suite stand."""
    return f"<!-- begin {suite}: made by tools/benchmark_page.py -->", f"<!-- end {suite} -->"


def held(text: str, suite: str) -> str:
    """Return the figures of a page; "" where it has none."""
    first, last = markers(suite)
    return text.split(first)[1].split(last)[0].strip() if first in text else ""


def with_part(figures: str, name: str, part: str) -> str:
    """Return the figures of a page with a part of them, of its own machine and day, put in or replaced."""
    first, *others = figures.split("\n### ")
    kept = [one.strip() for one in others if one.partition("\n")[0].strip() != name]
    return "\n\n".join([first.strip(), *(f"### {one}" for one in [*kept, f"{name}\n\n{part.strip()}"])])


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
