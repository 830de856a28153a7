"""Who looks after the worker: it is started again when it ends, and ended when it takes too long at a series."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from demottle.node.configuration import Configuration
from demottle.node.log import complain
from demottle.node.memory import HEAPS
from demottle.node.queue import rounds
from demottle.node.queue.rounds import Claimed
from demottle.node.queue.store import Queue, States

_LOOK = 0.25
_FAREWELL = 5.0  # seconds for a worker that was told to end
_REST = 5.0  # seconds before a worker that ended by itself is started again


class Supervisor:
    """Keeps a worker running until it is told to stop.

    Attributes:
        worker: the process id of the worker; None where there is none at the moment.
    """

    def __init__(self, told: Configuration, config: Path, queue: Queue, stopping: threading.Event) -> None:
        """Prepare; nothing runs yet."""
        self.worker: int | None = None
        self._told, self._config, self._queue, self._stopping = told, config, queue, stopping
        self._claimed: Claimed | None = None
        self._since = 0.0

    def run(self) -> None:
        """Keep a worker running; returns when `stopping` is set."""
        command = [sys.executable, "-m", "demottle.node.work.worker", str(self._config)]
        while not self._stopping.is_set():
            # it ends when its standard input does
            with subprocess.Popen(command, stdin=subprocess.PIPE, env=worker_environment()) as process:
                self.worker = process.pid
                ended = self._watched(process)
                self.worker = None
                _let_go(process)
            if ended or self._stopping.is_set():
                continue
            complain(f"the worker ended ({process.returncode}); it is started again")
            try:
                rounds.blame(self._queue)
            except Exception as error:  # a full disk: the worker itself begins again what it was at
                complain(f"looking after the worker: {type(error).__name__}")
            self._stopping.wait(_REST)

    def _watched(self, process: "subprocess.Popen[bytes]") -> bool:
        """Wait for the end of a worker; True where it was ended here for taking too long."""
        while process.poll() is None and not self._stopping.wait(_LOOK):
            try:
                late = self._late()
            except Exception as error:  # a thread that dies would leave the node without a worker
                complain(f"looking after the worker: {type(error).__name__}")
                continue
            if late:
                process.kill()
                return True
        return False

    def _late(self) -> bool:
        """True where the worker has been at a series for too long, which then counts as failed."""
        claimed = rounds.claimed(self._queue)
        if claimed is None or claimed != self._claimed:
            self._claimed, self._since = claimed, time.monotonic()  # a clock that nobody puts right
            return False
        longest = self._told.longest_of(claimed.rule)
        if time.monotonic() - self._since <= 60 * longest:
            return False
        # Failed first, then killed: what the worker may still finish in between is not entered.
        rounds.ended(self._queue, claimed.id, States.FAILED, f"it took longer than {longest:g} minutes (longest)")
        complain(f"series {claimed.series}: longer than {longest:g} minutes, the worker is ended and started again")
        return True


def worker_environment() -> dict[str, str]:
    """The environment of the worker: its threads sleep while they wait for each other, and leave the cores to the network.

    Threads of OpenMP spin by default. Where something else runs too, they hold up each other: denoising took six times as long.
    The numbers that come out are the same. They share a few heaps, as in `demottle.node.memory`. Whoever starts the node with
    OMP_WAIT_POLICY or MALLOC_ARENA_MAX decides otherwise.
    """
    return {"OMP_WAIT_POLICY": "PASSIVE", "MALLOC_ARENA_MAX": str(HEAPS), **os.environ}


def _let_go(process: "subprocess.Popen[bytes]") -> None:
    """Wait for a worker to end; one that hangs would keep its lock, and the next one waiting."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_FAREWELL)
    except subprocess.TimeoutExpired:
        process.kill()
