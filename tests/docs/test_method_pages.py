"""Every method's page says how it computes, when it works and when not, what differs from its source, and what that is."""

import re
from pathlib import Path

import pytest

from demottle.methods.registry import METHODS

PAGES = Path(__file__).parents[2] / "docs" / "methods"
# A part is known by the words that begin it, in bold or as a heading.
WHERE_IT_WORKS = r"(\*\*|## )(When it works|Idea|What it assumes)"
WHERE_IT_DOES_NOT = (
    r"\*\*When not|## (When it works, and when not|What it assumes, and where it fails|What it cannot do)"
)
WHAT_IS_OURS = r"(\*\*|## )(What we changed|What differs from the paper)|^What is ours"
SOURCE = r"(\*\*|## )Sources?\b|arXiv \d{4}\.\d+|\w+,? (19|20)\d\d\b"
FORMULA = r"(`[^`\n]*|^ {4}\S.*) (=|<=) "


@pytest.mark.parametrize("name", METHODS)
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
