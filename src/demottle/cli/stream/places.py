"""Where the frames of `demottle stream` go, and what is there when it is stopped."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.errors import counted

if TYPE_CHECKING:
    from demottle.cli.stream.method import Ready
    from demottle.image import Voxels
    from demottle.stream.live import LiveReport
    from demottle.stream.sources import Source


class Place:
    """A file, a folder or standard output; callable with the number of a frame and its result.

    Attributes:
        handed: results that have come.
    """

    def __init__(self, opened: "Source", ready: "Ready", output: str, overwrite: bool, stack: ExitStack) -> None:
        """Open it; `stack` closes it."""
        from demottle.stream import sinks
        from demottle.stream.raw import float_geometry

        self.handed = 0
        self._ready, self._output, self._overwrite = ready, output, overwrite
        geometry = opened.geometry or float_geometry()
        self._sink: Any
        if output == "-":
            self._sink = sinks.BytesSink(sys.stdout.buffer, geometry)
        elif output.endswith("/"):
            self._sink = sinks.FolderSink(Path(output))
        elif opened.image is None:
            file = stack.enter_context(Path(output).open("wb"))  # noqa: SIM115 (the stack closes it)
            self._sink = sinks.BytesSink(file, geometry)
        else:
            self._sink = sinks.MemorySink()

    def __call__(self, number: int, frame: "Voxels") -> None:
        """Take one result."""
        self._sink(number, frame)
        self.handed += 1

    def finish(self, report: "LiveReport") -> None:
        """Do what is left to do when all frames are there."""
        from demottle.stream import fitting, sinks

        if isinstance(self._sink, sinks.MemorySink):
            assert self._ready.run is not None
            path = Path(self._output)
            fitting.write_all(self._ready.run, self._sink.frames, report, self._ready.denoiser, path, self._overwrite)
        elif isinstance(self._sink, sinks.FolderSink):
            self._sink.end()

    def stopped(self) -> str:
        """Leave things in order after Ctrl-C, and say in a sentence what is there; empty where nothing is."""
        from demottle.stream import sinks

        if isinstance(self._sink, sinks.MemorySink):
            return ""
        if isinstance(self._sink, sinks.FolderSink):
            self._sink.end()  # who reads the folder need not wait for more
        where = "standard output" if self._output == "-" else self._output
        return f"{counted(self.handed, 'frame')} had been denoised before and went to {where}." if self.handed else ""
