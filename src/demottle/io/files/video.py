"""Video, MP4 and AVI: 8 bits, and compressed. A way in and out for runs that exist in no better form."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError, OutputError
from demottle.image import Image, Voxels
from demottle.io.dicom.sequence_time import ASSUMED_RATE
from demottle.io.files.payload import FilePayload, image_of
from demottle.io.files.plain_names import readable_name, writable_name
from demottle.io.formats import Given

CODECS = {"mp4": "mp4v", "avi": "FFV1"}
"""What is written: MPEG-4, which loses, and FFV1, which does not."""
_LOSSY = (
    "Video holds 8 bits and is compressed, which changes the noise as well as the image; "
    "use the DICOM file instead, if there is one."
)


def read(path: Path, given: Given) -> Image:
    """Read a video as a run of gray frames; the time between them comes from its rate.

    Args:
        path: path of the file.
        given: `format` is "mp4" or "avi"; `spacing` (s between frames, mm between rows and columns) takes the place of the
            video's rate and 1 mm; `modality` is "XA" where nobody says.

    Raises:
        InputError: not a readable video, or no frame in it.
    """
    frames, rate = _load(path)
    warnings, spacing = [_LOSSY], given.spacing
    if spacing is None:
        if not (np.isfinite(rate) and rate > 0):
            warnings.append(f"The video states no rate; {ASSUMED_RATE:g} frames per second are assumed.")
            rate = ASSUMED_RATE
        spacing = (1 / rate, 1.0, 1.0)
    payload = FilePayload(dtype=frames.dtype, warnings=tuple(warnings))
    return image_of(
        frames, payload, format=given.format, path=path, spacing=spacing, modality=given.modality or "XA", sequence=True
    )


def _load(path: Path) -> tuple[NDArray[np.uint8], float]:
    import cv2

    with readable_name(path) as name:
        capture = cv2.VideoCapture(str(name))
        try:
            rate = float(capture.get(cv2.CAP_PROP_FPS)) if capture.isOpened() else 0.0
            frames = []
            while True:
                there, picture = capture.read()
                if not there:
                    break
                frames.append(picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
        finally:
            capture.release()
    if not frames:
        raise InputError(f"{path} is not a readable video, or holds no frames; replace it.")
    return np.asarray(np.stack(frames), np.uint8), rate


def write(image: Image, path: Path, format: str) -> None:
    """Write gray frames of 8 bits: MP4 with loss, AVI without (FFV1). Geometry and history are lost.

    Raises:
        OutputError: values outside of 0 to 255, an odd number of rows or columns, or a codec that is missing.
    """
    import cv2

    low, high = float(image.voxels.min()), float(image.voxels.max())
    if low < -0.5 or high >= 255.5:
        raise OutputError(
            f"The frames hold values from {low:g} to {high:g}, but video holds 0 to 255; write DICOM, .tif or .nii.gz."
        )
    _, rows, columns = image.shape
    if rows % 2 or columns % 2:
        raise OutputError(
            f"Video needs even numbers of rows and columns, but the frames have {rows} x {columns}; write .tif."
        )
    codec: Any = cv2.VideoWriter.fourcc(*CODECS[format])
    with writable_name(path) as name:
        writer = cv2.VideoWriter(str(name), codec, 1 / image.spacing[0], (columns, rows), isColor=False)
        if not writer.isOpened():
            raise OutputError(f"This installation of OpenCV cannot write {CODECS[format]} video; write DICOM or .tif.")
        try:
            for frame in image.voxels:
                writer.write(_eight_bits(frame))
        finally:
            writer.release()


def _eight_bits(frame: Voxels) -> NDArray[np.uint8]:
    return np.clip(np.rint(frame), 0, 255).astype(np.uint8)
