"""The files of `io/` build on each other in one direction: none needs, by whatever way, what needs it."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"


def imports_in(path: Path, known: set[str]) -> set[str]:
    """The modules of `known` that a file imports, at its top or within a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found & known


def test_no_file_of_io_needs_what_needs_it() -> None:
    files = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
        for path in (SOURCE / "demottle" / "io").rglob("*.py")
        if path.name != "__init__.py"  # gives names out when they are asked for
    }
    needs = {name: imports_in(path, set(files)) - {name} for name, path in files.items()}
    assert sum(map(len, needs.values())) > 100
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
