"""Runs the program demottle from another program: the command, its progress, its results. Needs nothing but Python.

3D Slicer's own Python need not have demottle: it stays in an environment of its own, and is started from there.
"""

import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PERCENT = re.compile(r"^(?P<stage>[^:]+): (?P<percent>\d+) %(, about (?P<left>.+) left)?$")
_DONE = re.compile(r"^(?P<stage>[^:]+): done in .+$")
_STOPPED = 130


@dataclass(frozen=True)
class Progress:
    """How far the program is.

    Attributes:
        stage: what it does, in words.
        percent: of this stage; 100 at its end.
        left: time left in this stage, as the program says it; empty where it does not.
    """

    stage: str
    percent: int
    left: str = ""


@dataclass(frozen=True)
class Wishes:
    """What is asked for.

    Attributes:
        modality: "CT" (values in HU), "MR", "XA" or "RF".
        strength: share of the change that is kept, 0 to 1.
        method: empty: the scan decides.
        spot_map: write the map of what is not noise, too.
    """

    modality: str = "CT"
    strength: float = 1.0
    method: str = ""
    spot_map: bool = False


@dataclass
class Outcome:
    """What came of a run: files where it succeeded, a sentence where it did not."""

    output: Path | None = None
    page: Path | None = None
    spot_map: Path | None = None
    warnings: list[str] = field(default_factory=list)
    error: str = ""
    stopped: bool = False


def program_on_path() -> str:
    """Return where `demottle` is, as the shell would find it; empty where it is not."""
    return shutil.which("demottle") or ""


def command_of(program: Sequence[str], scan: Path, folder: Path, wishes: Wishes) -> list[str]:
    """Return the command line.

    Args:
        program: the executable, with what comes before the verb.
        scan: a volume in a format that demottle reads.
        folder: where results go: `denoised.nrrd`, `page.html`, `map.nrrd`.
        wishes: what is asked for.
    """
    command = [
        *program,
        "denoise",
        str(scan),
        "-o",
        str(folder / "denoised.nrrd"),
        "--report",
        str(folder / "page.html"),
    ]
    command += ["--modality", wishes.modality, "--strength", f"{wishes.strength:g}"]
    command += ["--method", wishes.method] if wishes.method else []
    command += ["--map", str(folder / "map.nrrd")] if wishes.spot_map else []
    return command


def progress_in(line: str) -> Progress | None:
    """Return what a line of the program's error output says of progress; None for any other line."""
    if found := _PERCENT.match(line.strip()):
        return Progress(found["stage"], int(found["percent"]), (found["left"] or "").replace("\u00a0", " "))
    if found := _DONE.match(line.strip()):
        return Progress(found["stage"], 100)
    return None


class Run:
    """One run of the program, in a thread of its own, so that a window stays alive meanwhile."""

    def __init__(self, command: Sequence[str], folder: Path, told: Callable[[Progress], None]) -> None:
        """Start at once.

        Args:
            command: from `command_of`.
            folder: the same folder.
            told: called with each progress, in the run's own thread.

        Raises:
            FileNotFoundError: there is no such program.
        """
        self._folder, self._told, self._said = folder, told, list[str]()
        self._running = subprocess.Popen(
            list(command),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """True once the program has ended."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Ask the program to stop; it leaves nothing half-written."""
        if sys.platform == "win32":
            self._running.terminate()
        else:
            self._running.send_signal(signal.SIGINT)

    def outcome(self) -> Outcome:
        """Wait for the end, and return what came of it."""
        self._thread.join()
        code = self._running.wait()
        warnings = [line.removeprefix("Warning: ") for line in self._said if line.startswith("Warning: ")]
        if code == 0:
            places = (self._folder / name for name in ("denoised.nrrd", "page.html", "map.nrrd"))
            output, page, spots = (place if place.exists() else None for place in places)
            return Outcome(output, page, spots, warnings)
        if code in (_STOPPED, -signal.SIGINT):
            return Outcome(warnings=warnings, error="Stopped; nothing was written.", stopped=True)
        errors = [line.removeprefix("Error: ") for line in self._said if line.startswith("Error: ")]
        return Outcome(warnings=warnings, error=" ".join(errors) or f"demottle ended with code {code}.")

    def _listen(self) -> None:
        assert self._running.stderr is not None
        with self._running.stderr as lines:
            for line in lines:
                progress = progress_in(line)
                if progress is None:
                    self._said.append(line.strip())
                else:
                    self._told(progress)
