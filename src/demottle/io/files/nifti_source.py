"""NIfTI files opened by what they hold: a name that belies the compression, a pair of .hdr and .img, a broken checksum."""

import gzip
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from demottle.errors import InputError
from demottle.io.bombs import refuse_bomb, stored_size
from demottle.io.files.packed import refuse_broken_stream

_GZIP = b"\x1f\x8b"
_FIRST, _SECOND = 348, 540  # bytes of a header of NIfTI-1 and NIfTI-2, which the first of them say
_SCALES = {False: (112, "ff"), True: (176, "dd")}
"""Where scl_slope and scl_inter stand in the header of NIfTI-1 and of NIfTI-2."""


@dataclass(frozen=True)
class Opened:
    """A file whose header was read: nibabel's image, and what to say of the scale it states."""

    nifti: Any
    doubts: tuple[str, ...] = ()


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open a NIfTI file; its voxels can be read within the block.

    Whether it is compressed is taken from its first bytes. Compressed voxels are unpacked once more,
    for their checksum.

    Raises:
        InputError: Analyze 7.5; half of a pair; truncated or broken compressed voxels; too much stated for what is stored.
        Exception: nibabel, gzip and zlib raise many types.
    """
    import nibabel

    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    with gzip.open(path) if packed else path.open("rb") as stream:
        head = stream.read(_SECOND)
        stream.seek(0)
        if not _begins_as(head, _FIRST) and not _begins_as(head, _SECOND):
            raise ValueError(f"{path} does not begin as a NIfTI file")
        if path.suffix.lower() == ".hdr":
            nifti = _pair(path)
        else:
            kind: Any = nibabel.Nifti2Image if _begins_as(head, _SECOND) else nibabel.Nifti1Image
            if not kind.header_class.may_contain_header(head):
                raise ValueError(f"{path} does not begin as a NIfTI file")
            nifti = kind.from_file_map({"image": nibabel.FileHolder(fileobj=stream)})
        _refuse_what_is_not_there(path, nifti, packed)
        if path.suffix.lower() != ".hdr":
            _refuse_voxels_in_header(path, nifti)
        yield Opened(nifti, _scale_doubt(head))


def _pair(path: Path) -> Any:
    """Return what a .hdr and the .img beside it hold, as an image of one file."""
    import nibabel as untyped_nibabel

    nibabel: Any = untyped_nibabel  # its types are incomplete
    if not path.with_suffix(".img").exists():
        raise InputError(f"{path} is a header without its voxels; put {path.with_suffix('.img').name} beside it.")
    pair = nibabel.load(path)
    if not isinstance(pair, nibabel.Nifti1Pair):
        raise InputError(
            f"{path} is Analyze 7.5, which does not say what is left and what is right; convert it to NIfTI first."
        )
    header = nibabel.Nifti1Header(endianness=pair.header.endianness)
    for key in header:
        if key not in ("magic", "vox_offset"):
            header[key] = pair.header[key]
    header.extensions[:] = list(pair.header.extensions)
    return nibabel.Nifti1Image(pair.dataobj, pair.affine, header)


def _refuse_voxels_in_header(path: Path, nifti: Any) -> None:
    """An offset of 0 is that of a pair of files; of one file nibabel would take the header for voxels."""
    offset, header = int(nifti.dataobj.offset), int(nifti.header.sizeof_hdr)
    if offset < header:
        raise InputError(
            f"{path} says that its voxels begin at byte {offset} (vox_offset), within its own header of {header} bytes; repair "
            "or replace it."
        )


def _refuse_what_is_not_there(path: Path, nifti: Any, packed: bool) -> None:
    size = int(nifti.get_data_dtype().itemsize)
    for length in nifti.shape:
        size *= max(0, int(length))  # Python's own numbers, which do not overflow
    refuse_bomb(str(path), size, stored_size(path.with_suffix(".img") if path.suffix.lower() == ".hdr" else path))
    if packed:
        refuse_broken_stream(path, path, 0, None, int(nifti.dataobj.offset) + size)


def _begins_as(head: bytes, length: int) -> bool:
    return len(head) >= _FIRST and any(head[:4] == struct.pack(f"{order}i", length) for order in "<>")


def _scale_doubt(head: bytes) -> tuple[str, ...]:
    """An intercept without a slope: the standard and nibabel leave both out, ITK adds the intercept."""
    at, kind = _SCALES[_begins_as(head, _SECOND)]
    order = "<" if head[0] else ">"  # little-endian, neither length begins with a byte of 0
    slope, intercept = struct.unpack_from(order + kind, head, at)
    if (slope and isfinite(slope)) or not (intercept and isfinite(intercept)):
        return ()
    return (
        f"The NIfTI header states an intercept ({intercept:g}) and no slope: the values are taken as they are stored, as the "
        "standard has it; programs that are built on ITK add the intercept.",
    )
