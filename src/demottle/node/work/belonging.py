"""What goes along with denoised images: the map of spots, and documents for the archive."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom

from demottle import __version__
from demottle.errors import InputError
from demottle.io.dicom.headers.marks import ROUND

if TYPE_CHECKING:
    from demottle.pipeline.result import Result


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
    settings = results[0].image.history[-1].settings
    own = {"of": [results[0].record["method"], results[0].record["model_hash"], settings]}
    own |= {ROUND: settings[ROUND]} if ROUND in settings else {}
    made = replace(made, history=(*made.history[:-1], replace(step, settings={**step.settings, **own})))
    io.write(made, folder, format="dicom")


def write_documents(
    results: "Sequence[Result]", sources: Sequence[Path], images: Path, folder: Path, wanted: Sequence[str]
) -> None:
    """Write what goes to the archive beside images.

    Args:
        results: one for each volume.
        sources: the objects that they were made from.
        images: the objects of the result: a folder or a file.
        folder: where each kind gets a folder of its own.
        wanted: which kinds, of `demottle.node.configuration.SENT`; others are left out.
    """
    from demottle.node.documents.capture import capture_object
    from demottle.node.documents.header import references
    from demottle.node.documents.pdf_object import pdf_object
    from demottle.node.documents.report_object import report_object

    if not {"page", "report", "capture"} & set(wanted):
        return
    files = _objects(images)
    header = pydicom.dcmread(files[0], stop_before_pixels=True)
    came, made = references(sources), references(files)
    if "page" in wanted:
        _save(pdf_object(results, header, [*made, *came]), folder / "page")
    if "report" in wanted:
        _save(report_object([one.record for one in results], header, came, made), folder / "report")
    if "capture" in wanted:
        for number, result in enumerate(results, 1):
            _save(capture_object(result, header, number), folder / "capture")


def write_refusal(
    results: "Sequence[Result]", sources: Sequence[Path], images: Path, folder: Path, reasons: str
) -> None:
    """Write a report that says why a result is not sent; it refers to the sources alone, since nothing else is in the archive."""
    from demottle.node.documents.header import references
    from demottle.node.documents.report_object import report_object

    header = pydicom.dcmread(_objects(images)[0], stop_before_pixels=True)
    records = [one.record for one in results]
    _save(report_object(records, header, references(sources), [], refused=reasons), folder)


def _objects(images: Path) -> list[Path]:
    return [images] if images.is_file() else sorted(images.rglob("*.dcm"))


def _save(made: pydicom.Dataset, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    made.save_as(folder / f"{folder.name}-{made.InstanceNumber}.dcm", enforce_file_format=True)
