"""CONTRIBUTING's recipe "Adding a format" followed to the letter in a copy of the package: two files, and the format is there."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
BEFORE_THE_ROW = '    Format("npy", (".npy",)'


def blocks() -> list[str]:
    """The Python of the recipe, in order: the new file and its row."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipe = text.split("\n## Adding a format\n")[1].split("\n## ")[0]
    return [textwrap.dedent(block) for block in re.findall(r"```python\n(.*?)\n *```", recipe, flags=re.DOTALL)]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and the tests of formats, with the recipe's two changes."""
    leave = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "src" / "demottle", tmp_path / "src" / "demottle", ignore=leave)
    for name in ("pyproject.toml", "tests/io/conftest.py", "tests/io/test_format_contract.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    module, row = blocks()
    (tmp_path / "src/demottle/io/files/npz.py").write_text(module, encoding="utf-8")
    rows = tmp_path / "src/demottle/io/formats.py"
    text = rows.read_text(encoding="utf-8")
    assert text.count(BEFORE_THE_ROW) == 1
    rows.write_text(text.replace(BEFORE_THE_ROW, f"    {row.strip()},\n{BEFORE_THE_ROW}"), encoding="utf-8")
    return tmp_path


def run(copy: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, check=False, cwd=copy, env=environment
    )


@pytest.mark.slow
def test_the_new_format_keeps_the_contract(copy: Path) -> None:
    done = run(
        copy, "-m", "pytest", "-p", "no:cacheprovider", "-k", "npz or suffix", "tests/io/test_format_contract.py"
    )
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) >= 9


@pytest.mark.slow
def test_denoise_reads_and_writes_it(copy: Path) -> None:
    voxels = np.random.default_rng(0).normal(40, 15, (4, 32, 32)).astype(np.int16)
    np.savez_compressed(copy / "in.npz", voxels=voxels)
    words = ("-m", "demottle", "denoise", "in.npz", "-o", "out", "--spacing", "2,1,1", "--modality", "CT")
    done = run(copy, *words, "--method", "gaussian", "--force", "--no-report")
    assert done.returncode == 0, done.stderr
    with np.load(copy / "out.npz") as arrays:
        (after,) = arrays.values()
    assert (after.shape, after.dtype) == (voxels.shape, voxels.dtype)
    assert after.std() < voxels.std()
    refused = run(copy, *words, "--method", "gaussian", "--no-report")
    assert refused.returncode == 2
    assert "out.npz exists already" in " ".join(refused.stderr.split())
