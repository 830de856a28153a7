"""Reading and writing images: DICOM first, then NIfTI, MetaImage, NRRD, TIFF and NumPy.

`read(path)` gives an `Image`; `write(image, path)` gives the source's own headers back. Nothing here imports torch.
"""

from demottle.io.dicom_series import SeriesInfo
from demottle.io.payload import described, description_of, volume_of, warnings_of
from demottle.io.reading import Opened, open_scan, read
from demottle.io.scans import find_scans, holds_run, list_series, only_file_in
from demottle.io.writing import check_output, write

__all__ = [
    "Opened",
    "SeriesInfo",
    "check_output",
    "described",
    "description_of",
    "find_scans",
    "holds_run",
    "list_series",
    "only_file_in",
    "open_scan",
    "read",
    "volume_of",
    "warnings_of",
    "write",
]
