"""Gaussian smoothing in the slice: the simplest filter there is. Noise and detail go together."""

from dataclasses import dataclass

import cv2
import numpy as np

from demottle.errors import InputError
from demottle.image import Voxels
from demottle.methods.filters.plane_filter import PlaneFilter
from demottle.methods.registry import name_of

NAME = name_of(__name__)


@dataclass(frozen=True)
class GaussianSettings:
    """Settings of the filter.

    Attributes:
        sigma: standard deviation of the Gaussian in pixels.
    """

    sigma: float = 1.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if not self.sigma > 0:
            raise InputError(f"sigma is {self.sigma}; it has to be positive.")


class Gaussian(PlaneFilter[GaussianSettings]):
    """The filter; `y = g * x`, whatever the noise is."""

    method = NAME
    even = False

    def _plane(self, plane: Voxels, level: float) -> Voxels:
        sigma = self._settings.sigma
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101), np.float32)


Settings, fit, restore = GaussianSettings, Gaussian.fit, Gaussian.restore
