"""multipart/related bodies (RFC 2387): taken apart from a file without holding it in memory, and put together as a stream."""

import mmap
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from demottle.errors import InputError

DICOM = "application/dicom"
_HEAD, _PARTS, _PIECE = 4096, 20000, 1 << 20
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


@dataclass(frozen=True)
class Part:
    """One part: its content type in small letters, and where in the file its content lies."""

    kind: str
    start: int
    stop: int


def boundary_of(content_type: str) -> str:
    """The boundary of a multipart/related body of DICOM objects.

    Raises:
        InputError: it is of another type, or states no usable boundary.
    """
    told = Message()
    told["content-type"] = content_type
    if told.get_content_type() != "multipart/related":
        raise InputError(f'The content type has to be multipart/related; type="{DICOM}".')
    inner = told.get_param("type", DICOM)
    if not isinstance(inner, str) or inner.lower() != DICOM:
        raise InputError(f"Only objects as {DICOM} are taken, not metadata with bulk data.")
    boundary = told.get_boundary("")
    if not boundary or not _BOUNDARY.fullmatch(boundary):
        raise InputError("The content type states no usable boundary.")
    return str(boundary)


def parts_of(file: Path, boundary: str) -> list[Part]:
    """Find the parts of a body in a file.

    Raises:
        InputError: the body is not what its boundary promises.
    """
    if not file.stat().st_size:
        raise InputError("The body is empty.")
    mark = b"--" + boundary.encode("ascii")
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as body:
        at = 0 if body[: len(mark)] == mark else body.find(b"\r\n" + mark) + 2
        if at == 1:
            raise InputError("The body does not begin with its boundary.")
        found: list[Part] = []
        while True:
            at += len(mark)
            if body[at : at + 2] == b"--":
                return found
            stop = body.find(b"\r\n" + mark, at)
            if stop < 0:
                raise InputError("The body ends without its last boundary; it was cut off.")
            if len(found) >= _PARTS:
                raise InputError(f"The body has more than {_PARTS} parts; send it in several requests.")
            found.append(_part(body, at, stop))
            at = stop + 2


def _part(body: mmap.mmap, at: int, stop: int) -> Part:
    # A part without headers begins with an empty line at once.
    end = body.find(b"\r\n\r\n", at, min(stop + 4, at + _HEAD))
    if end < 0:
        raise InputError("A part has no end of its headers.")
    told = {}
    for line in bytes(body[at:end]).decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        told[name.strip().lower()] = value.strip()
    if told.get("content-transfer-encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
        raise InputError("Parts have to be binary.")
    return Part(told.get("content-type", DICOM).partition(";")[0].strip().lower(), end + 4, max(end + 4, stop))


def joined(files: Sequence[tuple[Path, str]], boundary: str) -> Iterator[bytes]:
    """Yield a body of files, each with its transfer syntax."""
    for file, syntax in files:
        yield f"--{boundary}\r\nContent-Type: {DICOM}; transfer-syntax={syntax}\r\n\r\n".encode()
        with file.open("rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()
