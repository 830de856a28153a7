"""Packed streams (gzip, zlib) come out whole, or the file is refused: some readers take what came out so far for all of it.

MetaIO, which ITK reads MetaImage with, goes on with whatever is in memory; readers of NIfTI stop where the voxels end, before
the checksum that would tell of a broken copy.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from demottle.errors import InputError

_EITHER = 47  # zlib or gzip, found out by their first bytes
_PIECE, _CHUNK = 1 << 16, 1 << 20
_MORE = 64 << 20  # bytes that may follow; an endless stream is not followed to its end
_GZIP = b"\x1f\x8b"


def refuse_broken_stream(path: Path, data: Path, start: int, stop: int | None, stated: int) -> None:
    """Unpack a stream without keeping it.

    Args:
        path: the file to name.
        data: the file that holds the stream.
        start: its first byte.
        stop: byte behind its last; None: to the end of the file.
        stated: bytes that have to come out.

    Raises:
        InputError: it is cut off or broken, its checksum is wrong, or fewer bytes come out.
    """
    with data.open("rb") as stream:
        stream.seek(start)
        try:
            total = sum(map(len, unpacked(stream, None if stop is None else stop - start, stated)))
        except zlib.error as error:
            raise InputError(f"The compressed voxels of {path} are truncated or broken; replace it.") from error
    if total < stated:
        raise InputError(f"{path} is truncated: it states {stated} bytes of voxels, and {total} are there; replace it.")


def unpacked(stream: BinaryIO, length: int | None, wanted: int) -> Iterator[bytes]:
    """Yield what comes out of a stream, to the end of the one that the last of the wanted bytes comes from, or 64 MiB more.

    Args:
        stream: at its first byte; it may hold several gzip streams one after the other.
        length: bytes of it; None: to the end.
        wanted: bytes after which no further gzip stream is begun; what follows is not looked at.

    Raises:
        zlib.error: it is cut off or broken, or its checksum is wrong.
    """
    unpacker = zlib.decompressobj(_EITHER)
    total, rest = 0, b""
    while True:
        if not rest:
            rest = stream.read(_PIECE if length is None else min(_PIECE, length))
            length = None if length is None else length - len(rest)
        if not rest:
            raise zlib.error("the stream is cut off")
        piece = unpacker.decompress(rest, _CHUNK)
        total += len(piece)
        yield piece
        if total > wanted + _MORE:
            return
        rest = unpacker.unconsumed_tail
        if unpacker.eof:
            rest = unpacker.unused_data or stream.read(_PIECE if length is None else min(_PIECE, length))
            if total >= wanted or not rest.startswith(_GZIP):
                return
            unpacker = zlib.decompressobj(_EITHER)
