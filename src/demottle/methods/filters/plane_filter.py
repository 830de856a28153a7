"""What classical filters of single slices have in common: the noise level, what must not change, saving.

A filter is told one level, but the noise of CT has another at every place. So a slice is first made even, `x s / s(p)`, s(p) the
measured local level and s that of the whole image (`noise.local`); what the filter makes of it is taken back.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from demottle.errors import UnsuitableError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.methods.filter import Filter, FilterSettings
from demottle.methods.one_scan.protection import blended, changeable, fill_invalid
from demottle.noise.correlation import slice_correlation
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.level import noise_level
from demottle.noise.local import NoiseMap, noise_map

_LEAST = 0.05
"""Share of the image's noise level: the lowest local one that a slice is divided by."""


class PlaneFilter(Filter[FilterSettings]):
    """A filter that treats every slice by itself, told one noise level for the whole image, whose noise is made even for it.

    Attributes:
        even: make the noise even first; for filters that do the same to any noise it would change nothing for the better.
    """

    even = True

    @classmethod
    def measured(cls, image: Image, settings: FilterSettings, fingerprint: Fingerprint) -> tuple[Any, ...]:
        """See `Filter`; the noise level is measured again on each image it is applied to."""
        return (facts_of(image, fingerprint),)

    @abstractmethod
    def _plane(self, plane: Voxels, level: float) -> Voxels:
        """Filter one slice (rows, columns) whose noise has the standard deviation `level`."""

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Filter every slice; the noise level is measured on the image itself."""
        level = level_of(image, self.fitted)
        if level == 0:
            return image  # without noise there is nothing to remove
        local = noise_map(image, slice_correlation(image, lags=1), level) if self.even else None
        out = np.empty(image.shape, np.float32)
        for index in range(image.shape[0]):
            listener(Progress(Stage.APPLY, index, image.shape[0]))
            plane, relative = fill_invalid(image, index), relative_level(local, index, level)
            out[index] = kept(image, index, self._plane(plane / relative, level) * relative)
        listener(Progress(Stage.APPLY, image.shape[0], image.shape[0]))
        return image.with_voxels(out)


def relative_level(local: NoiseMap | None, index: int, level: float) -> Voxels:
    """Return the local noise level of a slice as a share of that of the image, never 0; 1 without a map."""
    if local is None:
        return np.ones((1, 1), np.float32)
    return np.asarray(np.maximum(local.plane(index) / np.float32(level), np.float32(_LEAST)), np.float32)


def level_of(image: Image, fitted: Mapping[str, Any]) -> float:
    """Return the noise level of an image, or, where it cannot be measured, that of the image a filter was made for."""
    level = noise_level(image)
    return level if np.isfinite(level) else float(fitted["noise_level"])


def kept(image: Image, index: int, filtered: Voxels) -> Voxels:
    """Return a filtered slice with air, metal and padding as they were."""
    return blended(image.voxels[index], filtered, changeable(image, index))


def facts_of(image: Image, fingerprint: Fingerprint) -> dict[str, Any]:
    """Say in plain values what a filter is made for.

    Raises:
        UnsuitableError: where the noise level is not known.
    """
    if not np.isfinite(fingerprint.noise_level):
        raise UnsuitableError(
            "The image has no flat soft tissue, so its noise cannot be measured; demottle does not guess it."
        )
    return {
        "noise_level": fingerprint.noise_level,
        "unit": image.unit,
        "modality": image.modality,
        "spacing_mm": list(image.spacing),
    }
