"""Where results go: bare bytes, a folder with one file for each frame, or memory, until all are there."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from demottle.errors import OutputError
from demottle.image import Voxels
from demottle.stream.folder import END
from demottle.stream.raw import RawGeometry


class Writable(Protocol):
    """Anything bytes can be written to."""

    def write(self, data: bytes, /) -> Any:
        """Write all of the bytes."""

    def flush(self) -> None:
        """Hand on what was written."""


class BytesSink:
    """Writes each frame as bytes, at once."""

    def __init__(self, stream: Writable, geometry: RawGeometry) -> None:
        """Write to `stream`."""
        self._stream, self._geometry = stream, geometry

    def __call__(self, number: int, frame: Voxels) -> None:
        """Write one frame.

        Raises:
            OutputError: where nobody reads any more, or the disk is full.
        """
        try:
            self._stream.write(self._geometry.encode(frame))
            self._stream.flush()
        except OSError as error:
            raise OutputError(f"Frame {number} cannot be written: {error.strerror or error}.") from error


class FolderSink:
    """Writes `frame-000000.npy`, ... into a folder, each whole or not at all, and at last the file `END`."""

    def __init__(self, folder: Path) -> None:
        """Make the folder.

        Raises:
            OutputError: where it exists and holds something, or cannot be made.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"The folder {folder} cannot be made: {error.strerror or error}.") from error
        if any(folder.iterdir()):
            raise OutputError(f"The folder {folder} is not empty; choose another.")
        self._folder = folder

    def __call__(self, number: int, frame: Voxels) -> None:
        """Write one frame, float32."""
        final = self._folder / f"frame-{number:06d}.npy"
        part = final.with_name(f".{final.name}")
        try:
            np.save(part, frame.astype(np.float32))
            part.replace(final)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise OutputError(f"{final} cannot be written: {error.strerror or error}.") from error

    def end(self) -> None:
        """Say that no more frames come."""
        (self._folder / END).touch()


class MemorySink:
    """Keeps all frames.

    Attributes:
        frames: in order.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.frames: list[Voxels] = []

    def __call__(self, number: int, frame: Voxels) -> None:
        """Keep one frame."""
        self.frames.append(frame)
