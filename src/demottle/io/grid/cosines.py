"""Direction cosines of a slice: perpendicular unit vectors, whatever the rounding of the header made of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat

_KEPT = 1e-4  # of a unit vector: half a pixel of a slice of 5000


def cosines(orientation: Sequence[float] | NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the directions along a row and along a column, as unit vectors that are perpendicular.

    The column's is kept, the row's turned within the plane of both, as ITK does where a header has few digits.
    """
    along_column = np.asarray(orientation[3:], np.float64)
    along_column = along_column / np.linalg.norm(along_column)
    normal = np.cross(np.asarray(orientation[:3], np.float64), along_column)
    normal = normal / np.linalg.norm(normal)
    return np.cross(along_column, normal), along_column


def straighten(dataset: Dataset) -> None:
    """Write the cosines of a header anew, in place, where they are not perpendicular unit vectors, as PS3.3 C.7.6.2 demands."""
    stated: Any = dataset.get("ImageOrientationPatient")
    if stated is None or len(stated) != 6:
        return
    axes = np.array([float(value) for value in stated]).reshape(2, 3)
    if np.abs(axes @ axes.T - np.eye(2)).max() > _KEPT:
        dataset.ImageOrientationPatient = [
            DSfloat(round(float(value), 9) + 0.0, auto_format=True) for axis in cosines(axes.ravel()) for value in axis
        ]
