"""The patient of a fluoroscopy scene from a CT scan: its line integrals from front to back, as parallel rays see them."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.fluoroscopy.moving import Array

_HIGHEST = 3000.0  # HU; metal beyond would be opaque


@dataclass(frozen=True, eq=False)
class Projected:
    """Line integrals of a CT scan on the detector: a shadow like those of the analytic phantom (`moving.Shadow`).

    Attributes:
        plane: line integrals (no unit), shape (slices, columns), head at the top.
        spacing: mm between its rows and columns.
    """

    plane: NDArray[np.float32] = field(repr=False)
    spacing: tuple[float, float]

    @property
    def extent(self) -> float:
        """The smaller of height and width, in mm."""
        return min(float(count * step) for count, step in zip(self.plane.shape, self.spacing, strict=True))

    def integral(self, y: Array, x: Array, pixel: float) -> Array:
        """See `Shadow`: cubic between the scan's own samples, continued beyond its borders."""
        rows, columns = (
            (at.ravel() / step + (count - 1) / 2).astype(np.float32)
            for at, step, count in zip((y, x), self.spacing, self.plane.shape, strict=True)
        )
        to_column, to_row = np.meshgrid(columns, rows)
        found = cv2.remap(self.plane, to_column, to_row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.maximum(found.astype(np.float64), 0)

    def covers(self, y: Array, x: Array, pixel: float) -> NDArray[np.bool_]:
        """See `Shadow`: everywhere."""
        return np.ones((y.size, x.size), np.bool_)


def project_scan(scan: Image, water: float) -> Projected:
    """Project a CT scan along its rows (front to back); `water` is the attenuation of water in 1/mm.

    `mu = water (1 + HU / 1000)`, between air and 3000 HU; what was not measured counts as air. The scan's own noise is
    averaged over all rows and hardly seen.

    Raises:
        InputError: not CT in HU, fewer than 8 slices, or slices that are not evenly spaced.
    """
    if scan.modality != "CT" or scan.unit != "HU":
        raise InputError(
            f"X-rays can be projected through CT in HU only, but the scan is {scan.modality} in {scan.unit}."
        )
    if scan.shape[0] < 8 or not scan.evenly_spaced:
        raise InputError(
            f"The scan has {scan.shape[0]} slices"
            f"{'' if scan.evenly_spaced else ' at uneven distances'}; at least 8 evenly spaced ones are needed."
        )
    plane = np.empty((scan.shape[0], scan.shape[2]), np.float32)
    for index, voxels in enumerate(scan.voxels):
        mu = water * (1 + np.clip(voxels, -1000, _HIGHEST) / 1000)
        if scan.valid is not None:
            mu = np.where(scan.valid[index], mu, 0)
        plane[-1 - index] = mu.sum(axis=0) * scan.spacing[1]  # slices go from the feet to the head
    return Projected(plane, (scan.spacing[0], scan.spacing[2]))
