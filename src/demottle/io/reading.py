"""`read`: from a path to an `Image`, whatever the format."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.io.dicom.headers.marks import is_result
from demottle.io.formats import DICOM, FORMATS, Format, Given, format_of
from demottle.io.scans import only_file_in
from demottle.io.volumes.series import Part, refuse_number

Spacing = tuple[float, float, float]
MODALITIES = ("CT", "MR", "XA", "RF")
"""What can be said of a file that does not say it: each is treated in its own way, or as another of these."""


def known_modality(text: str | None) -> str | None:
    """Return one of `MODALITIES`, in capitals as DICOM has it; None for None.

    Raises:
        InputError: for any other word: the file would be treated as something that nobody meant.
    """
    if text is None or text.strip().upper() in MODALITIES:
        return text and text.strip().upper()
    raise InputError(f"'{text}' is not a modality that demottle knows; it is one of {', '.join(MODALITIES)}.")


def known_unit(text: str | None) -> str | None:
    """Return "HU", the one unit that can be said of a scan; None for None.

    Raises:
        InputError: for any other word.
    """
    if text is None or text.strip().upper() == "HU":
        return text and "HU"
    raise InputError(f"'{text}' is not a unit that can be given; the only one is HU.")


@dataclass(frozen=True)
class Opened:
    """A scan whose headers were read where its format has several volumes under one name.

    Attributes:
        volumes: volumes of a DICOM series, with number and label; empty for a run of frames and for other formats.
    """

    _reader: Callable[[int | None, Listener], Image]
    volumes: tuple[Part, ...] = ()

    def read(self, volume: int | None = None, listener: Listener = silent) -> Image:
        """Read one volume, by its number from 1; None: the only one. Errors as `demottle.io.read`."""
        return self._reader(volume, listener)


def read(
    path: str | Path,
    *,
    series: str | None = None,
    volume: int | None = None,
    spacing: Spacing | None = None,
    accept_uneven: bool = False,
    accept_own_output: bool = False,
    modality: str | None = None,
    unit: str | None = None,
    listener: Listener = silent,
) -> Image:
    """Read one image.

    Args:
        path: a DICOM folder, file, DICOMDIR or zip; or .nii, .nii.gz, .mha, .mhd, .nrrd, .tif, .tiff, .npy; .mp4, .avi; or a
            folder with one of these and no DICOM.
        series: SeriesInstanceUID or SeriesNumber, where a DICOM folder holds several.
        volume: number from 1, where a DICOM series holds several volumes (echoes, phases, kernels, ...).
        spacing: mm between slices, rows, columns; required for .npy, and for TIFF that does not state it. Formats that
            state their own spacing refuse it.
        accept_uneven: read a DICOM series with missing, repeated or uneven slices; `Image.evenly_spaced` is then False.
        accept_own_output: read what demottle wrote.
        modality: one of `MODALITIES`, for formats that do not say; with "CT" the values are taken as HU.
        unit: "HU", where a CT in DICOM does not say that its values are Hounsfield units and they are. (Another format
            is then CT.)
        listener: told about progress, stage "read".

    Raises:
        InputError: one sentence on what is wrong and what to do.
    """
    opened = open_scan(
        path,
        series=series,
        spacing=spacing,
        accept_uneven=accept_uneven,
        accept_own_output=accept_own_output,
        modality=modality,
        unit=unit,
    )
    return opened.read(volume, listener)


def open_scan(
    path: str | Path,
    *,
    series: str | None = None,
    spacing: Spacing | None = None,
    accept_uneven: bool = False,
    accept_own_output: bool = False,
    modality: str | None = None,
    unit: str | None = None,
) -> Opened:
    """Find out which volumes there are, without reading pixels of DICOM; arguments and errors as `read`."""
    if not isinstance(path, str | os.PathLike):
        raise InputError(
            f"A scan is read from its path, a str or Path, and this is {type(path).__name__}; an array becomes an image by "
            "demottle.from_numpy."
        )
    path, modality, unit = Path(path), known_modality(modality), known_unit(unit)
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    if not (path.is_file() or path.is_dir()):  # a pipe or a device never ends
        raise InputError(f"{path} is neither a file nor a folder.")
    if not os.access(path, os.R_OK):
        raise InputError(f"No permission to read {path}.")
    if path.suffix.lower() == ".img" and path.with_suffix(".hdr").exists():
        raise InputError(
            f"{path} holds the voxels of a pair of files; name its header, {path.with_suffix('.hdr').name}."
        )
    path = only_file_in(path) if path.is_dir() and series is None else path
    row = DICOM if path.is_dir() else FORMATS[format_of(path) or DICOM.name]
    given = Given(spacing, modality, series, unit, accept_uneven, accept_own_output)
    row.refuse_given(given)
    if row.several:
        found = row.load().open_scan(path, given)
        return Opened(found.read, found.parts)
    if series is not None:
        raise InputError(f"{path} is not DICOM and has no series to choose; leave the series out.")
    if unit is not None and modality not in (None, "CT"):
        raise InputError(f"HU is the unit of CT, but the modality given is {modality}; leave one of the two out.")
    given = replace(given, modality="CT" if unit else modality, format=row.name)
    return Opened(partial(_read_plain, path, row, given))


def open_files(
    folder: str | Path,
    files: Sequence[Path],
    *,
    series: str | None = None,
    accept_uneven: bool = False,
    accept_own_output: bool = False,
) -> Opened:
    """As `open_scan` of a folder in which nothing lies but these DICOM files: a series of which one knows where they are.

    Args:
        folder: where the image is said to come from.
        files: in any order.
        series, accept_uneven, accept_own_output: as `read`.

    Raises:
        InputError: as `read`.
    """
    from demottle.io.dicom.files import FileRef
    from demottle.io.dicom.read import open_dicom

    found = open_dicom(
        Path(folder),
        series=series,
        accept_uneven=accept_uneven,
        accept_own_output=accept_own_output,
        files=[FileRef(file) for file in files],
    )
    return Opened(found.read, found.parts)


def _read_plain(path: Path, row: Format, given: Given, volume: int | None, listener: Listener) -> Image:
    refuse_number(volume, "a file of one image")
    image: Image = row.load().read(path, given)
    if is_result(image.history) and not given.accept_own_output:
        raise InputError(
            f"{path} is demottle's own output, which should not be denoised again; name the original.",
            remedy="accept_own_output",
        )
    return image
