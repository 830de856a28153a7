"""Texts for users are plain English: help says first what an option is, and nothing "is no" something."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from demottle.cli import app

SOURCE = Path(__file__).parents[2] / "src" / "demottle"
NO_NOUN = re.compile(r"\b(is|are) no (?!longer|more|worse|wider|surer|fewer)[a-z]+")


def _commands(command: click.Command, name: str = "demottle") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    for verb, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{name} {verb}")


COMMANDS = dict(_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_begins_with_what_an_option_is(name: str) -> None:
    texts = [str(getattr(option, "help", None) or "") for option in COMMANDS[name].params]
    assert [text for text in texts if text.startswith("Of ")] == []


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_sentence_says_that_something_is_no_thing(path: Path) -> None:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for hit in NO_NOUN.finditer(node.value):
                if not re.search(r"[Tt]here\s$|where\s$", node.value[: hit.start()]):
                    found.append(" ".join(node.value[max(0, hit.start() - 30) : hit.end() + 20].split()))
    assert found == []
