"""What every reader hands on to the writers: warnings, geometry, and how much of the history the file itself records."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, ProcessingStep, Source

Affine = NDArray[np.float64]
_PHANTOM = "simulated"  # format of the source of what no file held


@dataclass(frozen=True)
class Payload:
    """The part of `Image.source.payload` that all formats share.

    Attributes:
        warnings: sentences for the user about anything read with reservations.
        affine: 4 x 4, from voxel index (column, row, slice, 1) to mm in DICOM's patient axes (left, posterior, superior);
            None where the file has no geometry but spacing.
        description: what the file says the series is (SeriesDescription); empty where it does not. No patient data.
        body_part: DICOM's word for the part of the body that a new series shows, such as "ABDOMEN"; empty where unknown.
        unplaced: why it is not known where the slices lie in the patient, as a sentence; empty where it is.
        acquired: day on which the scan was acquired, YYYY-MM-DD; empty where the file does not say.
        steps: how many steps at the start of `Image.history` the source's own header records already.
    """

    warnings: tuple[str, ...] = ()
    affine: Affine | None = None
    steps: int = 0
    description: str = ""
    body_part: str = ""
    unplaced: str = ""
    acquired: str = ""


def payload_of(image: Image) -> Payload | None:
    """Return the reader's payload, or None for an image that no reader made."""
    payload = image.source.payload if image.source is not None else None
    return payload if isinstance(payload, Payload) else None


def warnings_of(image: Image) -> tuple[str, ...]:
    """Return what the reader wants the user to know about this image; empty where nothing was odd."""
    payload = payload_of(image)
    return payload.warnings if payload is not None else ()


def description_of(image: Image) -> str:
    """Return the series description of the file the image came from; empty where there is none."""
    payload = payload_of(image)
    return payload.description if payload is not None else ""


def acquired_on(image: Image) -> str:
    """Return the day on which the scan was acquired, YYYY-MM-DD; empty where the file does not say."""
    payload = payload_of(image)
    return payload.acquired if payload is not None else ""


def body_part_of(image: Image) -> str:
    """Return DICOM's word for the part of the body that the image shows; empty where it is not known."""
    payload = payload_of(image)
    return payload.body_part if payload is not None else ""


def volume_of(image: Image) -> tuple[int, str]:
    """Return number and label of a volume among those of its series; 0 and empty where it is the only one."""
    payload = payload_of(image)
    label = str(getattr(payload, "label", ""))
    return (int(getattr(payload, "volume", 0)), label) if label else (0, "")


def described(description: str, body_part: str = "", *, phantom: bool = True) -> Source:
    """Return a source for an image that no file holds yet, so that its series can be named when it is written.

    Args:
        description: SeriesDescription.
        body_part: DICOM's word for what the image shows, such as "ABDOMEN"; empty where unknown.
        phantom: False for what was simulated from a patient's scan, whose name and study are not known.
    """
    return Source(_PHANTOM if phantom else "", "", Payload(description=description, body_part=body_part))


def is_phantom(image: Image) -> bool:
    """True for an image that demottle simulated of a phantom: there is no patient whose name it could lack."""
    return image.source is not None and image.source.format == _PHANTOM


def affine_of(image: Image) -> Affine:
    """Return the image's affine (see `Payload`); where no file gave one: axis-aligned, the first voxel at the origin."""
    payload = payload_of(image)
    if payload is not None and payload.affine is not None:
        return payload.affine
    slices, rows, columns = image.spacing
    return np.diag([columns, rows, slices, 1.0])


def new_steps(image: Image) -> tuple[ProcessingStep, ...]:
    """Return the steps of the history that the source's header does not record yet."""
    payload = payload_of(image)
    return image.history[payload.steps if payload is not None else 0 :]
