"""The README can be read in one sitting: 700 words, one picture, one table of three columns, and the two commands that matter."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_it_is_short() -> None:
    assert len(TEXT.split()) <= 700


def test_it_has_one_picture_and_one_table_of_three_columns() -> None:
    assert len(re.findall(r"!\[", TEXT)) == 1
    lines = [line for line in TEXT.splitlines() if line.startswith("|")]
    assert sum(set(line) <= set("|- :") for line in lines) == 1
    assert {line.count("|") for line in lines} == {4}


def test_it_begins_with_the_two_commands() -> None:
    assert re.findall(r"^make (\w+)", TEXT, flags=re.MULTILINE)[:2] == ["demo", "test"]
