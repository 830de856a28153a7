"""Local principal components of a complex or magnitude MR series, less those that are noise of a known level (after NORDIC).

In a small patch the signals of a series of T volumes are few patterns over time with different strength at each voxel: a matrix
(voxels x T) of low rank. The noise of each place is known (measured, or given), so the series is divided by it first: noise is
then the same everywhere, and what eigenvalues noise alone has is known too. Components within it are dropped (S. Moeller et al.,
NeuroImage 226, 2021; L. Vizioli et al., Nat Commun 12, 2021), the others shrunk as is best for the squared error (M. Gavish and
D. Donoho, 2017). Nothing is averaged over time or over directions.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.events import Listener, Stage, silent
from demottle.image import Image
from demottle.methods.filter import Filter
from demottle.methods.low_rank.blocks import grid_of
from demottle.methods.low_rank.noise_map import Map, by_components
from demottle.methods.low_rank.random_matrix import hard, optimal
from demottle.methods.low_rank.series import Series
from demottle.methods.low_rank.sweep import swept
from demottle.methods.registry import name_of
from demottle.noise.sequence.fingerprint import SequenceFingerprint

NAME = name_of(__name__)
FEWEST = 6
"""Volumes: with fewer the noise cannot be told from the signal by its components."""
_SHRINKAGE = {"optimal": optimal, "threshold": hard}
_NO_NOISE = 1e-5  # of the signal: below, there is only rounding


@dataclass(frozen=True)
class NordicSettings:
    """Settings of the filter.

    Attributes:
        ratio: voxels of a patch for each volume.
        overlap: how many patches cover a voxel along each axis.
        shrinkage: "optimal" (least squared error) or "threshold" (keep or drop, as NORDIC does).
        noise: standard deviation of the noise in each part of the complex signal, where it is known; 0: measured.
        demodulate: take the smooth phase that turns from volume to volume off before components are sought.
    """

    ratio: float = 3.0
    overlap: int = 2
    shrinkage: str = "optimal"
    noise: float = 0.0
    demodulate: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if not 1 <= self.ratio <= 100:
            raise InputError(f"ratio is {self.ratio}; it has to lie between 1 and 100 voxels per volume.")
        if not 1 <= self.overlap <= 4:
            raise InputError(f"overlap is {self.overlap}; it has to be 1, 2, 3 or 4.")
        if self.shrinkage not in _SHRINKAGE:
            raise InputError(f'shrinkage is "{self.shrinkage}"; it has to be "optimal" or "threshold".')
        if not (np.isfinite(self.noise) and self.noise >= 0):
            raise InputError(f"noise is {self.noise}; it has to be a positive number, or 0 to measure it.")


class Nordic(Filter[NordicSettings]):
    """The filter; it learns nothing, and measures the noise on the series that it is given, unless that says it."""

    method = NAME

    @classmethod
    def measured(cls, image: Image, settings: NordicSettings, fingerprint: SequenceFingerprint) -> tuple[Any, ...]:
        """See `Filter`: nothing is measured."""
        return ({"modality": image.modality, "unit": image.unit, "complex": image.phase is not None},)

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Filter the series; its phase too where it has one. `maps` says the noise and how many components were kept.

        What was not measured, is zero in all volumes or has no noise comes out as it went in.
        """
        volumes = image.shape[0]
        if volumes < FEWEST or min(image.shape[1:]) < 2:
            return image
        series = Series(image, self._settings.demodulate)
        noise = self._noise(series, listener)
        series.noise = np.where(noise > _NO_NOISE * series.signal, noise, 0)
        if not (series.noise > 0).any():
            return image
        grid = grid_of(series.shape, max(4, round(self._settings.ratio * volumes)), self._settings.overlap)
        out, phase = image.voxels.copy(), None if image.phase is None else image.phase.copy()
        kept = np.zeros(image.shape[1:], np.float32)
        for part in swept(series.load, grid, _SHRINKAGE[self._settings.shrinkage], listener, Stage.APPLY):
            for index in range(part.first, part.last):
                series.put(index, part.slab[:, index - part.first], out, phase)
                series.stack.plane(kept, index)[:] = part.kept[index - part.first]
        level = np.zeros(image.shape[1:], np.float32)
        for index, plane in enumerate(series.noise):
            series.stack.plane(level, index)[:] = plane
        return replace(image, voxels=out, phase=phase, maps={**image.maps, "noise": level, "components": kept})

    def _noise(self, series: Series, listener: Listener) -> NDArray[np.float32]:
        """The standard deviation of the noise, (slices, rows, columns): given, of the given shape, or measured."""
        given = series.map("noise")
        if given is not None:
            return given
        gfactor = series.map("gfactor")
        if self._settings.noise > 0:
            return np.float32(self._settings.noise) * (
                np.ones(series.shape, np.float32) if gfactor is None else gfactor
            )
        measured = measured_noise(series, listener)
        if gfactor is None:
            return measured
        usable = (gfactor > 0) & (measured > 0)
        scale = float(np.median(measured[usable] / gfactor[usable])) if usable.any() else 0.0
        return np.float32(scale) * gfactor


def measured_noise(series: Series, listener: Listener = silent) -> Map:
    """Measure the noise of each place by its components; of magnitudes, what it was in each part of the complex signal."""
    found = by_components(series.load_raw, series.shape, series.volumes, listener)
    return series.of_each_part(found)


Settings, fit, restore = NordicSettings, Nordic.fit, Nordic.restore
