"""A picture for the archive as Secondary Capture: before, after, removed, and what the gate found."""

import io as memory
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset

from demottle import __version__
from demottle.node.documents.header import Document, new_document
from demottle.node.documents.planes import lines_of, planes_of, verdict_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from demottle.pipeline.result import Result

_CLASS = "1.2.840.10008.5.1.4.1.1.7"
_DPI, _INCHES = 100, (12.0, 9.0)
_LINES = 14  # that fit


def capture_object(result: "Result", header: Dataset, number: int) -> Dataset:
    """Return the picture of one volume as an object.

    Args:
        result: of the volume.
        header: of an object of the result.
        number: which volume it is, from 1.
    """
    made = new_document(header, Document("capture", _CLASS, "OT", "demottle: before, after, gate", 3000, number))
    pixels = _picture(result)
    made.ConversionType, made.PatientOrientation, made.BurnedInAnnotation = "WSD", None, "NO"
    made.ImageType, made.Laterality = ["DERIVED", "SECONDARY"], None
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PlanarConfiguration = 3, "RGB", 0
    made.Rows, made.Columns = pixels.shape[:2]
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    made.PixelData = pixels.tobytes()
    made["PixelData"].VR = "OB"
    return made


def _picture(result: "Result") -> "NDArray[np.uint8]":
    """Pixels (rows, columns, RGB) of a figure: a slice before, after and what was removed, above what the gate found."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    middle, planes = planes_of(result)
    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor="white")
    canvas: Any = FigureCanvasAgg(figure)
    for at, plane in enumerate(planes):
        plane.draw(figure.add_axes((0.01 + at * 0.33, 0.48, 0.32, 0.44)), result.before.unit, "nearest")
    method = f"{result.record['method']}, demottle {__version__}, slice {middle + 1} of {result.before.shape[0]}"
    figure.text(0.01, 0.96, f"{method}. Research software, not for diagnosis.", fontsize=10)
    told = "\n".join(_told(result.record.get("gate")))
    figure.text(0.01, 0.44, told, fontsize=9, va="top", family="monospace")
    buffer = memory.BytesIO()
    canvas.print_rgba(buffer)
    width, height = canvas.get_width_height()
    pixels = np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4)
    return np.ascontiguousarray(pixels[:, :, :3])


def _told(gate: Any) -> list[str]:
    found = lines_of(gate)
    lines = [verdict_of(gate).capitalize()]
    lines += [f"{one.status:10} {one.what[:58]:58} {one.found:>12} of {one.limit}" for one in found[:_LINES]]
    return [*lines, f"and {len(found) - _LINES} more limits"] if len(found) > _LINES else lines
