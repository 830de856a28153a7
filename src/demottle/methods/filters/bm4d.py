"""BM4D (Maggioni et al. 2013): BM3D with cubes, on the whole volume, from its authors' package `bm4d`.

It is told the noise spectrum in the slice and the measured correlation between slices. The package is free for non-commercial
use only and is not installed with demottle: pip install bm4d.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import UnsuitableError, counted
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.methods.base import Budget, Tensors
from demottle.methods.filters.block_matching import (
    BlockMatchingSettings,
    across_slices,
    package,
    stretched,
)
from demottle.methods.filters.plane_filter import kept, level_of, relative_level
from demottle.methods.filters.told_noise import VolumeFilter, told_noise
from demottle.methods.one_scan.protection import fill_invalid
from demottle.methods.registry import refuse_missing
from demottle.noise.correlation import slice_correlation
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.local import noise_map

NAME = "bm4d"
FEWEST = 5
"""Slices: a cube of the filter has to fit."""


@dataclass(frozen=True)
class Settings(BlockMatchingSettings):
    """Settings of the filter; see `BlockMatchingSettings`."""


class Bm4d(VolumeFilter[Settings]):
    """The filter and the noise it is told of; arguments as of `bm3d.Bm3d`."""

    method = NAME

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Filter the volume as a whole; the noise level is measured on the image itself.

        Raises:
            InputError: where the package is not installed.
            UnsuitableError: for fewer slices than a cube has.
        """
        level = level_of(image, self.fitted)
        if level == 0:
            return image
        _refuse_thin(image)
        module, profile = package(NAME, self._settings)
        listener(Progress(Stage.APPLY, 0, 1))
        slices = range(image.shape[0])
        local = noise_map(image, slice_correlation(image, lags=1), level) if self._settings.level == "local" else None
        relative = [relative_level(local, index, level) for index in slices]
        volume = np.stack([fill_invalid(image, index) / relative[index] for index in slices])
        filtered: Voxels = np.asarray(module.bm4d(volume.astype(np.float64), self._told(image, level), profile))
        out = np.stack([kept(image, index, (filtered[index] * relative[index]).astype(np.float32)) for index in slices])
        listener(Progress(Stage.APPLY, 1, 1))
        return image.with_voxels(out)

    def _told(self, image: Image, level: float) -> float | NDArray[np.float64]:
        slices, rows, columns = image.shape
        if self._spectrum.size == 1:
            return level
        along = across_slices(self.fitted.get("slice_correlation", ()), slices)
        power = along[:, None, None] * stretched(self._spectrum, (rows, columns))[None]
        return np.asarray(power * (level**2 * power.size / power.mean()), np.float64)


def fit(
    image: Image,
    settings: Settings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> Bm4d:
    """Take the noise spectrum from the fingerprint; without one the noise is taken as white, and `fitted` says so.

    Raises:
        InputError: where the package is not installed.
        UnsuitableError: where not even the noise level is known, or for fewer than `FEWEST` slices.
    """
    refuse_missing(NAME)
    _refuse_thin(image)
    return Bm4d(settings, *told_noise(image, fingerprint, settings.spectrum == "white"))


def restore(settings: Settings, fitted: Mapping[str, Any], tensors: Tensors) -> Bm4d:
    """Rebuild a saved filter."""
    return Bm4d(settings, fitted, tensors["spectrum"])


def _refuse_thin(image: Image) -> None:
    if image.shape[0] < FEWEST:
        raise UnsuitableError(
            f"{NAME} filters cubes and needs at least {FEWEST} slices; the image has {counted(image.shape[0], 'slice')}."
        )
