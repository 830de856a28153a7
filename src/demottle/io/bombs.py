"""Files that are small on disk and enormous in memory are refused by what they state, before anything is unpacked.

Noise does not compress: a scan that has any is stored in at least a tenth of its size. What takes a hundredth is empty, or made
to exhaust the memory of whoever opens it.
"""

import zlib
from pathlib import Path

from demottle.errors import InputError

_RATIO = 100
_HARMLESS = 256 << 20  # bytes; so much may be empty: a mask, a phantom, black frames
_CHUNK = 1 << 20  # of what comes out
_PIECE = 1 << 16  # of what goes in


def refuse_bomb(name: str, stated: int, stored: int) -> None:
    """Refuse what states more than 256 MiB and a hundred times what is stored.

    Args:
        name: the file, for the message.
        stated: bytes of voxels that the header states.
        stored: bytes that they take in the file.

    Raises:
        InputError: says both sizes.
    """
    if stated > _HARMLESS and stated > _RATIO * stored:
        raise InputError(
            f"{name} states {_size(stated)} of voxels but stores {_size(stored)} for them, which no scan with noise fits into; "
            "it is empty or broken, replace it."
        )


def stored_size(path: Path) -> int:
    """Return the bytes a file takes on the disk: fewer than its length where it is mostly holes."""
    status = path.stat()
    blocks = getattr(status, "st_blocks", None)  # not on Windows
    return status.st_size if blocks is None else min(status.st_size, blocks * 512 or status.st_size)


def refuse_deflate_bomb(name: str, packed: bytes) -> None:
    """Unpack a raw deflate stream without keeping it, and refuse it as `refuse_bomb` does.

    Raises:
        InputError: too much comes out.
    """
    if len(packed) * 1032 <= _HARMLESS:  # deflate never packs more tightly
        return
    unpacker, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    for start in range(0, len(packed), _PIECE):
        rest = packed[start : start + _PIECE]
        while rest and not unpacker.eof:
            try:
                total += len(unpacker.decompress(rest, _CHUNK))
            except zlib.error:
                return  # broken: the reader says so
            rest = unpacker.unconsumed_tail
            refuse_bomb(name, total, len(packed))


def _size(number: int) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if number < 1024 or unit == "TiB":
            break
        number //= 1024
    return f"{number} {unit}"
