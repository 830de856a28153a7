"""CT numbers on rings around a phantom's axis, slice by slice: what a layout is recognized from."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.special import chndtr

from demottle.image import Image
from demottle.physics.phantoms.qa.layout import Rod
from demottle.quality.phantoms.body import Body

Array = NDArray[np.float64]
ANGLES = 720
SMOOTH_MM, SHARP_MM = 2.0, 1.0
"""Standard deviation of the blur, more than the grain of the noise; for rods, and for targets as small as 3 mm."""
_CLIPPED = 400.0  # HU; otherwise air and Teflon alone would decide


def ring_profiles(image: Image, body: Body, rings: tuple[float, ...], smooth: float = SMOOTH_MM) -> dict[float, Array]:
    """Mean CT numbers around the axis for each ring (mm), shape (slices of the body, `ANGLES`), clockwise from the right.

    From each row its median is taken off: what is left is what lies in the resin.
    """
    row, column = image.spacing[1:]
    angle = np.arange(ANGLES) * 2 * np.pi / ANGLES
    found = {ring: np.empty((len(body.slices), ANGLES)) for ring in rings}
    for number, index in enumerate(body.slices):
        plane = gaussian_filter(image.voxels[index].astype(np.float32), (smooth / row, smooth / column))
        x, y = body.middle(index * image.spacing[0])
        for ring, rows in found.items():
            at = [(y + ring * np.sin(angle)) / row, (x + ring * np.cos(angle)) / column]
            values = map_coordinates(plane, at, order=1, mode="nearest").astype(np.float64)
            rows[number] = values - np.median(values)
    return found


def template(rods: tuple[Rod, ...], background: float, smooth: float = SMOOTH_MM) -> Array:
    """What a ring through the middles of rods shows at roll 0, blurred as the slices are."""
    angle = np.arange(ANGLES) * 360 / ANGLES
    profile = np.zeros(ANGLES)
    for rod in rods:
        away = 2 * rod.ring * np.abs(np.sin(np.radians(angle - rod.angle) / 2))
        inside = chndtr((rod.diameter / 2 / smooth) ** 2, 2, (away / smooth) ** 2)
        profile += (rod.hu - background) * np.nan_to_num(inside)
    return compressed(profile)


def compressed(values: Array) -> Array:
    """CT numbers with their largest ones brought down to about 400 HU."""
    result: Array = _CLIPPED * np.tanh(values / _CLIPPED)
    return result


def correlations(rows: Array, pattern: Array) -> Array:
    """Correlation coefficient of each row with the pattern turned clockwise by each angle: shape of `rows`."""
    centered = rows - rows.mean(axis=-1, keepdims=True)
    wanted = pattern - pattern.mean()
    product = np.fft.irfft(np.fft.rfft(centered) * np.conj(np.fft.rfft(wanted)), rows.shape[-1])
    size = np.linalg.norm(centered, axis=-1, keepdims=True) * np.linalg.norm(wanted)
    result: Array = product / np.maximum(size, 1e-9)
    return result


def mirrored(pattern: Array) -> Array:
    """The pattern with left and right exchanged: the angle a becomes 180 - a."""
    result: Array = np.roll(pattern[::-1], ANGLES // 2 + 1)
    return result
