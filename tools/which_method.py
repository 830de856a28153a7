"""Write docs/which-method.md: the text of docs/benchmark/remarks/which-method.md with the figures of the benchmark's pages.

    python -m tools.which_method

A figure stands in the text as `{{page | table | row | column}}`: the page of the benchmark, words that the line above the table
begins with, the entrant, and the head of the column. `*` at the end of table or row takes several, told as "least to most".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

PAGES = Path(__file__).parents[1] / "docs" / "benchmark"
SOURCE = PAGES / "remarks" / "which-method.md"
PAGE = PAGES.parent / "which-method.md"
_PLACE = re.compile(r"\{\{([^{}]+)\}\}")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_ABOVE = re.compile(r"\*\*|#|`[\w-]+`;")
_RULE = ("|--", "| --", "|:-", "| :-")
_UNMEASURED = "–"


@dataclass(frozen=True)
class Cell:
    """A figure of a page: what stands above its table, its row and column, and its text."""

    table: str
    row: str
    column: str
    text: str


def cells_of(text: str) -> Iterator[Cell]:
    """Every figure of a page's tables; a table that goes on below "more" has the same line above."""
    above, columns = "", list[str]()
    for line in text.splitlines():
        if not line.startswith("|"):
            columns = []
            if _ABOVE.match(line):
                above = line.lstrip("*# ")
            continue
        first, *others = (part.strip() for part in line.removeprefix("|").removesuffix("|").split("|"))
        if not columns:
            columns = others
        elif not line.startswith(_RULE):
            yield from (Cell(above, _plain(first), name, cell) for name, cell in zip(columns, others, strict=True))


def _plain(name: str) -> str:
    """The name of a row without link, emphasis and number of cases."""
    return re.sub(r" \(n = \d+\)$", "", re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", name).replace("*", ""))


def figure(place: str, pages: Path = PAGES) -> str:
    """Return the figure that a place of the text names.

    Raises:
        ValueError: where no figure, or several where one is asked for, is found.
    """
    name, table, row, column = (part.strip() for part in place.split("|"))
    text = (pages / f"{name}.md").read_text(encoding="utf-8")
    found = [cell for cell in cells_of(text) if cell.column == column and _named(cell, table, row)]
    told = [cell.text.replace("**", "") for cell in found if cell.text != _UNMEASURED]
    several = "*" in table or "*" in row
    if not told or (len(told) > 1 and not several):
        raise ValueError(f"{name} has {len(told)} figures for {place}.")
    return _span(told) if several else told[0]


def _named(cell: Cell, table: str, row: str) -> bool:
    return cell.table.startswith(table.rstrip("*")) and fnmatchcase(cell.row, row)


def _span(told: list[str]) -> str:
    """Least and most of several figures, without their intervals; one figure alone as it is."""
    if len(told) == 1:
        return told[0]
    numbers = [found.group() for text in told if (found := _NUMBER.match(text))]
    return f"{min(numbers, key=float)} to {max(numbers, key=float)}"


def page(text: str, pages: Path = PAGES) -> str:
    """Return the text with its figures, and its links as they are from one folder above."""
    told = _PLACE.sub(lambda place: figure(place[1], pages), text)
    return re.sub(r"\]\((\.\./)?(?=[\w-]+[\w/-]*\.md)", lambda link: "](" if link[1] else "](benchmark/", told)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(SOURCE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
