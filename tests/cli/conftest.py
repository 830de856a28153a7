"""A small simulated scan, written once; and the program as a user runs it."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from demottle.cli import app

Demottle = Callable[..., Result]
# As `demottle` runs, but it says more often how far it is, so that a test can stop it where it wants.
PROGRAM = "from demottle.cli import main; from demottle.cli.screen import progress; progress.SECONDS_BETWEEN_LINES = 0.1; main()"
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `scan` and `truth`; never written to."""
    folder = tmp_path_factory.mktemp("simulated")
    arguments = ["simulate", "phantom", "-o", str(folder), "--slices", "8", "--size", "160", "--seed", "2"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def demottle() -> Demottle:
    """Run the program in this process."""

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def start_demottle() -> Iterator[Start]:
    """Start the program in a process of its own, as a shell does; what still runs at the end of the test is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a test run in the background ignores it
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
