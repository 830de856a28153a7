"""What goes along with denoised images: the page for people, the map of spots, and a picture of both for the archive."""

import io as memory
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom

from demottle import __version__
from demottle.errors import InputError
from demottle.io.dicom.headers.uids import uid_from

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from demottle.pipeline.result import Result

_DPI, _INCHES = 100, (12.0, 9.0)
_VERDICTS = 14  # lines that fit


def draw_page(result: "Result", path: Path) -> None:
    """Draw the page of a result, as `demottle denoise` does beside OUT."""
    from demottle import report
    from demottle.pipeline.result import SequenceResult, VolumeResult
    from demottle.report.sequence import write_sequence_page

    if isinstance(result, VolumeResult):
        more: dict[str, Any] = {"texture": result.texture, "uncertain": result.uncertain}
        report.write_page(result.before, result.image, result.check, result.record, path, **more)
    elif isinstance(result, SequenceResult):
        more = {"compared": result.compared}
        write_sequence_page(result.before, result.image, result.check, result.record, path, result.response, **more)


def write_map_of(results: "Sequence[Result]", folder: Path) -> None:
    """Write the map of spots as a DICOM series; nothing where the images have none (it takes CT in HU with a body in it).

    Raises:
        InputError: the series has several volumes.
    """
    from demottle import io
    from demottle.quality.check.spots.derived import map_image

    found = getattr(results[0].check, "spots", None)
    if found is None:
        return
    if len(results) > 1:
        raise InputError('The series has several volumes, and a map of spots is of one; leave "map" out of the rule.')
    made = map_image(results[0].before, found, __version__)
    step = made.history[-1]
    own = {"of": [results[0].record["method"], results[0].record["model_hash"], results[0].image.history[-1].settings]}
    made = replace(made, history=(*made.history[:-1], replace(step, settings={**step.settings, **own})))
    io.write(made, folder, format="dicom")


def write_page_object(results: "Sequence[Result]", images: Path, folder: Path) -> None:
    """Write a picture for the archive as Secondary Capture: before, after, removed, and what the gate found, one per volume."""
    from highdicom.sc import SCImage
    from pydicom.uid import ExplicitVRLittleEndian

    first = images if images.is_file() else sorted(images.rglob("*.dcm"))[0]
    source = pydicom.dcmread(first, stop_before_pixels=True)
    folder.mkdir()
    for number, result in enumerate(results, 1):
        made = SCImage.from_ref_dataset(
            source,
            _picture(result),
            "RGB",
            8,
            "PATIENT",
            series_instance_uid=uid_from("page", source.SeriesInstanceUID),
            series_number=_number(source),
            sop_instance_uid=uid_from("page", source.SOPInstanceUID, number),
            instance_number=number,
            manufacturer="demottle developers",
            patient_orientation=("L", "P"),
            transfer_syntax_uid=ExplicitVRLittleEndian,
        )
        made.SeriesDescription = "demottle: before, after, gate"
        made.ManufacturerModelName, made.SoftwareVersions = "demottle", __version__
        made.save_as(folder / f"page-{number}.dcm", enforce_file_format=True)


def _number(source: pydicom.Dataset) -> int:
    try:
        return int(source.SeriesNumber) + 1
    except (AttributeError, TypeError, ValueError):
        return 9999


def _picture(result: "Result") -> "NDArray[np.uint8]":
    """Pixels (rows, columns, RGB) of a figure: a slice before, after and what was removed, above the verdicts of the gate."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from demottle.report.windows import windows_of

    window = windows_of(result.before)[0]
    middle = result.before.shape[0] // 2
    before, after = result.before.voxels[middle], result.image.voxels[middle]
    removed = before - after
    spread = max(3 * float(np.std(removed)), 1e-6)
    low, high = window.center - window.width / 2, window.center + window.width / 2
    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor="white")
    canvas: Any = FigureCanvasAgg(figure)
    shown = (("before", before, low, high), ("after", after, low, high), ("removed", removed, -spread, spread))
    for at, (title, plane, least, most) in enumerate(shown):
        axes = figure.add_axes((0.01 + at * 0.33, 0.48, 0.32, 0.44))
        axes.imshow(plane, cmap="gray", vmin=least, vmax=most, interpolation="nearest")
        axes.set_title(f"{title} ({least:.4g} to {most:.4g} {result.before.unit})", fontsize=9)
        axes.set_axis_off()
    method = f"{result.record['method']}, demottle {__version__}, slice {middle + 1} of {result.before.shape[0]}"
    figure.text(0.01, 0.96, f"{method}. Research software, not for diagnosis.", fontsize=10)
    figure.text(0.01, 0.44, "\n".join(_verdicts(result.record.get("gate"))), fontsize=9, va="top", family="monospace")
    buffer = memory.BytesIO()
    canvas.print_rgba(buffer)
    width, height = canvas.get_width_height()
    pixels = np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4)
    return np.ascontiguousarray(pixels[:, :, :3])


def _verdicts(gate: Any) -> list[str]:
    """Lines with what the gate found, failures first."""
    from demottle.report.words import found_and_limit

    if not isinstance(gate, dict):
        return ["No gate."]
    told = [one for one in gate["verdicts"] if one["status"] in ("failed", "not shown", "passed")]
    told.sort(key=lambda one: ("failed", "not shown", "passed").index(one["status"]))
    lines = [f"Gate: {'passed' if gate['passed'] else 'failed'}"]
    for one in told[:_VERDICTS]:
        found, limit = found_and_limit(one["value"], one["limit"], one["unit"])
        lines.append(f"{one['status']:10} {one['what'][:58]:58} {found:>12} of {limit}")
    if len(told) > _VERDICTS:
        lines.append(f"and {len(told) - _VERDICTS} more limits passed")
    return lines
