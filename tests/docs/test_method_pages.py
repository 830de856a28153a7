"""Every method's page says how it computes, when it works and when not, what differs from its source, and what that is."""

import re
from pathlib import Path

import pytest
from tools.method_tables import OVERVIEW, SIDEBAR, with_sidebar, with_tables

from demottle.methods.registry import METHODS, OWN

PAGES = Path(__file__).parents[2] / "docs" / "methods"
# A part is known by the words that begin it, in bold or as a heading.
WHERE_IT_WORKS = r"(\*\*|## )(When it works|Idea|What it assumes)"
WHERE_IT_DOES_NOT = (
    r"\*\*When not|## (When it works, and when not|What it assumes, and where it fails|What it cannot do)"
)
WHAT_IS_OURS = r"(\*\*|## )(What we changed|What differs from the paper)|^What is ours"
SOURCE = r"(\*\*|## )Sources?\b|arXiv \d{4}\.\d+|\w+,? (19|20)\d\d\b"
FORMULA = r"(`[^`\n]*|^ {4}\S.*) (=|<=) "


@pytest.mark.parametrize("name", [card.name for card in OWN])
def test_a_methods_page_has_all_its_parts(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text()
    parts = {
        "formula": FORMULA,
        "when it works": WHERE_IT_WORKS,
        "when not": WHERE_IT_DOES_NOT,
        "source": SOURCE,
        "what we changed": WHAT_IS_OURS,
    }
    if METHODS[name].paper.startswith("demottle"):  # nobody else's, so all of it is ours
        del parts["what we changed"], parts["source"]
    missing = [part for part, form in parts.items() if not re.search(form, text, flags=re.MULTILINE)]
    assert not missing


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_links_to_papers_lead_where_they_say(page: Path) -> None:
    for said, address in re.findall(r"\[arXiv ([\d.]+)\]\(([^)]*)\)", page.read_text()):
        assert address == f"https://arxiv.org/abs/{said}"


def test_sidebar_and_overview_are_those_of_the_cards() -> None:
    sidebar, overview = SIDEBAR.read_text(), OVERVIEW.read_text()
    assert with_sidebar(sidebar) == sidebar  # python tools/method_tables.py
    assert with_tables(overview) == overview
    for card in OWN:
        assert sidebar.count(f"          - methods/{card.name}.md\n") == 1
        assert overview.count(f"\n| [{card.name}]({card.name}.md) | {'volumes' if card.images == 'both' else ''}") >= 1


def test_a_method_that_is_left_out_or_an_excuse_that_is_not_shown_is_missed() -> None:
    excused = next(card for card in OWN if card.contract.excused)
    for text, made in ((SIDEBAR.read_text(), with_sidebar), (OVERVIEW.read_text(), with_tables)):
        without = "".join(line for line in text.splitlines(keepends=True) if "udca.md" not in line)
        assert made(without) != without
    other = OVERVIEW.read_text().replace(next(iter(excused.contract.excused.values())), "it likes to")
    assert with_tables(other) != other
