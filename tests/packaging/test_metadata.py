"""What the project says of itself agrees, wherever it says it."""

import re
import tomllib
from pathlib import Path

import yaml

from demottle import __version__

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_version_and_license_are_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {PROJECT["version"], citation["version"]} == {__version__}
    assert citation["license"] == PROJECT["license"]


def test_every_package_that_is_needed_or_asked_for_is_pinned() -> None:
    pinned = {_plain(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    extras = PROJECT["optional-dependencies"]
    asked = [*PROJECT["dependencies"], *(name for extra in extras if extra != "benchmark" for name in extras[extra])]
    assert {_plain(name) for name in asked} - {"demottle"} <= pinned


def _plain(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def test_the_container_is_made_of_files_that_are_here_and_that_reach_its_builder() -> None:
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    allowed = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE))
    assert names == allowed
    assert all((ROOT / name).exists() for name in names)
