"""BM4D (Maggioni et al. 2013): BM3D with cubes, on the whole volume, from its authors' package `bm4d`.

It is told the noise spectrum in the slice and the measured correlation between slices. The package is free for non-commercial
use only and is not installed with demottle: pip install bm4d.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import UnsuitableError, counted
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.methods.filters.block_matching import (
    BlockMatchingSettings,
    across_slices,
    package,
    stretched,
)
from demottle.methods.filters.plane_filter import kept, level_of, relative_level
from demottle.methods.filters.told_noise import VolumeFilter, told_noise
from demottle.methods.one_scan.protection import fill_invalid
from demottle.methods.registry import name_of, refuse_missing
from demottle.noise.correlation import slice_correlation
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.local import noise_map

NAME = name_of(__name__)
FEWEST = 5
"""Slices: a cube of the filter has to fit."""


@dataclass(frozen=True)
class Bm4dSettings(BlockMatchingSettings):
    """Settings of the filter; see `BlockMatchingSettings`."""


class Bm4d(VolumeFilter[Bm4dSettings]):
    """The filter and the noise it is told of; arguments as of `bm3d.Bm3d`."""

    method = NAME

    @classmethod
    def measured(cls, image: Image, settings: Bm4dSettings, fingerprint: Fingerprint) -> tuple[Any, ...]:
        """See `Filter`; the package has to be installed."""
        refuse_missing(NAME)
        _refuse_thin(image)
        return told_noise(image, fingerprint, settings.spectrum == "white")

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


def _refuse_thin(image: Image) -> None:
    if image.shape[0] < FEWEST:
        raise UnsuitableError(
            f"{NAME} filters cubes and needs at least {FEWEST} slices; the image has {counted(image.shape[0], 'slice')}."
        )


Settings, fit, restore = Bm4dSettings, Bm4d.fit, Bm4d.restore
