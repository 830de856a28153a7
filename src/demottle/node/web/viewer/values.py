"""The values of a frame as they are stored, for a browser to window, and how they become the image's unit."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut
from pydicom.pixels.utils import pixel_array

from demottle.node.web.viewer.frames import Frame
from demottle.node.web.viewer.groups import number, said_of

KINDS = {"u1": "Uint8", "i1": "Int8", "u2": "Uint16", "i2": "Int16", "f4": "Float32"}
"""Types of numbers, and what JavaScript calls arrays of them."""


@dataclass(frozen=True)
class Values:
    """A frame: value = slope x stored + intercept.

    Attributes:
        stored: (rows, columns), little endian, of a type in `KINDS`.
        slope, intercept: of this frame.
    """

    stored: NDArray[np.generic]
    slope: float
    intercept: float

    @property
    def kind(self) -> str:
        """What JavaScript calls an array of these numbers, without "Array"."""
        return KINDS[self.stored.dtype.str[1:]]

    @property
    def scaled(self) -> NDArray[np.float32]:
        """The values in the image's unit."""
        return (self.stored.astype(np.float64) * self.slope + self.intercept).astype(np.float32)


def values_of(frame: Frame) -> Values:
    """Read one frame, and of a file with many no other.

    Raises:
        ValueError: it cannot be read, or is not gray.
    """
    try:
        header = header_of(frame.file)
        stored = _stored(frame.file, frame.number, header)
    except Exception as error:  # decoders and pydicom raise many types
        raise ValueError("the pixels cannot be read") from error
    if stored.ndim != 2:
        raise ValueError("it is not a gray image")
    if "ModalityLUTSequence" in header:
        return Values(_plain(np.asarray(apply_modality_lut(stored, header), np.float32)), 1.0, 0.0)
    slope, intercept = (number(said_of(header, frame.number, f"Rescale{name}")) for name in ("Slope", "Intercept"))
    return Values(_plain(stored), 1.0 if slope in (None, 0.0) else float(slope or 1), intercept or 0.0)


@lru_cache(maxsize=16)
def header_of(file: Path) -> Dataset:
    """The header of a file. One of many frames is long, and asked for with each of them; no file name is used twice."""
    return pydicom.dcmread(file, stop_before_pixels=True)


def _stored(file: Path, number: int, header: Dataset) -> NDArray[np.generic]:
    frames = int(header.get("NumberOfFrames") or 1)
    return np.asarray(pixel_array(file, index=number if frames > 1 else None))


def _plain(stored: NDArray[np.generic]) -> NDArray[np.generic]:
    """Little endian, and of a type that a browser knows."""
    known = stored.dtype.str[1:] in KINDS
    return np.ascontiguousarray(stored, np.dtype("<" + stored.dtype.str[1:]) if known else np.dtype("<f4"))
