"""Processes that a case starts: they end with it, and what they hold of memory and descriptors can be read (Linux)."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from demottle.errors import DemottleError

_LOOK = 0.05
_PATIENCE = 60.0
_FAREWELL = 20.0


@contextmanager
def started(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program while the block does; what it says goes to a file. Its children have to end with it."""
    with log.open("ab") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until_listening(process: subprocess.Popen[bytes], port: int, what: str, log: Path) -> None:
    """Wait until a program listens on a port of this machine.

    Raises:
        DemottleError: it ended before, or never listened; the sentence has the end of what it said.
    """

    def listens() -> bool:
        if process.poll() is not None:
            raise DemottleError(f"{what} ended with {process.returncode} when it was started: {last_of(log)}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    until(listens, _PATIENCE, f"{what} did not begin to listen: {last_of(log)}")


def until(holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Wait until something holds.

    Raises:
        DemottleError: it did not within so many seconds; `otherwise` is the sentence.
    """
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise DemottleError(f"{otherwise} ({seconds:.0f} s)")
        time.sleep(_LOOK)


def last_of(log: Path) -> str:
    """The last line of a log."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1][:300] if lines else "it said nothing"


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(frozen=True)
class Held:
    """What a process holds: MiB resident, their peak since it began, open descriptors, processor time in s."""

    resident: float
    peak: float
    descriptors: int
    processor: float


def held_by(process: int) -> Held | None:
    """What a process holds now; None where it is gone or the system does not tell."""
    place = Path("/proc") / str(process)
    try:
        lines = (line.split() for line in (place / "status").read_text().splitlines())
        told = {words[0]: int(words[1]) / 1024 for words in lines if words[0] in ("VmRSS:", "VmHWM:")}
        used = (place / "stat").read_text().rpartition(")")[2].split()[11:13]  # user and system
        seconds = sum(map(int, used)) / os.sysconf("SC_CLK_TCK")
        return Held(told["VmRSS:"], told["VmHWM:"], len(list((place / "fd").iterdir())), seconds)
    except (OSError, KeyError, ValueError):
        return None


def children_of(process: int) -> list[int]:
    """The processes that a process has started and that still run; none where the system does not tell."""
    try:
        found = (one.read_text().split() for one in Path(f"/proc/{process}/task").glob("*/children"))
        return [int(word) for words in found for word in words]
    except OSError:
        return []


class Watch:
    """Looks at processes now and then, while a block runs.

    Attributes:
        seen: by name: seconds (`time.monotonic`) and what was held then.
    """

    def __init__(self, every: float, **processes: Callable[[], int | None]) -> None:
        """Know whom to look at, by name: what gives the process id now, or None."""
        self.seen: dict[str, list[tuple[float, Held]]] = {name: [] for name in processes}
        self._every, self._processes, self._over = every, processes, threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def __enter__(self) -> "Watch":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, with a last look."""
        self._over.set()
        self._thread.join()
        self._once()

    def _look(self) -> None:
        while not self._over.wait(self._every):
            self._once()

    def _once(self) -> None:
        for name, process in self._processes.items():
            found = process()
            held = None if found is None else held_by(found)
            if held is not None:
                self.seen[name].append((time.monotonic(), held))

    def most(self, name: str) -> Held | None:
        """The most that a process held, of each; None where nothing was seen."""
        seen = [held for _, held in self.seen[name]]
        if not seen:
            return None
        return Held(
            *(max(getattr(one, part) for one in seen) for part in ("resident", "peak", "descriptors", "processor"))
        )
