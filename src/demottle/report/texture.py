"""The picture of one slice as it was, smooth, and with texture, side by side."""

import base64

import cv2
import numpy as np

from demottle.errors import OutputError
from demottle.image import Image, Voxels
from demottle.quality.texture import TextureSample
from demottle.report.windows import windows_of

_SIDE = 300  # pixels shown of each
_SCALE = 2


def texture_picture(sample: TextureSample, image: Image) -> str:
    """Return the middles of the three slices as one base64 PNG, before, smooth, textured from left to right."""
    window = windows_of(image)[0]
    low = window.center - window.width / 2
    parts = [_middle(plane) for plane in (sample.before, sample.smooth, sample.textured)]
    gray = [
        np.clip(np.rint((np.nan_to_num(part) - low) * 255 / window.width), 0, 255).astype(np.uint8) for part in parts
    ]
    gap = np.full((gray[0].shape[0], 4), 128, np.uint8)
    row = np.concatenate([gray[0], gap, gray[1], gap, gray[2]], axis=1)
    large = cv2.resize(row, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_CUBIC)
    done, data = cv2.imencode(".png", large, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise OutputError("An image of the report could not be encoded as PNG; nothing was written.")
    return base64.b64encode(data.tobytes()).decode("ascii")


def _middle(plane: Voxels) -> Voxels:
    rows, columns = plane.shape
    top, left = max(0, (rows - _SIDE) // 2), max(0, (columns - _SIDE) // 2)
    return plane[top : top + _SIDE, left : left + _SIDE]
