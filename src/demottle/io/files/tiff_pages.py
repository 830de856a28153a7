"""The pages of a TIFF: walked through before a library does, because a broken chain of them can have no end; and decoded."""

import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.io.files.plain_names import readable_name

_MOST_PAGES = 100_000
_CLASSIC, _BIG = 42, 43
_BLACK_IS_ZERO = 1


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


def pages_of(tiff: Any, path: Path) -> NDArray[Any]:
    """Return the pages of an open TIFF (tifffile) that all have one size and type, shape (pages, rows, columns).

    ImageJ describes only the first page of a large stack, and the others follow it without a word.

    Raises:
        InputError: compressed in a way that nothing here decodes.
        Exception: tifffile raises many types for a broken file.
    """
    from tifffile import TIFF

    first = tiff.pages[0]
    kinds = {(page.keyframe.compression, page.keyframe.predictor) for page in tiff.pages}
    if any(packing not in TIFF.DECOMPRESSORS or predictor not in TIFF.UNPREDICTORS for packing, predictor in kinds):
        return _by_itk(tiff, path)
    if len(tiff.series) == 1 and tiff.series[0].size > len(tiff.pages) * first.size:
        return np.asarray(tiff.series[0].asarray()).reshape(-1, *first.shape)
    return np.stack([page.asarray() for page in tiff.pages])


def _by_itk(tiff: Any, path: Path) -> NDArray[Any]:
    """Decode what tifffile needs a package for that is not a dependency: LZW, as many programs write it unasked."""
    import SimpleITK

    sitk: Any = SimpleITK  # it has no types
    first = tiff.pages[0]
    name = getattr(first.compression, "name", str(first.compression))
    refused = InputError(
        f"{path} is compressed as {name}, which demottle does not decode; save it without compression."
    )
    if any(page.keyframe.photometric != _BLACK_IS_ZERO for page in tiff.pages):
        raise refused
    sitk.ProcessObject.GlobalWarningDisplayOff()
    try:
        with readable_name(path) as text:
            stored = np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(str(text), imageIO="TIFFImageIO")))
    except RuntimeError as error:
        raise refused from error
    stored = stored.reshape((-1, *stored.shape[-2:])) if stored.ndim in (2, 3) else stored
    if stored.shape != (len(tiff.pages), *first.shape) or stored.dtype != first.dtype:
        raise refused
    return stored
