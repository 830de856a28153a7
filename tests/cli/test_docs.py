"""What the documentation says about the command line is what the program does."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main
from tests.cli.conftest import Demottle
from typer.models import CommandInfo

from demottle.cli.app import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "command-line.md").read_text()
VERBS = {str(command.callback.__name__): (str(command.callback.__name__),) for command in app.registered_commands}
GROUPS = {str(group.typer_instance.info.name): group.typer_instance for group in app.registered_groups}
COMMANDS = [
    *((verb,) for verb in sorted(VERBS)),
    *(
        (name, str(command.name or command.callback.__name__).replace("_", "-"))
        for name, group in GROUPS.items()
        for command in group.registered_commands
    ),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented(command: tuple[str, ...], demottle: Demottle) -> None:
    text = demottle(*command, "--help").stdout
    options = set(re.findall(r"^│ \*?\s*(--[a-z-]+)", text, flags=re.MULTILINE)) - {"--help", "--output"}
    assert options
    assert sorted(option for option in options if not re.search(rf"{option}\b", PAGE)) == []


def test_every_verb_has_its_section_and_the_readme_names_no_other(demottle: Demottle) -> None:
    commands = set(re.findall(r"^│ ([a-z]+) ", demottle("--help").stdout, flags=re.MULTILINE))
    assert commands == {*VERBS, *GROUPS} and len(commands) >= 12
    sections = set(re.findall(r"^#+ .*?`demottle ([a-z]+)", PAGE, flags=re.MULTILINE))
    assert commands <= sections
    pages = (ROOT / "README.md", ROOT / "docs" / "install.md")
    assert {verb for page in pages for verb in re.findall(r"`demottle ([a-z]+)", page.read_text())} <= commands


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    pages = [page for page in pages if page.parent.name != "remarks"]  # they are part of the pages above them
    links = [(page, target) for page in pages for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())]
    assert len(links) > 200
    for page, target in links:
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_make_target_the_documentation_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        named = set(re.findall(r"`(?:[A-Z_]+=\S+ )?make ([a-z-]+)", (ROOT / page).read_text()))
        assert named <= targets


@pytest.mark.parametrize(
    "command", [command for command in app.registered_commands if command.epilog], ids=lambda one: one.callback.__name__
)
def test_the_examples_of_the_help_name_what_there_is(command: CommandInfo) -> None:
    name = str(command.callback.__name__)  # type: ignore[union-attr]
    group: Any = typer.main.get_command(app)
    options = {option for parameter in group.commands[name].params for option in parameter.opts}
    heading, *examples = str(command.epilog).split("\n\n")
    assert heading == "Examples:" and examples
    for example in examples:
        program, verb, *arguments = shlex.split(example)
        assert (program, verb) == ("demottle", name)
        assert {one for one in arguments if re.match(r"--?[a-z]", one)} <= options
