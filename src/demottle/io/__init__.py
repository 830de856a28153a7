"""Reading and writing images: DICOM first, then NIfTI, MetaImage, NRRD, TIFF and NumPy.

`read(path)` gives an `Image`; `write(image, path)` gives the source's own headers back. Nothing here imports torch.

Each name is imported when it is first used, so that listing methods and `--help` wait for no format's library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demottle.io.dicom.series import SeriesInfo
    from demottle.io.payload import acquired_on, described, description_of, volume_of, warnings_of
    from demottle.io.reading import Opened, open_files, open_scan, read
    from demottle.io.scans import find_scans, holds_run, list_series, only_file_in
    from demottle.io.writing import check_output, write

__all__ = [
    "Opened",
    "SeriesInfo",
    "acquired_on",
    "check_output",
    "described",
    "description_of",
    "find_scans",
    "holds_run",
    "list_series",
    "only_file_in",
    "open_files",
    "open_scan",
    "read",
    "volume_of",
    "warnings_of",
    "write",
]

_ROOMS = {
    "Opened": "demottle.io.reading",
    "SeriesInfo": "demottle.io.dicom.series",
    "acquired_on": "demottle.io.payload",
    "check_output": "demottle.io.writing",
    "described": "demottle.io.payload",
    "description_of": "demottle.io.payload",
    "find_scans": "demottle.io.scans",
    "holds_run": "demottle.io.scans",
    "list_series": "demottle.io.scans",
    "only_file_in": "demottle.io.scans",
    "open_files": "demottle.io.reading",
    "open_scan": "demottle.io.reading",
    "read": "demottle.io.reading",
    "volume_of": "demottle.io.payload",
    "warnings_of": "demottle.io.payload",
    "write": "demottle.io.writing",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
