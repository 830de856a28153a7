"""Formats that demottle does not read, by their suffix: named, so that a user knows what to convert."""

from pathlib import Path

from demottle.io.formats import FORMATS

_NAMES = {
    **dict.fromkeys((".mgz", ".mgh"), "a volume of FreeSurfer"),
    **dict.fromkeys((".par", ".rec"), "half of a pair of Philips PAR and REC"),
    ".mnc": "a MINC file",
    ".gipl": "a GIPL file",
    ".img": "voxels without their header",
    **dict.fromkeys((".vtk", ".vti"), "a VTK file"),
    ".mat": "a MATLAB file",
    ".npz": "an archive of NumPy arrays",
    **dict.fromkeys((".h5", ".hdf5"), "an HDF5 file"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"), "a picture"),
    **dict.fromkeys((".jp2", ".j2k", ".jls"), "a compressed picture without a DICOM header"),
    ".raw": "bare bytes without a header",
    **dict.fromkeys((".mov", ".mkv", ".wmv", ".mpg"), "a video"),
}


def foreign(path: Path) -> str:
    """Return a sentence on what a file is and what demottle reads, by its suffix; empty for one that is not known."""
    name = _NAMES.get(path.suffix.lower(), "")
    titles = [row.title for row in FORMATS.values()]
    read = f"{', '.join(titles[:-1])} and {titles[-1]}"
    return (
        f"{path} is {name}, which demottle does not read; convert it to one of what it reads: {read}." if name else ""
    )
