"""Ways to break a file, each drawn from a seeded generator: the same number always breaks a file in the same way."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

Generator = np.random.Generator
Mutation = Callable[[bytes, Generator], bytes]

_NUMBERS = [b"0", b"-1", b"1", b"2", b"3", b"4", b"17", b"65535", b"2147483647", b"-2147483648", b"4294967296"]
_NUMBERS += [b"99999999999999999999", b"1e308", b"1e-308", b"nan", b"inf", b"abc", b"", b"1 2 3", b"0.0", b"-0"]
_TEXTS = [
    "",
    "abc",
    "0",
    "-1",
    "nan",
    "inf",
    "1e308",
    "1e-300",
    "99999999999999",
    "1\\2\\3\\4\\5\\6\\7",
    "\\",
    "x" * 5000,
]
_WHOLE = [0, 1, 2, 7, 8, 12, 16, 31, 32, 64, 255, 32767, 65535]


def truncated(content: bytes, rng: Generator) -> bytes:
    return content[: int(rng.integers(0, len(content)))]


def flipped(content: bytes, rng: Generator) -> bytes:
    """One to eight bits, most of them near the beginning, where the header is."""
    broken = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        reach = len(broken) if rng.random() < 0.3 else min(len(broken), 700)
        broken[int(rng.integers(0, reach))] ^= 1 << int(rng.integers(0, 8))
    return bytes(broken)


def overwritten(content: bytes, rng: Generator) -> bytes:
    """A passage of up to 32 bytes becomes noise, zeros or ones."""
    broken = bytearray(content)
    start = int(rng.integers(0, min(len(broken), 2000 if rng.random() < 0.7 else len(broken))))
    length = min(int(rng.integers(1, 33)), len(broken) - start)
    filling = (rng.bytes(length), bytes(length), b"\xff" * length)[int(rng.integers(0, 3))]
    broken[start : start + length] = filling
    return bytes(broken)


def shuffled(content: bytes, rng: Generator) -> bytes:
    """A passage is cut out, or stands twice."""
    start, end = sorted(int(value) for value in rng.integers(0, len(content), 2))
    return content[:start] + content[end:] if rng.random() < 0.5 else content[:end] + content[start:]


def renumbered(content: bytes, rng: Generator) -> bytes:
    """A number in a header of text (MetaImage, NRRD, .npy) becomes another one, or none."""
    head = content[:400]
    found = list(re.finditer(rb"-?\d+(?:\.\d+)?", head))
    if not found:
        return flipped(content, rng)
    place = found[int(rng.integers(0, len(found)))]
    return content[: place.start()] + _NUMBERS[int(rng.integers(0, len(_NUMBERS)))] + content[place.end() :]


def element_changed(content: bytes, rng: Generator) -> bytes:
    """An element of a DICOM header, wherever it lies, holds something else, or is gone."""
    try:
        dataset = pydicom.dcmread(pydicom.filebase.DicomBytesIO(content), force=True)
    except Exception:
        return flipped(content, rng)
    holders = [dataset, *(item for element in dataset.iterall() if element.VR == "SQ" for item in element.value)]
    holder = holders[int(rng.integers(0, len(holders)))]
    elements = [element for element in holder if element.VR != "SQ" and element.keyword != "PixelData"]
    if not elements:
        return flipped(content, rng)
    element = elements[int(rng.integers(0, len(elements)))]
    if rng.random() < 0.15:
        del holder[element.tag]
    else:
        _change(holder, element, rng)
    buffer = pydicom.filebase.DicomBytesIO()
    try:
        pydicom.dcmwrite(buffer, dataset, enforce_file_format=False)
    except Exception:  # what cannot be written is broken otherwise
        return flipped(content, rng)
    return bytes(buffer.getvalue())


def _change(holder: Dataset, element: pydicom.DataElement, rng: Generator) -> None:
    if element.VR in ("US", "SS", "UL", "SL"):
        holder[element.tag]._value = _WHOLE[int(rng.integers(0, len(_WHOLE)))]
    elif element.VR in ("FD", "FL"):
        holder[element.tag]._value = [0.0, -1.0, float("nan"), float("inf"), 1e300][int(rng.integers(0, 5))]
    else:
        text = _TEXTS[int(rng.integers(0, len(_TEXTS)))]
        pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
        # as bytes of another representation: pydicom itself would refuse them
        holder[element.tag] = pydicom.dataelem.RawDataElement(
            element.tag, element.VR, len(text.encode()), text.encode(), 0, False, True
        )


ANY: tuple[Mutation, ...] = (truncated, flipped, overwritten, shuffled)


def break_file(source: Path, target: Path, number: int) -> None:
    """Write `source`, broken in the way that `number` stands for, to `target`."""
    rng = np.random.default_rng([number, len(source.name)])
    own: tuple[Mutation, ...] = ()
    if source.suffix == ".dcm":
        own = (element_changed,) * 4
    elif source.suffix in (".mha", ".nrrd", ".npy"):
        own = (renumbered,) * 4
    choices = (*ANY, *own)
    target.write_bytes(choices[int(rng.integers(0, len(choices)))](source.read_bytes(), rng))
