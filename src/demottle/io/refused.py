"""Results that failed the gate and were put aside: marked so, and known again by the mark."""

from dataclasses import replace
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from demottle.errors import DemottleError
from demottle.image import Image
from demottle.io.dicom.headers.marks import MARK_TAGS, REFUSED, is_refused, read_history
from demottle.io.formats import format_of
from demottle.io.reading import read


def marked_refused(image: Image, reasons: str) -> Image:
    """Return a result with its last step marked as refused by the gate, which the file's header will say."""
    step = image.history[-1]
    return replace(image, history=(*image.history[:-1], replace(step, settings={**step.settings, REFUSED: reasons})))


def is_refused_result(path: Path) -> bool:
    """True where all that lies at a path was put aside by demottle: what may be replaced by the next such result.

    A format that keeps no history (.npy) cannot show it.
    """
    if path.is_dir():
        found = list(path.iterdir())
        return bool(found) and all(file.is_file() and _refused_object(file) for file in found)
    if format_of(path) == "dicom":
        return _refused_object(path)
    try:
        history = read(path, accept_own_output=True).history
    except (DemottleError, OSError):
        return False
    return bool(history) and is_refused(history[-1])


def _refused_object(file: Path) -> bool:
    try:
        history = read_history(pydicom.dcmread(file, specific_tags=MARK_TAGS, stop_before_pixels=True))
    except (InvalidDicomError, OSError, ValueError):
        return False
    return bool(history) and is_refused(history[-1])
