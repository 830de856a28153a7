"""Fan-beam projection and filtered back-projection over a full turn, for a flat detector seen from one focal spot.

The detector is thought of as lying on the rotation axis: a ray is (view, s), with s in mm where it crosses the line through
the axis that is perpendicular to the central ray. In view b the lateral axis is `(cos b, sin b)`, the source stands at
`D (sin b, -cos b)`; x along columns, y down the rows, in mm from the middle.
Source: A. C. Kak and M. Slaney, Principles of Computerized Tomographic Imaging, chapter 3.4.2 (equally spaced detectors).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.physics.ct.projection import FloatArray

Matrix = NDArray[np.float64]


def full_turn(count: int) -> NDArray[np.float64]:
    """Return `count` view angles in radians, evenly spaced over [0, 2 pi)."""
    return np.asarray(np.arange(count) * (2 * np.pi / count), dtype=np.float64)


def fan_bins(shape: tuple[int, int], pixel_mm: float, distance: float) -> int:
    """Return how many bins, each as wide as a pixel, the fan needs to cover the diagonal of a slice; always odd.

    Raises:
        InputError: where the source would stand inside the slice.
    """
    radius = np.hypot(*shape) / 2 * pixel_mm
    if radius > 0.95 * distance:
        raise InputError(
            f"The slice reaches {radius:.0f} mm from the axis, but the source stands at {distance:.0f} mm; a fan beam "
            "cannot see all of it: use the parallel beam."
        )
    return 2 * int(np.ceil(radius * distance / np.sqrt(distance**2 - radius**2) / pixel_mm)) + 1


def fan_project(
    slice_: FloatArray, pixel_mm: float, angles: NDArray[np.float64], distance: float, bins: int
) -> FloatArray:
    """Integrate a slice along the rays of a fan.

    Args:
        slice_: attenuation in 1/mm, shape (rows, columns), zero outside.
        pixel_mm: edge of a square pixel and width of a bin on the axis.
        angles: angles of the views, in radians.
        distance: from the source to the axis, mm.
        bins: how many; odd.

    Returns:
        Line integrals without unit, shape (angles, bins).
    """
    source = np.ascontiguousarray(slice_, dtype=np.float32)
    middle_y, middle_x = (slice_.shape[0] - 1) / 2, (slice_.shape[1] - 1) / 2
    far = distance / pixel_mm  # all lengths below are in pixels
    radius = np.hypot(*slice_.shape) / 2 + 1
    # Rows of the stretched slice are w, with depth v = D w / (D - w): so stretched, the fan's rays stand upright.
    first, last = -radius * far / (far - radius), radius * far / (far + radius)
    depth = np.linspace(first, last, int(np.ceil(last - first)) + 1)
    step = depth[1] - depth[0]
    weight = (step * (far / (far - depth)) ** 2).astype(np.float32)
    s = np.arange(bins) - (bins - 1) / 2
    slant = np.sqrt(1 + (s / far) ** 2).astype(np.float32)
    to_fan = np.array([[1, 0, -(bins - 1) / 2], [0, step, first], [0, 0, 1]])
    # (s, w) to (lateral, depth): both times D / (D - w)
    upright = np.array([[far, 0, 0], [0, far, 0], [0, -1, far]]) @ to_fan
    sinogram = np.empty((len(angles), bins), np.float32)
    for row, angle in enumerate(angles):
        c, sine = np.cos(angle), np.sin(angle)
        turn = np.array([[c, -sine, middle_x], [sine, c, middle_y], [0, 0, 1]])
        stretched = cv2.warpPerspective(
            source, turn @ upright, (bins, len(depth)), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        sinogram[row] = weight @ stretched
    return np.asarray(sinogram * slant * np.float32(pixel_mm))


def fan_backproject(
    projections: FloatArray,
    shape: tuple[int, int],
    pixel_mm: float,
    distance: float,
    bins_per_pixel: float,
    centre: float,
    power: int = 2,
    pixel_step: int = 1,
) -> FloatArray:
    """Sum over all views, at every pixel, the value of the ray through it, divided by `U^power`.

    `U` is the pixel's distance from the source along the central ray, in units of `distance`.

    Args:
        projections: shape (views, bins), views as `full_turn`.
        shape: rows and columns of the result.
        pixel_mm: edge of a full-resolution pixel.
        distance: from the source to the axis, mm.
        bins_per_pixel: bins per full-resolution pixel on the axis.
        centre: position of the axis, in pixels from the first bin.
        power: 2 for filtered projections, 4 for their variance.
        pixel_step: spacing of the result in pixels, for a coarse result.
    """
    total = np.zeros(shape, np.float32)
    far = distance / pixel_mm
    middle_y, middle_x = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    y = ((np.arange(shape[0]) - middle_y) * pixel_step)[:, None]
    x = ((np.arange(shape[1]) - middle_x) * pixel_step)[None]
    to_mm = np.array([[pixel_step, 0, -middle_x * pixel_step], [0, pixel_step, -middle_y * pixel_step], [0, 0, 1]])
    for angle, projection in zip(full_turn(len(projections)), projections, strict=True):
        c, s = np.cos(angle), np.sin(angle)
        lateral, behind = np.array([c, s, 0]), np.array([-s, c, far])
        to_bin = np.stack([bins_per_pixel * (far * lateral + centre * behind), np.zeros(3), behind]) @ to_mm
        row = np.ascontiguousarray(projection[None], dtype=np.float32)
        seen = cv2.warpPerspective(row, to_bin, shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        total += seen * ((far / (far - s * x + c * y)) ** power).astype(np.float32)
    return total
