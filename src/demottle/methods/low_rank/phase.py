"""The phase of complex series: taken off before components are sought, so that signal is real and noise alone imaginary.

What turns from volume to volume (motion during diffusion gradients, breathing, drift) would make one pattern over time into many.
It is smooth within a slice, unlike noise. What stays over time may be of any shape: the mean over all volumes shows it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex64]
SMOOTH = 3.0
"""Pixels: the deviation of the Gaussian over which the changing phase of a slice is found."""
_ROUNDS = 2


def turning(planes: Complex) -> Complex:
    """Return the phasors (size 1) by which each volume of one slice is turned against the mean, smooth within the slice.

    Args:
        planes: (volumes, rows, columns).

    The first look is against the brightest volume, the next against the mean of all volumes turned back: z_t conj(mean) holds the
    changing phase, weighted by the signal; its Gaussian mean has little noise left.
    """
    energy = [float(np.vdot(plane, plane).real) for plane in planes]
    reference = planes[int(np.argmax(energy))]
    phasors = np.ones_like(planes)
    for _ in range(_ROUNDS):
        for index, plane in enumerate(planes):
            phasors[index] = _unit(_blurred(plane * reference.conj()))
        reference = np.asarray((planes * phasors.conj()).mean(axis=0), np.complex64)
    return phasors


def lasting(planes: Complex) -> Complex:
    """Return the phasors (size 1) of the mean of all volumes of one slice, (rows, columns)."""
    return _unit(planes.mean(axis=0))


def _blurred(plane: Complex) -> Complex:
    parts = np.ascontiguousarray(plane).view(np.float32).reshape(*plane.shape, 2)
    smooth = cv2.GaussianBlur(parts, (0, 0), SMOOTH, borderType=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(smooth).view(np.complex64)[..., 0]


def _unit(plane: Complex) -> Complex:
    size = np.abs(plane)
    return np.where(size > 0, plane / np.maximum(size, np.float32(1e-30)), np.complex64(1))
