"""The module for 3D Slicer without Slicer: its command runs, its progress is understood, stopping leaves nothing."""

import ast
import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.quality.phantoms import body, ct, noise

from demottle import io

FOLDER = Path(__file__).parents[2] / "integrations" / "slicer" / "Demottle"
PROGRAM = [sys.executable, "-m", "demottle"]


@pytest.fixture(scope="module")
def module() -> Any:
    spec = importlib.util.spec_from_file_location("demottle_program", FOLDER / "demottle_program.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    yield made
    del sys.modules[spec.name]


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    truth = body(8)
    return io.write(ct(truth + noise(truth.shape)), tmp_path / "scan.nrrd")


@pytest.mark.slow
def test_a_volume_goes_through_and_its_progress_is_told(module: ModuleType, scan: Path, tmp_path: Path) -> None:
    told: list[Any] = []
    command = module.command_of(PROGRAM, scan, tmp_path, module.Wishes("CT", 0.5, "spectral-wiener", spot_map=True))
    outcome = module.Run(command, tmp_path, told.append).outcome()
    assert outcome.error == "" and not outcome.stopped
    assert outcome.output == tmp_path / "denoised.nrrd" and outcome.page.exists() and outcome.spot_map.exists()
    assert io.read(outcome.output, accept_own_output=True).shape == io.read(scan).shape
    stages = [one.stage for one in told if one.percent == 100]
    assert {"Reading", "Denoising", "Checking", "Writing"} <= set(stages)


@pytest.mark.parametrize(
    ("line", "stage", "percent", "left"),
    [
        ("Learning: 40 %, about 3:12\u00a0min left", "Learning", 40, "3:12 min"),
        ("Denoising: 7 %", "Denoising", 7, ""),
        ("Checking: done in 2.6\u00a0s", "Checking", 100, ""),
    ],
)
def test_lines_of_progress(module: ModuleType, line: str, stage: str, percent: int, left: str) -> None:
    assert module.progress_in(line + "\n") == module.Progress(stage, percent, left)
    assert module.progress_in("Warning: 40 % of the noise is left.") is None


def test_a_refusal_is_the_programs_own_sentence(module: ModuleType, scan: Path, tmp_path: Path) -> None:
    command = module.command_of(PROGRAM, scan, tmp_path, module.Wishes("CT", method="no-such"))
    outcome = module.Run(command, tmp_path, lambda progress: None).outcome()
    assert outcome.output is None and 'There is no method "no-such"' in outcome.error


def test_stopping_leaves_nothing(module: ModuleType, scan: Path, tmp_path: Path) -> None:
    started: list[Any] = []
    run = module.Run(module.command_of(PROGRAM, scan, tmp_path, module.Wishes("CT")), tmp_path, started.append)
    while not started and not run.is_over:
        time.sleep(0.05)
    run.stop()
    outcome = run.outcome()
    assert outcome.stopped and outcome.output is None
    assert [path.name for path in tmp_path.iterdir()] == ["scan.nrrd"]


def test_the_module_names_what_it_takes_from_the_program(module: ModuleType) -> None:
    tree = ast.parse((FOLDER / "Demottle.py").read_text(encoding="utf-8"))
    taken = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "demottle_program"
        for alias in node.names
    ]
    assert taken and all(hasattr(module, name) for name in taken)
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert classes == {"Demottle", "DemottleWidget", "DemottleLogic", "DemottleTest"}  # as Slicer looks for them
