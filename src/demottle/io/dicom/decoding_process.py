"""Compressed pixels are decoded in a process of their own: a decoder in C that a broken stream brings down takes only that along.

`decode` asks it and lets it compute for each plane no longer than its size allows (`_patience`); a process that dies, hangs or
needs too much memory is an error like any other, and the next file gets a new one. Run as a module, this file is that process.
"""

import atexit
import contextlib
import json
import os
import queue
import selectors
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from demottle.io.dicom.files import FileRef

_PATIENCE, _LARGEST = 3.0, 6.0  # seconds of processor time for a small plane and for a large one, which takes one
_PIXELS_MORE = 1 << 20  # pixels for each second between the two
_STARTING = 30.0  # seconds of processor time for the packages it needs
_LONGEST = 120.0  # seconds by the clock, on a machine that has much else to do; or where processor time is not known
_LOOK = 0.5  # seconds between two looks at it
_ROOM = 3 << 30  # bytes of address space, most of it libraries
_MOST_PROCESSES = 2
_idle: "queue.SimpleQueue[_Process]" = queue.SimpleQueue()


class DecodingError(Exception):
    """The decoder refused, died or took too long."""


def decode(
    file: FileRef, syntax: str, frames: Sequence[int], *, pixels: int = 0, split: bool = False
) -> Generator[NDArray[Any]]:
    """Yield the stored planes of one file, in the order of `frames` (counted from 0).

    `pixels`: how many a plane has, by its header; more of them may take longer.
    `split`: its table of offsets lists fragments of the one frame (`check_coded_size`), and is left aside.

    Raises:
        DecodingError: says why in a few words.
        NotImplementedError: no decoder for this transfer syntax.
    """
    process = _take()
    done = False
    try:
        named = {"path": os.fsencode(file.path).hex(), "member": file.member}
        process.ask({**named, "syntax": syntax, "frames": list(frames), "split": split})
        for _ in frames:
            yield process.plane(_patience(pixels))
        done = True
    finally:
        if done:
            _give_back(process)
        else:  # planes are left in the pipe, or it is dead
            process.end()


def _patience(pixels: int) -> float:
    return min(_LARGEST, _PATIENCE + pixels / _PIXELS_MORE)


def _take() -> "_Process":
    with contextlib.suppress(queue.Empty):
        process = _idle.get_nowait()
        if process.alive:
            return process
        process.end()
    return _Process()


def _give_back(process: "_Process") -> None:
    if _idle.qsize() < _MOST_PROCESSES:
        _idle.put(process)
    else:
        process.end()


@atexit.register
def end_idle() -> None:
    """End the processes that wait for the next file; done when the program ends."""
    with contextlib.suppress(queue.Empty):
        while True:
            _idle.get_nowait().end()


class _Process:
    """One such process, from our side."""

    def __init__(self) -> None:
        self._owner, self._ready = os.getpid(), False
        self._popen = subprocess.Popen(
            [sys.executable, "-c", "from demottle.io.dicom.decoding_process import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)},
            bufsize=0,
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._out, selectors.EVENT_READ)

    @property
    def _out(self) -> IO[bytes]:
        assert self._popen.stdout is not None
        return self._popen.stdout

    @property
    def alive(self) -> bool:
        return self._owner == os.getpid() and self._popen.poll() is None

    def ask(self, request: dict[str, Any]) -> None:
        assert self._popen.stdin is not None
        try:
            self._popen.stdin.write(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise DecodingError("the decoder ended") from error

    def plane(self, seconds: float) -> NDArray[Any]:
        if not self._ready:
            self._line(_Patience(self._popen.pid, _STARTING))
            self._ready = True
        until = _Patience(self._popen.pid, seconds)
        head = json.loads(self._line(until))
        if "unknown" in head:
            raise NotImplementedError(head["unknown"])
        if "error" in head:
            raise DecodingError(head["error"])
        plane = np.empty(head["shape"], np.dtype(head["dtype"]))
        self._fill(plane.reshape(-1).view(np.uint8).data, until)
        return plane

    def _line(self, until: "_Patience") -> bytes:
        line = bytearray()
        while not line.endswith(b"\n"):
            line += self._some(1, until)
        return bytes(line)

    def _fill(self, place: memoryview, until: "_Patience") -> None:
        at = 0
        while at < len(place):
            piece = self._some(len(place) - at, until)
            place[at : at + len(piece)] = piece
            at += len(piece)

    def _some(self, most: int, until: "_Patience") -> bytes:
        while not self._selector.select(_LOOK):
            if until.over():
                raise DecodingError(f"the decoder was not done after {until.seconds:.0f} s")
        piece = self._out.read(most)
        if not piece:
            raise DecodingError("the decoder crashed")
        return piece

    def end(self) -> None:
        """End it, whatever it does."""
        if self._owner != os.getpid():  # a forked copy of ours: the process is its parent's
            return
        self._selector.close()
        self._popen.kill()
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class _Patience:
    """How long a process may go on: by the processor time it takes, so that other programs do not count."""

    def __init__(self, pid: int, seconds: float) -> None:
        self._pid, self.seconds = pid, seconds
        self._begun, self._spent = time.monotonic(), _processor_seconds(pid)

    def over(self) -> bool:
        spent = _processor_seconds(self._pid)
        if spent is not None and self._spent is not None and spent - self._spent > self.seconds:
            return True
        return time.monotonic() - self._begun > (_LONGEST if spent is not None else self.seconds)


def _processor_seconds(pid: int) -> float | None:
    """Processor time of another process; None where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def serve() -> None:
    """Be the process: read requests from standard input, write planes to standard output, until the input ends."""
    _bounds()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the planes
    import pydicom.pixels.utils  # noqa: F401

    _say(out, {"ready": True})
    for line in sys.stdin.buffer:
        _answer(json.loads(line), out)


def _bounds() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_ROOM, _ROOM))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(request: dict[str, Any], out: IO[bytes]) -> None:
    import warnings

    from pydicom.pixels.utils import iter_pixels
    from pydicom.uid import UID

    file = FileRef(Path(os.fsdecode(bytes.fromhex(request["path"]))), request["member"])
    try:
        with warnings.catch_warnings(), file.open() as stream:
            warnings.simplefilter("ignore")
            syntax = UID(request["syntax"])
            source = _without_table(stream) if request["split"] else stream
            for plane in iter_pixels(source, indices=request["frames"], raw=True, transfer_syntax_uid=syntax):
                plane = np.ascontiguousarray(plane)
                _say(out, {"shape": plane.shape, "dtype": plane.dtype.str})
                out.write(plane.reshape(-1).view(np.uint8).data)
                out.flush()
    except NotImplementedError as error:
        _say(out, {"unknown": str(error)})
    except Exception as error:  # decoders raise many types
        _say(out, {"error": type(error).__name__})


def _without_table(stream: Any) -> Any:
    import pydicom

    from demottle.io.dicom.coded_size import untabled

    dataset = pydicom.dcmread(stream)
    dataset.PixelData = untabled(dataset.PixelData)
    return dataset


def _say(out: IO[bytes], head: dict[str, Any]) -> None:
    out.write(json.dumps(head).encode() + b"\n")
    out.flush()
