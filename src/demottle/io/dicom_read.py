"""Read one DICOM series as an `Image`."""

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from demottle.errors import InputError
from demottle.events import Listener, Progress, silent
from demottle.image import Image, Source
from demottle.io.dicom_aside import Aside, maybe_missing, refuse_broken_member, refuse_nothing_read, remarks
from demottle.io.dicom_copies import without_copies
from demottle.io.dicom_files import FileRef, collect
from demottle.io.dicom_geometry import Stack, pick_volume, stack
from demottle.io.dicom_kind import as_volume, modality_of
from demottle.io.dicom_marks import MARK_TAGS, read_history
from demottle.io.dicom_pixels import check_readable, iter_stored, meaning
from demottle.io.dicom_scan import SliceHeader, scan
from demottle.io.dicom_series import SeriesInfo, choose, group_series
from demottle.io.payload import Payload
from demottle.io.values.ct_units import confirm_hounsfield

_THREADS = 4


@dataclass(frozen=True)
class DicomPayload(Payload):
    """What the writer needs to find each slice's own file again; the pixels stay on disk."""

    slices: tuple[SliceHeader, ...] = field(default=(), repr=False)


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Read leniently: pydicom's remarks about odd headers are not the user's business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def list_dicom_series(path: Path) -> list[SeriesInfo]:
    """List the series in a file, folder, DICOMDIR or zip.

    Raises:
        InputError: nothing there, or no DICOM image in it.
    """
    with quiet_pydicom():
        return [info for info, _ in group_series(_scan_images(path)[0])]


def run_in_dicom(path: Path, series: str | None) -> bool:
    """True where the series that would be read is a run of frames over time.

    Raises:
        InputError: nothing there, or several series and none chosen.
    """
    with quiet_pydicom():
        return choose(group_series(_scan_images(path)[0]), series, accept_own_output=True)[0][0].run


def _scan_images(path: Path) -> tuple[list[SliceHeader], list[Aside]]:
    slices, aside = scan(collect(path))
    if not slices:
        refuse_nothing_read(path, aside)
    return slices, aside


def read_dicom(
    path: Path,
    *,
    series: str | None = None,
    accept_uneven: bool = False,
    accept_own_output: bool = False,
    unit: str | None = None,
    listener: Listener = silent,
) -> Image:
    """Read one series; arguments and errors as in `demottle.io.read`."""
    with quiet_pydicom():
        found, beside = _scan_images(path)
        (info, all_members), others = choose(group_series(found), series, accept_own_output=accept_own_output)
        refuse_broken_member(beside, info.uid)
        members, copies = without_copies(all_members)
        said = (*remarks(beside), *others, *copies)
        if info.run:
            from demottle.io.dicom_sequence import read_sequence  # here, because it builds on this file

            return read_sequence(path, members, said, listener)
        members, kind = as_volume(members)
        group, strays = pick_volume(members)
        for header in group:
            check_readable(header)
        try:
            volume = stack(group, accept_uneven=accept_uneven)
        except InputError as error:
            raise InputError(f"{error}{maybe_missing(beside)}", remedy=error.remedy) from error
        voxels, valid = _decode(volume, listener)
        first = volume.slices[0]
        doubt = confirm_hounsfield(volume.slices, voxels, valid, unit) if first.modality == "CT" else ""
        history = read_history(_marks(first.file))
    payload = DicomPayload(
        warnings=(*said, *kind, *strays, *_spacing_warning(volume), *_number_warnings(first, doubt)),
        affine=volume.affine,
        steps=len(history),
        description=first.description,
        slices=volume.slices,
    )
    return Image(
        voxels=voxels,
        spacing=volume.spacing,
        modality=modality_of(first),
        unit="HU" if first.modality == "CT" else "a.u.",
        valid=valid,
        slice_thickness=first.thickness,
        evenly_spaced=volume.evenly_spaced,
        source=Source("dicom", str(path), payload),
        history=history,
    )


def by_file(slices: Sequence[SliceHeader]) -> dict[FileRef, list[int]]:
    """Return the indices of the slices in each file, in the file's own order of frames."""
    files: dict[FileRef, list[int]] = defaultdict(list)
    for index, header in enumerate(slices):
        files[header.file].append(index)
    return {file: sorted(indices, key=lambda index: slices[index].frame or 0) for file, indices in files.items()}


def _decode(volume: Stack, listener: Listener) -> tuple[np.ndarray, np.ndarray | None]:
    """Decode slice by slice into one array; no more than a few stored slices are in memory at a time."""
    slices = volume.slices
    voxels = np.empty((len(slices), slices[0].rows, slices[0].columns), np.float32)
    invalid: dict[int, np.ndarray] = {}

    def one(indices: list[int]) -> None:
        planes = iter_stored([slices[index] for index in indices])
        for index, stored in zip(indices, planes, strict=True):
            voxels[index], measured = meaning(slices[index], stored)
            if not measured.all():
                invalid[index] = measured

    files = list(by_file(slices).values())
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for done, _ in enumerate(pool.map(one, files), start=1):
                listener(Progress("read", done, len(files)))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    if not invalid:
        return voxels, None
    valid = np.ones(voxels.shape, np.bool_)
    for index, measured in invalid.items():
        valid[index] = measured
    return voxels, valid


def _marks(file: FileRef) -> Dataset:
    with file.open() as stream:
        return pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=MARK_TAGS, force=True)


def _number_warnings(first: SliceHeader, doubt: str) -> tuple[str, ...]:
    found = [doubt] if doubt else []
    if first.lut:
        found.append(
            "A Modality LUT gives the stored values their meaning; the stored values themselves are worked on."
        )
    return tuple(found)


def _spacing_warning(volume: Stack) -> tuple[str, ...]:
    first = volume.slices[0]
    if len(volume.slices) == 1 and not (first.spacing_between or first.thickness):
        return ("The one slice states no thickness; 1 mm is assumed, which only matters for its header elsewhere.",)
    if not volume.evenly_spaced:
        return (f"Slices are not evenly spaced; the typical gap, {volume.spacing[0]:g} mm, is used as the spacing.",)
    return ()
