"""The program as a whole: it answers at once, and bad options end with code 2."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demottle import __version__
from demottle.cli import app

CHECK = """
import sys
from demottle.cli import main
sys.argv = ["demottle", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
heavy = [name for name in ("torch", "scipy", "skimage", "matplotlib", "pydicom", "pynetdicom", "fastapi") if name in sys.modules]
print("HEAVY", heavy, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["denoise", "--help"],
        ["methods"],
        ["doctor", "--help"],
        ["benchmark", "--help"],
        ["node", "check", "--help"],
        ["--version"],
    ],
)
def test_light_verbs_import_nothing_heavy(arguments: list[str]) -> None:
    code = CHECK.format(arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--set", "stepz=3"], "no setting stepz. Did you mean step?"),
        (["--method", "ns-n2n", "--set", "patsh=3"], "no setting patsh. Did you mean patch?"),
        (["--method", "gausian"], "Did you mean gaussian?"),
        (["--preset", "gentel"], "Did you mean gentle?"),
        (["--modality", "PET"], "'PET' is not a modality"),
        (["--limits", "none.toml"], "none.toml cannot be read"),
        ([], "out.npy exists already"),
    ],
)
def test_what_can_be_refused_is_refused_before_torch_is_loaded(wrong: list[str], said: str, tmp_path: Path) -> None:
    for name in ("scan.npy", "out.npy"):
        (tmp_path / name).touch()
    arguments = ["denoise", "scan.npy", "-o", "out.npy", *wrong]
    code = CHECK.format(arguments=arguments).replace("assert not end.code, end.code", "assert end.code == 2, end.code")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert said in " ".join(done.stderr.split())
    assert "'torch'" not in done.stderr.splitlines()[-1]


def test_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout.strip()) == (0, f"demottle {__version__}")


def test_without_a_verb_the_help_is_shown() -> None:
    result = CliRunner().invoke(app, [])
    assert "denoise" in result.output
    assert "not a medical device" in " ".join(result.output.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["denoise", "scan"],
        ["denoise", "scan", "-o", "out", "--strength", "1.5"],
        ["denoise", "scan", "-o", "out", "--spacing", "1,2"],
        ["denoise", "scan", "-o", "out", "--spacing", "1,2,-3"],
        ["denoise", "scan", "-o", "out", "--set", "mask"],
        ["denoise", "scan", "-o", "out", "--steps", "10", "--minutes", "1"],
        ["denoise", "scan", "-o", "out", "--model", "m", "--steps", "10"],
        ["denoise", "scan", "-o", "out", "--model", "m", "--method", "ns-n2n"],
        ["simulate", "phantom", "-o", "out", "--correlation", "2"],
        ["paint", "scan"],
    ],
)
def test_bad_options_end_with_code_2_and_a_reason(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "Error" in result.stderr
    assert "Traceback" not in result.output
