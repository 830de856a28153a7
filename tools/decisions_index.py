"""Write docs/decisions/index.md, the list of all decisions, from the decisions themselves.

python -m tools.decisions_index
"""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs" / "decisions"
PARTS = ("Question", "Data", "Can be repeated", "Decision")
ANSWERS = ("yes", "in part", "no")
HEAD = """# Decisions

What was tried and what was decided, one page each, so that nobody tries it twice; what did not work is here too. Newest last.
Made by `python -m tools.decisions_index`; `CONTRIBUTING.md` tells how to add one.

**How far to trust them.** Most are single runs (one noise seed, one learning seed), some on a loaded machine; learning alone
moves PSNR by a few tenths of a dB. Commands named `benchmarks.…` are scripts of their day, which suites of
[`demottle benchmark`](../benchmark/former-commands.md) replaced. The column "repeat" says whether a command of
the project gives the figures again: *no* marks those of throwaway scripts, *in part* those where some rows came from
one. A command names modules as they were when it was run.
All early settings of `matched-neighbors` were chosen on the truth of the abdomen case that the benchmark also judges.

| | decision | repeat |
|---|---|---|
"""


@dataclass(frozen=True)
class Decision:
    """One page: its file, number, title, and what stands after each of `PARTS`."""

    path: Path
    number: int
    title: str
    parts: dict[str, str]


def read(path: Path) -> Decision:
    """Read a page; ValueError where a part is missing or the answer to "Can be repeated" is none of `ANSWERS`."""
    text = path.read_text(encoding="utf-8")
    title = re.match(r"# (.+)\n", text)
    parts = {part: found[1] for part in PARTS if (found := re.search(rf"^- \*\*{part}:\*\* (.+)$", text, re.MULTILINE))}
    missing = [*([] if title else ["title"]), *(part for part in PARTS if part not in parts)]
    if missing or title is None:
        raise ValueError(f"{path.name} lacks: {', '.join(missing)}")
    if not parts["Can be repeated"].startswith(ANSWERS):
        raise ValueError(f"{path.name}: 'Can be repeated' has to begin with one of: {', '.join(ANSWERS)}")
    return Decision(path, int(path.name[:4]), title[1], parts)


def decisions(folder: Path = FOLDER) -> list[Decision]:
    """Return all decisions of a folder by their number."""
    return [read(path) for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]-*.md"))]


def index(folder: Path = FOLDER) -> str:
    """Return the text of the index."""
    return HEAD + "".join(_row(decision) for decision in decisions(folder))


def _row(decision: Decision) -> str:
    answer = next(answer for answer in ANSWERS if decision.parts["Can be repeated"].startswith(answer))
    return (
        f"| {decision.number} | [{decision.title}]({decision.path.name}). {decision.parts['Decision']} | {answer} |\n"
    )


if __name__ == "__main__":
    (FOLDER / "index.md").write_text(index(), encoding="utf-8")
