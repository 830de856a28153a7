"""The bilateral filter (Tomasi and Manduchi 1998) of OpenCV: a Gaussian mean of pixels that are near, and similar.

    y(p) = sum_q w x(q) / sum_q w,    w = exp(-|p - q|^2 / (2 sigma^2)) exp(-(x(p) - x(q))^2 / (2 (k s)^2))

s is the measured noise level. A pixel that noise has set far off finds few that are similar and stays as it is.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from demottle.errors import InputError
from demottle.image import Voxels
from demottle.methods.filters.plane_filter import PlaneFilter
from demottle.methods.registry import name_of

NAME = name_of(__name__)


@dataclass(frozen=True)
class BilateralSettings:
    """Settings of the filter.

    Attributes:
        sigma: standard deviation of the Gaussian over distance, pixels.
        strength: that over difference, in units of the measured noise level.
    """

    sigma: float = 2.0
    strength: float = 2.5

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if not (self.sigma > 0 and self.strength > 0):
            raise InputError(f"sigma is {self.sigma} and strength {self.strength}; both have to be positive.")


class Bilateral(PlaneFilter[BilateralSettings]):
    """The filter."""

    method = NAME

    def _plane(self, plane: Voxels, level: float) -> Voxels:
        across = 2 * int(np.ceil(2 * self._settings.sigma)) + 1
        difference = self._settings.strength * level
        out = cv2.bilateralFilter(
            np.ascontiguousarray(plane), across, difference, self._settings.sigma, borderType=cv2.BORDER_REFLECT_101
        )
        return np.asarray(out, np.float32)


Settings, fit, restore = BilateralSettings, Bilateral.fit, Bilateral.restore
