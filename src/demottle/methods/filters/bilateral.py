"""The bilateral filter (Tomasi and Manduchi 1998) of OpenCV: a Gaussian mean of pixels that are near, and similar.

    y(p) = sum_q w x(q) / sum_q w,    w = exp(-|p - q|^2 / (2 sigma^2)) exp(-(x(p) - x(q))^2 / (2 (k s)^2))

s is the measured noise level. A pixel that noise has set far off finds few that are similar and stays as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.methods.base import Budget, Tensors
from demottle.methods.filters.plane_filter import PlaneFilter, facts_of
from demottle.noise.fingerprint import Fingerprint

NAME = "bilateral"


@dataclass(frozen=True)
class Settings:
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


class Bilateral(PlaneFilter[Settings]):
    """The filter."""

    method = NAME

    def _plane(self, plane: Voxels, level: float) -> Voxels:
        across = 2 * int(np.ceil(2 * self._settings.sigma)) + 1
        difference = self._settings.strength * level
        out = cv2.bilateralFilter(
            np.ascontiguousarray(plane), across, difference, self._settings.sigma, borderType=cv2.BORDER_REFLECT_101
        )
        return np.asarray(out, np.float32)


def fit(
    image: Image,
    settings: Settings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> Bilateral:
    """Make the filter; the noise level is measured on each image it is applied to.

    Raises:
        UnsuitableError: where the noise level is not known.
    """
    return Bilateral(settings, facts_of(image, fingerprint))


def restore(settings: Settings, fitted: Mapping[str, Any], tensors: Tensors) -> Bilateral:
    """Rebuild a saved filter."""
    return Bilateral(settings, fitted)
