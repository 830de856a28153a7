"""The live run: a thread reads the source into the waiting line, this one denoises and hands on."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from demottle.errors import DemottleError, InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Voxels
from demottle.methods.streaming import Stream
from demottle.stream.latency import Latency, latency_of
from demottle.stream.peeking import stalled
from demottle.stream.waiting import Frame, Policy, WaitingLine

Sink = Callable[[int, Voxels], None]
"""Takes the number of a frame and its result; called in the order of the frames."""


@dataclass(frozen=True)
class LiveReport:
    """What happened.

    Attributes:
        results: results handed on.
        dropped: numbers of the frames that were let go because the denoiser fell behind.
        seconds: from the first frame to the last result.
        latency: latency of the results.
        trouble: why the source ended too early, in a sentence; empty where it ended as it should. All results until then were
            handed on.
    """

    results: int
    dropped: tuple[int, ...]
    seconds: float
    latency: Latency
    trouble: str = ""

    @property
    def rate(self) -> float:
        """Results per second."""
        return self.results / self.seconds if self.seconds > 0 else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "results": self.results,
            "dropped": list(self.dropped),
            "seconds": round(self.seconds, 3),
            "frames_per_second": round(self.rate, 2) if self.results else None,
            "latency": self.latency.to_dict() if self.latency.count else None,
            "trouble": self.trouble or None,
        }


@dataclass
class _Tally:
    waits: list[float] = field(default_factory=list)
    works: list[float] = field(default_factory=list)
    last: int = -1


def run_live(
    source: Iterable[Voxels],
    stream: Stream,
    sink: Sink,
    *,
    queue: int = 4,
    policy: Policy = "drop",
    rate: float | None = None,
    patience: float | None = 10.0,
    total: int = 0,
    at_hand: int = 0,
    listener: Listener = silent,
) -> LiveReport:
    """Denoise a source frame by frame.

    Args:
        source: frames in order; an error it raises ends the run after the frames that came before.
        stream: the denoiser, before its first frame.
        sink: takes the results.
        queue: most frames that wait.
        policy: what happens where more come: "drop" the oldest that waits, or "slow" the source down.
        rate: frames per second that the source is held to; None: as fast as it gives them.
        patience: seconds without a frame, once the first has come, after which the source counts as stalled; None: wait for
            ever.
        total: how many frames are expected, for the listener; 0: unknown.
        at_hand: how many of the first frames have come already, be it while a filter was measured on them or before: none of
            these is dropped.
        listener: told after every frame; may raise to stop.

    Raises:
        InputError: for a queue, policy or rate that make no sense, or a first frame that the denoiser refuses; a later one ends
            the run after those before it.
    """
    if rate is not None and not rate > 0:
        raise InputError(f"The frame rate is {rate:g} per second; it has to be positive.")
    line = WaitingLine(queue, policy)
    reader = threading.Thread(
        target=_read, args=(source, line, rate, at_hand + queue if at_hand else 0), name="source", daemon=True
    )
    tally = _Tally()
    started = time.monotonic()
    reader.start()
    try:
        trouble = _work_off(line, stream, sink, tally, patience, total, listener)
    finally:
        line.close()
    seconds = time.monotonic() - started
    return LiveReport(len(tally.waits), tuple(line.dropped), seconds, latency_of(tally.waits, tally.works), trouble)


def _work_off(
    line: WaitingLine,
    stream: Stream,
    sink: Sink,
    tally: _Tally,
    patience: float | None,
    total: int,
    listener: Listener,
) -> str:
    """Take frames and hand their results on until the source ends; say in a sentence why it ended too early."""
    owed, trouble = deque[Frame](), ""
    while True:
        try:
            frame = line.take(patience if tally.works else None)  # a live source may be late
        except TimeoutError:
            trouble = stalled(len(tally.works), patience or 0.0)
            break
        except DemottleError as error:
            trouble = str(error)
            break
        if frame is None:
            break
        owed.append(frame)
        begun = time.monotonic()
        try:
            result = stream.step(frame.pixels)
        except InputError as error:
            if not tally.works:
                raise
            owed.pop()
            trouble = str(error)  # such as a frame of another size: what came before it is kept
            break
        tally.works.append(time.monotonic() - begun)
        if result is not None:
            _hand_on(owed.popleft(), result, sink, tally)
        listener(Progress(Stage.STREAM, len(tally.works), max(total, len(tally.works))))
    for result in stream.finish():
        _hand_on(owed.popleft(), result, sink, tally)
    return trouble


def _hand_on(frame: Frame, result: Voxels, sink: Sink, tally: _Tally) -> None:
    if frame.number <= tally.last:
        raise AssertionError(f"frame {frame.number} after frame {tally.last}")
    sink(frame.number, result)
    tally.last = frame.number
    tally.waits.append(time.monotonic() - frame.arrived)


def _read(source: Iterable[Voxels], line: WaitingLine, rate: float | None, patient: int) -> None:
    """Put the source's frames into the line, no faster than `rate`; what goes wrong is told to who takes.

    The first `patient` frames wait for room where others would push the oldest out.
    """
    try:
        begun = time.monotonic()
        for number, pixels in enumerate(source):
            if rate is not None:
                time.sleep(max(0.0, begun + number / rate - time.monotonic()))
            if not line.put(Frame(number, pixels, time.monotonic()), patient=number < patient):
                return
        line.close()
    except BaseException as error:
        line.close(error)
