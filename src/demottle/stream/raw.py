"""Frames as bare bytes: from standard input, or from a TCP connection on this machine."""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from demottle.errors import InputError
from demottle.image import Voxels

LOOPBACK = "127.0.0.1"
_TYPES = {"uint8": "<u1", "uint16": "<u2", "int16": "<i2", "float32": "<f4"}
_CHUNK = 1 << 20


class Readable(Protocol):
    """Anything bytes can be read from."""

    def read(self, size: int, /) -> bytes | None:
        """Return up to `size` bytes, none at the end."""


@dataclass(frozen=True)
class RawGeometry:
    """What bare bytes do not say: rows, columns, and the type of a pixel (little-endian, row by row, no gaps)."""

    rows: int
    columns: int
    type: str

    @property
    def size(self) -> int:
        """Bytes of a frame."""
        return self.rows * self.columns * np.dtype(_TYPES[self.type]).itemsize

    def decode(self, data: bytes | bytearray) -> Voxels:
        """Return a frame, float32 (rows, columns)."""
        return np.frombuffer(data, _TYPES[self.type]).reshape(self.rows, self.columns).astype(np.float32)

    def encode(self, frame: Voxels) -> bytes:
        """Return the bytes of a frame, rounded and kept in the range of whole numbers."""
        kind = np.dtype(_TYPES[self.type])
        if kind.kind == "f":
            return frame.astype(kind).tobytes()
        limits = np.iinfo(kind)
        return np.clip(np.rint(frame), limits.min, limits.max).astype(kind).tobytes()


def parse_geometry(text: str) -> RawGeometry:
    """Read "512x512xuint16": rows, columns, type.

    Raises:
        InputError: for anything else.
    """
    found = re.fullmatch(r"(\d+)x(\d+)x(\w+)", text.strip())
    if not found or found[3] not in _TYPES or not 8 <= int(found[1]) <= 16384 or not 8 <= int(found[2]) <= 16384:
        kinds = ", ".join(_TYPES)
        raise InputError(
            f'"{text}" is not a frame geometry: give ROWSxCOLUMNSxTYPE like 512x512xuint16, 8 to 16384 pixels, one of {kinds}.'
        )
    return RawGeometry(int(found[1]), int(found[2]), found[3])


def float_geometry() -> RawGeometry:
    """How results are written as bytes where the source did not come as bytes: float32."""
    return RawGeometry(0, 0, "float32")


def raw_frames(stream: Readable, geometry: RawGeometry) -> Iterator[Voxels]:
    """Yield frames until the stream ends.

    Raises:
        InputError: where it ends in the middle of a frame, after the frames before were yielded.
    """
    number = 0
    while True:
        data = bytearray()
        while len(data) < geometry.size:
            part = stream.read(min(_CHUNK, geometry.size - len(data)))
            if not part:
                break
            data += part
        if not data:
            return
        if len(data) < geometry.size:
            raise InputError(
                f"The stream ended in the middle of frame {number}, after {len(data)} of its {geometry.size} bytes; "
                "is the geometry right?"
            )
        yield geometry.decode(data)
        number += 1


class TcpSource:
    """Frames from the first connection to a port of this machine; nothing outside can connect.

    Attributes:
        port: where it listens; one that is free where 0 was asked for.
    """

    def __init__(self, port: int, geometry: RawGeometry) -> None:
        """Begin to listen.

        Raises:
            InputError: where the port is taken or not allowed.
        """
        self._geometry = geometry
        try:
            self._server = socket.create_server((LOOPBACK, port), backlog=1)
        except (OSError, OverflowError) as error:
            raise InputError(f"Port {port} of this machine cannot be opened ({error}); choose another.") from error
        self.port = int(self._server.getsockname()[1])

    def __iter__(self) -> Iterator[Voxels]:
        """Wait for a connection and yield its frames."""
        with self._server:
            connection, _ = self._server.accept()
        with connection, connection.makefile("rb", buffering=0) as stream:
            yield from raw_frames(stream, self._geometry)

    def close(self) -> None:
        """Stop listening."""
        self._server.close()
