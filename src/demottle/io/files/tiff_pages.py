"""Walk through the directories of a TIFF before a library does: a broken chain of them can have no end."""

import struct
from pathlib import Path
from typing import BinaryIO

from demottle.errors import InputError

_MOST_PAGES = 100_000
_CLASSIC, _BIG = 42, 43


def refuse_endless(path: Path) -> None:
    """Refuse a TIFF whose directories form a loop, lead out of the file, or are more than 100,000.

    What is not TIFF at all is left to the reader to say.

    Raises:
        InputError: says which.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(16)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        if order is None or len(head) < 16:
            return
        version = struct.unpack(order + "H", head[2:4])[0]
        if version == _CLASSIC:
            at, count, entry, link = struct.unpack(order + "I", head[4:8])[0], "H", 12, "I"
        elif version == _BIG:
            at, count, entry, link = struct.unpack(order + "Q", head[8:16])[0], "Q", 20, "Q"
        else:
            return
        seen: set[int] = set()
        while at:
            if at in seen:
                raise InputError(f"{path} is a broken TIFF: its pages form a loop; replace it.")
            if at + struct.calcsize(count) > size or len(seen) >= _MOST_PAGES:
                raise InputError(f"{path} is a broken TIFF: page {len(seen) + 1} lies outside of the file; replace it.")
            seen.add(at)
            entries = _number(stream, order + count, at)
            at = _number(stream, order + link, at + struct.calcsize(count) + entries * entry)


def _number(stream: BinaryIO, kind: str, at: int) -> int:
    stream.seek(min(at, 1 << 62))
    content = stream.read(struct.calcsize(kind))
    return int(struct.unpack(kind, content)[0]) if len(content) == struct.calcsize(kind) else 0
