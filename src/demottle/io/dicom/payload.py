"""What a DICOM image keeps of its source, and how a source's files are opened again."""

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from demottle.io.dicom.files import FileRef
from demottle.io.dicom.headers.marks import MARK_TAGS
from demottle.io.dicom.slice_header import SliceHeader
from demottle.io.payload import Payload


@dataclass(frozen=True)
class DicomPayload(Payload):
    """What the writer needs to find each slice's own file again; the pixels stay on disk.

    Attributes:
        slices: the header of each slice, in the order of `views`.
        volume: its number among the volumes of its series, from 1; 0 where the series is a run of frames.
        label: what distinguishes it from the other volumes of its series; empty where it is the only one.
    """

    slices: tuple[SliceHeader, ...] = field(default=(), repr=False)
    volume: int = 0
    label: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns of the image that these slices make."""
        return len(self.slices), self.slices[0].rows, self.slices[0].columns

    def views(self, voxels: np.ndarray) -> list[np.ndarray]:
        """Return the part of an array of the image's shape that belongs to each slice."""
        return list(voxels)


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Read leniently: pydicom's remarks about odd headers are not the user's business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def by_file(slices: Sequence[SliceHeader]) -> dict[FileRef, list[int]]:
    """Return the indices of the slices in each file, in the file's own order of frames."""
    files: dict[FileRef, list[int]] = defaultdict(list)
    for index, header in enumerate(slices):
        files[header.file].append(index)
    return {file: sorted(indices, key=lambda index: slices[index].frame or 0) for file, indices in files.items()}


def marks_of(file: FileRef) -> Dataset:
    """Return the elements of a file in which demottle keeps its marks."""
    with file.open() as stream:
        return pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=MARK_TAGS, force=True)
