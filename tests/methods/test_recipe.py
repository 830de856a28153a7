"""The recipe "Adding a method" of CONTRIBUTING.md, followed word for word in a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = """# lee

`y = m + max(v - s^2, 0) / v (x - m)`

**When it works.** Flat tissue.

**When not.** Noise with a grain.

**What we changed.** Nothing.

**Source.** Lee 1980.
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("src", "tests", "docs", "tools"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.png", "*.egg-info")
        )
    for name in ("pyproject.toml", "mkdocs.yml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def python(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(tree / "src"), str(tree)))
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=tree, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)


@pytest.mark.slow
def test_a_method_is_three_files(tree: Path) -> None:
    recipe = (ROOT / "CONTRIBUTING.md").read_text().split("## Adding a method")[1].split("\n## ")[0]
    method, card = re.findall(r"^```python\n(.*?)^```", recipe, flags=re.MULTILINE | re.DOTALL)
    family = tree / "src" / "demottle" / "methods" / "filters"
    (family / "lee.py").write_text(method)
    cards = (family / "cards.py").read_text()
    assert cards.endswith(")\n")
    (family / "cards.py").write_text(f"{cards[:-2]}{card.rstrip()},\n)\n")
    (tree / "docs" / "methods" / "lee.md").write_text(PAGE)

    pages = ("-m", "pytest", "-p", "no:cacheprovider", "tests/docs/test_method_pages.py")
    assert "1 failed" in python(tree, *pages, "-k", "lee or sidebar").stdout  # not listed yet
    assert python(tree, "tools/method_tables.py").returncode == 0
    done = python(tree, *pages, "-k", "lee or sidebar")
    assert done.returncode == 0, done.stdout

    held = python(tree, "-m", "pytest", "-p", "no:cacheprovider", "tests/methods/test_contract.py", "-k", "lee")
    assert held.returncode == 0, held.stdout
    passed = re.search(r"(\d+) passed", held.stdout)
    assert passed is not None and int(passed[1]) > 12
    listed = python(tree, "-m", "demottle", "methods", "lee")
    assert "IEEE TPAMI 1980" in listed.stdout

    without = (family / "cards.py").read_text().replace('excused={"means', 'excused={"order of slices": "why", "means')
    (family / "cards.py").write_text(without)
    held = python(tree, "-m", "pytest", "-p", "no:cacheprovider", "tests/methods/test_contract.py", "-k", "lee")
    assert "[XPASS(strict)] why" in held.stdout  # an excuse that is not needed
