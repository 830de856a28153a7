"""Gaussian smoothing in the slice: the simplest filter there is. Noise and detail go together."""

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

NAME = "gaussian"


@dataclass(frozen=True)
class Settings:
    """Settings of the filter.

    Attributes:
        sigma: standard deviation of the Gaussian in pixels.
    """

    sigma: float = 1.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if not self.sigma > 0:
            raise InputError(f"sigma is {self.sigma}; it has to be positive.")


class Gaussian(PlaneFilter[Settings]):
    """The filter; `y = g * x`, whatever the noise is."""

    method = NAME
    even = False

    def _plane(self, plane: Voxels, level: float) -> Voxels:
        sigma = self._settings.sigma
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101), np.float32)


def fit(
    image: Image,
    settings: Settings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> Gaussian:
    """Make the filter; nothing is taken from the image.

    Raises:
        UnsuitableError: where the noise level is not known.
    """
    return Gaussian(settings, facts_of(image, fingerprint))


def restore(settings: Settings, fitted: Mapping[str, Any], tensors: Tensors) -> Gaussian:
    """Rebuild a saved filter."""
    return Gaussian(settings, fitted)
