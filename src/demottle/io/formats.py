"""Which format a path means. The one list of file suffixes demottle knows."""

import re
from pathlib import Path

SUFFIXES: dict[str, str] = {
    ".nii.gz": "nifti",
    ".nii": "nifti",
    ".mha": "mha",
    ".mhd": "mhd",
    ".nrrd": "nrrd",
    ".tiff": "tiff",
    ".tif": "tiff",
    ".npy": "npy",
    ".mp4": "mp4",
    ".avi": "avi",
    ".dcm": "dicom",
    ".dicom": "dicom",
    ".ima": "dicom",
    ".zip": "dicom",
}
"""From suffix to format, longest suffix first."""

DEFAULT_SUFFIX: dict[str, str] = {
    "nifti": ".nii.gz",
    "mha": ".mha",
    "mhd": ".mhd",
    "nrrd": ".nrrd",
    "tiff": ".tif",
    "npy": ".npy",
    "mp4": ".mp4",
    "avi": ".avi",
    "dicom": "",
}
"""The suffix a file gets whose name has none; DICOM is a folder."""


def suffix_of(path: Path) -> str:
    """Return the known suffix of a path, else whatever looks like a suffix, else nothing.

    Folders are often called things like "L067_1.25mm": only a dot, a letter and up to four more letters or digits count.
    """
    name = path.name.lower()
    for suffix in SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix):
            return suffix
    return path.suffix.lower() if re.fullmatch(r"\.[a-z][a-z0-9]{0,4}", path.suffix.lower()) else ""


def format_of(path: Path) -> str | None:
    """Return the format a path's suffix stands for, or None."""
    return SUFFIXES.get(suffix_of(path))
