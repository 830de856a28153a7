"""Run the program on one file in a process of its own, with bounds of memory and time, and see how it ends."""

import os
import resource
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ending:
    """How it ended: exit code (negative: the signal that ended it), what it said, wall-clock seconds, peak memory in GiB."""

    code: int
    said: str
    seconds: float
    gib: float


def run_apart(arguments: list[str], log: Path, *, gib: float = 6, seconds: int = 90) -> Ending:
    """Fork, and run `demottle ARGUMENTS` there. Call `warm_up` first: the packages are then loaded once for all."""
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        _run(arguments, log, gib, seconds)
    _, status, usage = os.wait4(child, 0)
    return Ending(
        os.waitstatus_to_exitcode(status),
        log.read_text(errors="replace"),
        time.monotonic() - begun,
        usage.ru_maxrss / 2**20,
    )


def warm_up() -> None:
    """Load what every run needs."""
    import SimpleITK  # noqa: F401
    import tifffile  # noqa: F401

    import demottle.cli.app
    import demottle.pipeline.run
    import demottle.report  # noqa: F401


def _run(arguments: list[str], log: Path, gib: float, seconds: int) -> None:
    code = 1
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout = os.fdopen(1, "w", closefd=False)  # pytest had put its own in their place
        sys.stderr = os.fdopen(2, "w", closefd=False)
        resource.setrlimit(resource.RLIMIT_AS, (int(gib * 2**30), int(gib * 2**30)))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.alarm(seconds)
        from demottle.cli.app import app

        try:
            app(args=arguments, standalone_mode=True)
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
