"""Every decision says what was asked, on which data, whether it can be repeated, and what was decided; all are in the index."""

from pathlib import Path

import pytest
from tools.decisions_index import FOLDER, decisions, index, read


def test_the_index_is_made_from_the_decisions_as_they_are() -> None:
    assert (FOLDER / "index.md").read_text(encoding="utf-8") == index(), "run: python -m tools.decisions_index"


def test_every_page_of_the_folder_is_a_decision_with_a_number_of_its_own() -> None:
    numbers = [decision.number for decision in decisions()]
    assert len(numbers) == len(set(numbers)), "two branches took the same number: rename the newer file"
    pages = {path.name for path in FOLDER.glob("*.md")} - {"index.md", "template.md"}
    assert pages == {decision.path.name for decision in decisions()}


def test_the_template_is_a_decision_that_can_be_filled_in(tmp_path: Path) -> None:
    new = tmp_path / "0001-title.md"
    new.write_text((FOLDER / "template.md").read_text())
    assert read(new).number == 1
    assert "| 1 | [What was decided, as a short title](0001-title.md)." in index(tmp_path)


def test_a_decision_without_a_part_is_refused_by_name(tmp_path: Path) -> None:
    new = tmp_path / "0001-title.md"
    new.write_text("# Title\n\n- **Question:** Which?\n- **Data:** Some.\n- **Decision:** None.\n")
    with pytest.raises(ValueError, match=r"0001-title\.md lacks: Can be repeated"):
        read(new)
