"""The rooms are those of docs/architecture.md; a room imports only from those above it; folders and functions stay small."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "demottle"
TABLE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("## Rooms")[1].split("## The one path")[0]
HEIGHTS = {
    name.removesuffix(".py").rstrip("/"): height
    for height, row in enumerate(re.findall(r"^\| (`.*?) \|", TABLE, flags=re.MULTILINE))
    for name in re.findall(r"`([^`]+)`", row)
}
MOST_FILES, MOST_LINES = 22, 60
GATHERED = {"__init__", "__main__"}  # what a user imports and starts, from all rooms


def _room(path: Path) -> str:
    inside = path.relative_to(SOURCE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{name.name}" for name in node.names]
        elif isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        else:
            continue
        parts = [name.split(".") for name in names]
        found |= {part[1] for part in parts if part[0] == "demottle" and len(part) > 1}
    return found & set(HEIGHTS)


def test_every_room_is_described() -> None:
    assert {_room(path) for path in SOURCE.rglob("*.py")} - GATHERED == set(HEIGHTS)


@pytest.mark.parametrize("room", HEIGHTS)
def test_a_room_imports_only_from_those_above(room: str) -> None:
    up = {
        f"{path.relative_to(SOURCE)} imports {other}"
        for path in SOURCE.rglob("*.py")
        if _room(path) == room
        for other in _imported(path)
        if other != room and HEIGHTS[other] > HEIGHTS[room]
    }
    assert not up


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix not in (".pyc", ".so"))


def test_no_folder_holds_more_files_than_one_can_look_through() -> None:
    folders = [SOURCE, *(path for path in SOURCE.rglob("*") if path.is_dir() and path.name != "__pycache__")]
    counted = {str(folder.relative_to(SOURCE)): len(_files(folder)) for folder in folders}
    assert sum(counted.values()) > 500
    assert {name: count for name, count in counted.items() if count > MOST_FILES} == {}


def test_no_function_is_longer_than_one_can_read_at_a_glance() -> None:
    lines = {
        f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lines) > 2000
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_the_limits_are_those_that_the_page_states() -> None:
    stated = re.search(r"more than (\d+) files, and no function is over (\d+) lines", TABLE)
    assert stated is not None and (int(stated[1]), int(stated[2])) == (MOST_FILES, MOST_LINES)


def test_a_class_of_settings_has_a_name_of_its_own() -> None:
    """A traceback or a search for `TvSettings` finds one class."""
    names = [
        node.name
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Settings")
    ]
    assert len(names) > 30
    assert "Settings" not in names
    assert sorted(names) == sorted(set(names))
