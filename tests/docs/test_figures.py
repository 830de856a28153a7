"""Every figure of quality or speed in the documentation says where it is from: command or test, cases, and how sure it is.

A block (paragraph, item of a list, table) that holds such a figure says so itself, or an earlier block of its section does, or,
outside of the benchmark, it leads to a page of the benchmark or a decision. Decisions have a form of their own.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OTHERS = ("decisions", "api", "benchmark/remarks")  # remarks are part of their pages
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if not page.relative_to(DOCS).as_posix().startswith(OTHERS)]

FIGURE = re.compile(
    r"\d (dB|seconds|GiB|s|ms|minutes)\b"  # what a method reaches or takes
    r"|\d %( \([^)]*\))? of (the|its|their) contrast"
    r"|\d frames of [\dx ]+ per second"
    r"|\b(RMSE|moved?|moves|shifted|shifts)\b[^.|]{0,60}\d HU|\d HU (too )?(bright|dark|of error)"  # 40 HU of noise is none
    r"|^\|.*\b(PSNR|RMSE)\b.*\|\n\|[ :|-]+\|$",  # the head of a table of figures
    re.MULTILINE,
)
NO_RESULT = re.compile(r"less than|beyond|margin|at most|aim")
SOURCE = re.compile(
    r"`[^`]*\b(demottle (benchmark|simulate|denoise|train|evaluate|phantom)|pytest|benchmarks\.|python -m tools\.)[^`]*`"
    r"|^\$? ?demottle |tests/\w+|\(tested|contract test|a test holds|(is|are) not kept|20 log10",
    re.MULTILINE,
)
CASES = re.compile(
    r"\b[Ss]eeds?\b"
    r"|\b(one|two|three|four|six|eight|ten|twelve|\d+) (\w+ )?(cases?|runs?|heads?|patients?|draws|realizations|trainings?)\b"
    r"|tests/\w+|\(tested|contract test|a test holds|20 log10"
)
SPREAD = re.compile(
    r"95 %|±|standard (error|deviation)|no (interval|spread)|\b[Oo]ne (\w+ )?(seed|case|run|head|patient|realization|training)\b"
    r"|\b[Ss]eeds? \d+\b(?! to)|\b[Tt]wo (\w+ )?(seeds|cases|runs)\b|tests/\w+|\(tested|contract test|a test holds|20 log10"
)
LEADS_ON = re.compile(r"\]\([\w./]*(benchmark|decisions)/[\w-]+\.md")
IN_README = re.compile(r"\d to \d|± \d|no interval")


@dataclass(frozen=True)
class Block:
    """A paragraph, item or table with what its section says before it."""

    text: str
    before: str = ""

    @property
    def has_figures(self) -> bool:
        plain = re.sub(r"`[^`]*`", "", self.text)  # formulas and commands hold settings
        return any(not NO_RESULT.search(found.group()) for found in FIGURE.finditer(plain))

    @property
    def lacks(self) -> list[str]:
        """What a reader cannot find: where it is from, of how many cases, how sure it is."""
        told = f"{self.before}\n{self.text}"
        forms = {"source": SOURCE, "cases": CASES, "interval": SPREAD}
        return [name for name, form in forms.items() if not form.search(told)] if self.has_figures else []


def blocks_of(text: str) -> list[Block]:
    """The blocks of a page; tables made from a suite's results belong to the top of the page, which names the command."""
    found, before = [], ""
    top = text.split("\n## ")[0]
    for part in re.split(r"\n\s*\n|\n(?=- |\d+\. )", text):
        if part.lstrip().startswith("#"):
            before = ""
        if "<!-- begin" in part:
            before += top
        found.append(Block(part, before))
        before += f"\n{part}"
    return found


def lacking(text: str, may_lead_on: bool) -> list[tuple[list[str], str]]:
    return [
        (block.lacks, block.text[:200])
        for block in blocks_of(text)
        if block.lacks and not (may_lead_on and LEADS_ON.search(block.text))
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_a_figure_says_where_it_is_from_and_how_sure_it_is(page: Path) -> None:
    assert lacking(page.read_text(encoding="utf-8"), page.parent.name != "benchmark") == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("It gains 1.2 dB.", ["source", "cases", "interval"]),
        ("`demottle benchmark --suite mr`: it gains 1.2 dB.", ["cases", "interval"]),
        ("`demottle benchmark --suite mr`, three seeds: 1.2 dB.", ["interval"]),
        ("Three seeds: 1.2 dB (95 % interval: 1.0 to 1.4).", ["source"]),
        ("| | PSNR |\n|---|---|\n| nlm | 29.1 |", ["source", "cases", "interval"]),
        ("Discs keep 80 % of the contrast.", ["source", "cases", "interval"]),
        ("Fat moved by 3 HU.", ["source", "cases", "interval"]),
        ("`demottle benchmark --suite mr`, seed 1: 1.2 dB.", []),
        ("Noise of 40 HU; `y = 2 s`; it moves by less than 1 HU.", []),
    ],
)
def test_what_a_figure_lacks_is_seen(text: str, missing: list[str]) -> None:
    assert Block(text).lacks == missing


def test_a_section_does_not_speak_for_the_next() -> None:
    told = "## A\n\n`demottle benchmark --suite mr`, seed 1:\n\n1.2 dB.\n\n"
    assert lacking(told, False) == []
    assert lacking(f"{told}## B\n\n1.3 dB.", False) == [(["source", "cases", "interval"], "1.3 dB.")]
    assert lacking("1.3 dB ([more](benchmark/mr.md)).", True) == []


def test_rows_of_the_readme_have_an_interval_and_lead_to_their_page() -> None:
    lines = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| [")]
    assert len(lines) >= 5
    for line in lines:
        pages = re.findall(r"\]\((docs/benchmark/[\w-]+\.md)", line)
        assert pages and all((ROOT / page).exists() for page in pages), line
        assert IN_README.search(line), line
