"""The formats demottle knows, one row each, and which of them a path means.

A row names the format's module without importing it: each format has a library of its own, and none is needed for another's
files. A new format is a row here and a file in `io/files/` with two functions:

    def read(path: Path, given: Given) -> Image
    def write(image: Image, path: Path, format: str) -> None

`given` holds what the user said of the file; `format` is the row's name, for modules that several rows share.
"""

import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Literal

from demottle.errors import InputError, OutputError


@dataclass(frozen=True)
class Given:
    """What a user says of a scan, where its file leaves it open; None: nothing.

    Attributes:
        spacing: mm between slices (s between frames), rows and columns.
        modality: "CT", "MR", "XA" or "RF".
        series: SeriesInstanceUID or SeriesNumber.
        unit: "HU", where a CT in DICOM does not say so.
        accept_uneven: read missing, repeated or uneven slices.
        accept_own_output: read what demottle wrote.
        format: name of the row that reads the file.
    """

    spacing: tuple[float, float, float] | None = None
    modality: str | None = None
    series: str | None = None
    unit: str | None = None
    accept_uneven: bool = False
    accept_own_output: bool = False
    format: str = ""


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        name: what a user calls it, and `Source.format`.
        suffixes: suffixes of its files, the one a new file gets first. They are read and written.
        module: with `read` and `write`, imported when first used; of a format with `several` volumes with `open_scan` and
            `write_volumes`.
        title: in sentences.
        states: fields of `Given` that its files state themselves, so that nobody can give them.
        reads_too: suffixes that are read, but not written.
        positions: what it keeps of where slices lie: each slice's own place, one even grid, or the spacing at most.
        over_time: it holds volumes over time.
        several: one name holds several volumes.
        folder: without a suffix, a new one is a folder.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    title: str
    states: tuple[str, ...] = ()
    reads_too: tuple[str, ...] = ()
    positions: Literal["each", "grid", "none"] = "none"
    over_time: bool = False
    several: bool = False
    folder: bool = False

    @property
    def default_suffix(self) -> str:
        """What is added to a name without a suffix."""
        return "" if self.folder else self.suffixes[0]

    def load(self) -> ModuleType:
        """Import what reads and writes it."""
        return import_module(self.module)

    def refuse_given(self, given: Given) -> None:
        """Raise InputError for what was given although the files state it: one of the two would be wrong."""
        for name in self.states:
            if getattr(given, name) is not None:
                raise InputError(
                    f"The {name} cannot be given here, because {self.title} states it itself; leave it out."
                )


_ROOM = "demottle.io.files"
_ROWS = (
    Format(
        "nifti",
        (".nii.gz", ".nii"),
        f"{_ROOM}.nifti",
        "NIfTI",
        ("spacing",),
        (".hdr",),
        positions="grid",
        over_time=True,
    ),
    Format("mha", (".mha",), f"{_ROOM}.itk", "MHA", ("spacing",), positions="grid"),
    Format("mhd", (".mhd",), f"{_ROOM}.itk", "MHD", ("spacing",), positions="grid"),
    Format("nrrd", (".nrrd",), f"{_ROOM}.itk", "NRRD", ("spacing",), (".nhdr",), positions="grid"),
    Format("tiff", (".tif", ".tiff"), f"{_ROOM}.tiff", "TIFF"),
    Format("npy", (".npy",), f"{_ROOM}.npy", "NPY"),
    Format("mp4", (".mp4",), f"{_ROOM}.video", "MP4"),
    Format("avi", (".avi",), f"{_ROOM}.video", "AVI"),
    Format(
        "dicom",
        (".dcm", ".dicom", ".ima"),
        "demottle.io.dicom.files_and_folders",
        "DICOM",
        ("spacing",),
        (".zip",),
        positions="each",
        over_time=True,
        several=True,
        folder=True,
    ),
)
FORMATS: dict[str, Format] = {row.name: row for row in _ROWS}
"""By name."""
DICOM = FORMATS["dicom"]
_BY_SUFFIX = {suffix: row for row in _ROWS for suffix in (*row.suffixes, *row.reads_too)}
_LONGEST_FIRST = sorted(_BY_SUFFIX, key=len, reverse=True)


def suffix_of(path: Path) -> str:
    """Return the known suffix of a path, else whatever looks like a suffix, else nothing.

    Folders are often called things like "L067_1.25mm": only a dot, a letter and up to four more letters or digits count.
    """
    name = path.name.lower()
    for suffix in _LONGEST_FIRST:
        if name.endswith(suffix) and len(name) > len(suffix):
            return suffix
    return path.suffix.lower() if re.fullmatch(r"\.[a-z][a-z0-9]{0,4}", path.suffix.lower()) else ""


def format_of(path: Path) -> str | None:
    """Return the name of the format a path's suffix stands for, or None."""
    found = _BY_SUFFIX.get(suffix_of(path))
    return None if found is None else found.name


def stem_of(path: Path) -> str:
    """The name without the ending of a known format: "scan" for scan.nii.gz; any other name, as of a folder, stays whole."""
    suffix = suffix_of(path)
    return path.name[: -len(suffix)] if suffix in _BY_SUFFIX else path.name


def output_format(path: Path, wanted: str | None, source: str | None) -> Format:
    """Return the format to write: the one wanted, else by the suffix, else the source's, else DICOM.

    Args:
        path: the name to write to.
        wanted: a format's name, where the suffix does not decide.
        source: name of the format that the image came from, if any.

    Raises:
        OutputError: a name or a suffix that is not known.
    """
    if wanted is not None:
        if wanted not in FORMATS:
            raise OutputError(f'"{wanted}" is not a format that demottle writes; choose one of {", ".join(FORMATS)}.')
        return FORMATS[wanted]
    suffix = suffix_of(path)
    row = _BY_SUFFIX.get(suffix)
    if suffix and (row is None or suffix in row.reads_too):
        known = ", ".join(ending for one in _ROWS for ending in one.suffixes)
        raise OutputError(
            f"{path.name} has the suffix {suffix}, which demottle does not write; use one of {known}, none for a DICOM folder, "
            "or name the format."
        )
    return row or FORMATS.get(source or "", DICOM)


def with_suffix(path: Path, format: Format) -> Path:
    """The path that is written: with the format's suffix where the name has none."""
    return path if suffix_of(path) else path.with_name(path.name + format.default_suffix)


def output_name(path: Path, scan: Path, wanted: str | None) -> Path:
    """The name that `demottle.io.write` will use for what becomes of a scan.

    Raises:
        OutputError: as `output_format`; now, and not after minutes of learning.
    """
    return with_suffix(path, output_format(path, wanted, format_of(scan) if scan.is_file() else None))
