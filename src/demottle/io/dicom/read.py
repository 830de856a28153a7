"""Read one DICOM series as an `Image`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from demottle.errors import InputError, counted
from demottle.events import Listener, silent
from demottle.image import Image, Source
from demottle.io.dicom.aside import (
    Aside,
    hidden_remark,
    maybe_missing,
    refuse_broken_member,
    refuse_nothing_read,
    remarks,
)
from demottle.io.dicom.copies import without_copies
from demottle.io.dicom.decoding import decoded
from demottle.io.dicom.files import FileRef, collect, hidden_with_dicom
from demottle.io.dicom.geometry import Stack, scattered_frames, stack, without_place
from demottle.io.dicom.headers.forms import backslash_remark
from demottle.io.dicom.headers.marks import read_history
from demottle.io.dicom.kind import as_volume, is_run, modality_of
from demottle.io.dicom.payload import DicomPayload, marks_of, quiet_pydicom
from demottle.io.dicom.pixels import check_readable
from demottle.io.dicom.scan import scan
from demottle.io.dicom.sequence import read_sequence
from demottle.io.dicom.series import SeriesInfo, choose, group_series
from demottle.io.dicom.slice_header import SliceHeader
from demottle.io.grid.jumps import jump_warning
from demottle.io.values.ct_units import hounsfield
from demottle.io.values.lossy import lossy_remark
from demottle.io.values.modality import said_modality
from demottle.io.values.overlays import bits_remark
from demottle.io.values.scale import scale_doubt
from demottle.io.volumes.one_scale import on_one_scale
from demottle.io.volumes.over_time import read_over_time
from demottle.io.volumes.series import Part, choose_part, part_warnings, parts_of, refuse_number, unplaced
from demottle.io.volumes.stack import unstacked


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


def _scan_images(path: Path, files: Sequence[FileRef] | None = None) -> tuple[list[SliceHeader], list[Aside]]:
    slices, aside = scan(collect(path) if files is None else files)
    if not slices:
        refuse_nothing_read(path, aside)
    return slices, aside


@dataclass(frozen=True)
class DicomSeries:
    """One series whose headers were read: its volumes, and each of them as an image.

    Attributes:
        path: what the user named.
        members: the headers of all its images.
        parts: its volumes; none where it is a run of frames (XA, RF).
        aside: warnings so far.
        lost: what to say besides where slices are missing.
        accept_uneven, unit: as in `demottle.io.read`.
    """

    path: Path
    members: tuple[SliceHeader, ...]
    parts: tuple[Part, ...]
    aside: tuple[str, ...] = ()
    lost: str = ""
    accept_uneven: bool = False
    unit: str | None = None

    def read(self, volume: int | None = None, listener: Listener = silent) -> Image:
        """Read one volume; None: the only one.

        Raises:
            InputError: several volumes and none chosen (they are listed), none of this number, or one that cannot be read.
        """
        with quiet_pydicom():
            if not self.parts:
                refuse_number(volume)
                return read_sequence(self.path, self.members, self.aside, listener)
            part = choose_part(self.parts, volume, f"The series {self.members[0].series_uid}")
            if part.over_time:
                return read_over_time(self.path, part, self.aside, listener)
            return self._read_volume(part, listener)

    def stacked(self, part: Part) -> tuple[Stack, tuple[str, ...]]:
        """Put the slices of one volume in order, from their headers alone; return what is to be said of their scales, too.

        Raises:
            InputError: they make no volume, or one that is not read.
        """
        group, scaled = on_one_scale(part.volumes[0].slices)
        for header in group:
            check_readable(header)
        try:
            return stack(group, accept_uneven=self.accept_uneven), scaled
        except InputError as error:
            raise InputError(f"{error}{self.lost}", remedy=error.remedy) from error

    def _read_volume(self, part: Part, listener: Listener) -> Image:
        volume, scaled = self.stacked(part)
        group = part.volumes[0].slices
        voxels, valid = decoded(volume.slices, listener)
        first = volume.slices[0]
        modality = modality_of(first)
        in_hu, doubt = hounsfield(volume.slices, voxels, valid, self.unit) if modality == "CT" else (False, "")
        doubts = (doubt, scale_doubt(voxels, valid) if in_hu else "")
        history = read_history(marks_of(first.file))
        payload = DicomPayload(
            warnings=(
                *self.aside,
                *part_warnings(part),
                *scaled,
                *lossy_remark(group),
                *bits_remark(volume.slices),
                *_constant_warning(volume, voxels),
                *_spacing_warning(volume),
                *_frame_warning(volume),
                *_number_warnings(first, doubts),
                *backslash_remark(first.file),
            ),
            affine=volume.affine,
            steps=len(history),
            description=first.description,
            acquired=first.acquired,
            slices=volume.slices,
            volume=part.number,
            unplaced=unplaced(part),
            label=part.label,
        )
        return Image(
            voxels=voxels,
            spacing=volume.spacing,
            modality=modality,
            unit="HU" if in_hu else "a.u.",
            valid=valid,
            slice_thickness=first.thickness,
            evenly_spaced=volume.evenly_spaced,
            source=Source("dicom", str(self.path), payload),
            history=history,
        )


def open_dicom(
    path: Path,
    *,
    series: str | None = None,
    accept_uneven: bool = False,
    accept_own_output: bool = False,
    unit: str | None = None,
    modality: str | None = None,
    files: Sequence[FileRef] | None = None,
) -> DicomSeries:
    """Read the headers of one series; arguments and errors as in `demottle.io.read`. `files`: those alone of what lies there."""
    with quiet_pydicom():
        found, beside = _scan_images(path, files)
        hidden = () if files is not None else hidden_remark(hidden_with_dicom(path))
        (info, all_members), others = choose(group_series(found), series, accept_own_output=accept_own_output)
        refuse_broken_member(beside, info.uid)
        made = series_of(path, all_members, accept_uneven=accept_uneven, unit=unit, modality=modality)
        told = (*remarks(beside), *hidden, *others, *made.aside)
        return replace(made, aside=told, lost=maybe_missing(beside) + made.lost)


def series_of(
    path: Path,
    all_members: Sequence[SliceHeader],
    *,
    accept_uneven: bool = False,
    unit: str | None = None,
    modality: str | None = None,
) -> DicomSeries:
    """Find the volumes that the images of one series make; arguments and errors as in `demottle.io.read`."""
    members, copies = without_copies(all_members)
    members, taken = said_modality(members, modality)
    members = unstacked(members)
    if is_run(members):
        return DicomSeries(path, tuple(members), (), (*copies, *taken))
    members, kind = as_volume(members)
    parts, strays = parts_of(members, accept_uneven=accept_uneven)
    told, lost = (*copies, *taken, *kind, *strays), without_place(members)
    return DicomSeries(path, tuple(members), parts, told, lost, accept_uneven, unit)


def _number_warnings(first: SliceHeader, doubts: tuple[str, ...]) -> tuple[str, ...]:
    found = [doubt for doubt in doubts if doubt]
    if first.lut:
        used = "the stored values are used as they are" if first.slope is None else "RescaleSlope, beside it, is used"
        found.append(f"A Modality LUT gives the stored values their meaning; {used}.")
    return tuple(found)


def _constant_warning(volume: Stack, voxels: np.ndarray) -> tuple[str, ...]:
    """Slices between others that hold one value everywhere: copies that broke off are filled with zeros."""
    constant = np.array([plane.min() == plane.max() for plane in voxels])
    if constant.all():
        return ()
    first, last = np.flatnonzero(~constant)[[0, -1]]
    found = [volume.slices[index].name for index in np.flatnonzero(constant) if first < index < last]
    if not found:
        return ()
    more = f" and {counted(len(found) - 1, 'more slice')}" if len(found) > 1 else ""
    hold = "hold" if len(found) > 1 else "holds"
    return (f"{found[0]}{more} between other slices {hold} one value everywhere; the copy may be broken.",)


def _frame_warning(volume: Stack) -> tuple[str, ...]:
    if not scattered_frames(volume.slices):
        return ()
    return (
        "Each slice states a frame of reference of its own, as anonymization file by file leaves it; they are taken to be one.",
    )


def _spacing_warning(volume: Stack) -> tuple[str, ...]:
    first = volume.slices[0]
    if len(volume.slices) == 1 and not (first.spacing_between or first.thickness):
        return (
            "The one slice states no thickness; 1 mm is assumed, which matters only for the header in other formats.",
        )
    if not volume.evenly_spaced:
        return (f"Slices are not evenly spaced; the typical gap, {volume.spacing[0]:g} mm, is used as the spacing.",)
    return jump_warning(volume.slices)
