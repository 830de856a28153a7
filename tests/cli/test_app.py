"""The program as a whole: it answers at once, and bad options end with code 2."""

import subprocess
import sys

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
