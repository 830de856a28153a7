"""CONTRIBUTING's recipe "Adding a verb" followed to the letter in a copy of the tree: three files, and the verb is there."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Program, pages and the tests of both, with the recipe's three changes."""
    leave = shutil.ignore_patterns("__pycache__", "*.pyc", "pictures")
    for folder in ("src", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=leave)
    tests = ("__init__.py", "conftest.py", "test_docs.py")
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "pyproject.toml",
        *(f"tests/cli/{one}" for one in tests),
    ):
        if (ROOT / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    text = (
        (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n## Adding a verb\n")[1].split("\n## Tests")[0]
    )
    blocks = re.findall(r"```(?:python|markdown)\n(.*?)\n *```", text, flags=re.DOTALL)
    module, lines, section = (textwrap.dedent(block) for block in blocks)
    (tmp_path / "src/demottle/cli/shape.py").write_text(module + "\n", encoding="utf-8")
    imported, command = (line for line in lines.splitlines() if line.strip())
    app = tmp_path / "src/demottle/cli/app.py"
    code = app.read_text(encoding="utf-8")
    code = code.replace("\napp = typer.Typer(", f"{imported}\n\napp = typer.Typer(")
    app.write_text(code.replace("\napp.add_typer(", f"\n{command}\napp.add_typer(", 1), encoding="utf-8")
    page = tmp_path / "docs/command-line.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n" + section + "\n", encoding="utf-8")
    return tmp_path


def run(copy: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, check=False, cwd=copy, env=environment
    )


def test_the_new_verb_works_and_is_documented(copy: Path) -> None:
    made = run(copy, "-m", "demottle", "simulate", "phantom", "-o", "body", "--size", "32", "--slices", "3")
    assert made.returncode == 0, made.stderr
    said = run(copy, "-m", "demottle", "shape", "body/scan")
    assert (said.returncode, said.stdout.strip()) == (0, "3 x 32 x 32")
    missing = run(copy, "-m", "demottle", "shape", "nowhere")
    assert missing.returncode == 2 and "There is no file or folder nowhere" in missing.stderr
    tested = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/cli/test_docs.py", "-k", "shape or verb")
    assert tested.returncode == 0, tested.stdout
    page = copy / "docs/command-line.md"
    page.write_text(page.read_text(encoding="utf-8").replace("## `demottle shape SCAN`", ""), encoding="utf-8")
    tested = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/cli/test_docs.py", "-k", "verb")
    assert tested.returncode == 1 and "shape" in tested.stdout  # it is missed where it is not documented
