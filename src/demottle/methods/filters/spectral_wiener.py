"""Wiener shrinkage in overlapping windows, against the noise spectrum measured on the scan.

The classical answer where learning from the scan is not possible: nothing matched, noise fully shared
between slices. The filter itself is `volume_wiener`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.methods.filters.told_noise import VolumeFilter, told_noise
from demottle.methods.filters.volume_wiener import Pass, reach, volume_wiener
from demottle.methods.one_scan.calibration import keep_ct_numbers
from demottle.methods.one_scan.protection import blended, changeable, fill_invalid
from demottle.methods.one_scan.restoration import restore_agreed
from demottle.methods.registry import name_of
from demottle.noise.correlation import LAGS, Correlation, slice_correlation
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.level import noise_level
from demottle.noise.local import NoiseMap, noise_map

NAME = name_of(__name__)
_SLAB = 48
"""Slices filtered at once: the transforms hold several copies of them."""


@dataclass(frozen=True)
class SpectralWienerSettings:
    """Settings of the filter.

    Attributes:
        window: side of the first windows in pixels; a multiple of 8.
        depth: slices of a window; 1 looks at each slice alone.
        threshold: a coefficient counts as signal above this many standard deviations of its noise.
    """

    window: int = 16
    depth: int = 4
    threshold: float = 2.3

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.window < 8 or self.window % 8:
            raise InputError(f"window is {self.window}; it has to be a multiple of 8 and at least 8.")
        if self.depth < 1:
            raise InputError(f"depth is {self.depth}; it has to be at least 1.")
        if self.threshold <= 0:
            raise InputError(f"threshold is {self.threshold}; it has to be positive.")


class SpectralWiener(VolumeFilter[SpectralWienerSettings]):
    """The filter with the noise it was made for: the shape of the spectrum (n, n), and the level."""

    method = NAME

    @classmethod
    def measured(cls, image: Image, settings: SpectralWienerSettings, fingerprint: Fingerprint) -> tuple[Any, ...]:
        """See `Filter`; without a spectrum the noise is taken as white, and `fitted` says so."""
        facts, spectrum = told_noise(image, fingerprint)
        del facts["slice_correlation"]  # not told
        return facts, spectrum if spectrum.size > 1 else np.ones((64, 64), np.float32)

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Filter every slice; the local noise level is measured on the image itself."""
        level = noise_level(image)
        if not np.isfinite(level):
            level = float(self.fitted["noise_level"])
        if level == 0:
            return image  # without noise there is nothing to remove
        correlation = slice_correlation(image, lags=LAGS)
        local = noise_map(image, correlation, level)
        out = np.empty(image.shape, np.float32)
        for index, filtered in enumerate(self._filtered(image, local, correlation, listener)):
            out[index] = blended(image.voxels[index], filtered, changeable(image, index))
        restore_agreed(image, out, local, correlation, self._spectrum, lambda index: changeable(image, index), listener)
        keep_ct_numbers(image, out, lambda index: changeable(image, index), listener)
        return image.with_voxels(out)

    def _filtered(
        self, image: Image, local: NoiseMap, correlation: Correlation, listener: Listener
    ) -> Iterator[Voxels]:
        """Filter slab by slab: the transforms hold several volumes at once. Slabs overlap by what a window can reach."""
        settings, slices = self._settings, image.shape[0]
        passes = (Pass(settings.window, 2), Pass(settings.window * 3 // 4, 2), Pass(settings.window // 2, 4))
        rho = np.maximum(np.nan_to_num(correlation.rho), 0).tolist()
        parts, margin = max(1, round(slices / _SLAB)), reach(passes, settings.depth)
        for part in range(parts):
            begin, end = slices * part // parts, slices * (part + 1) // parts
            low, high = max(begin - margin, 0), min(end + margin, slices)

            def told(share: float, begin: int = begin, end: int = end) -> None:
                listener(Progress(Stage.APPLY, begin + int((end - begin) * share), slices))

            out = volume_wiener(
                np.stack([fill_invalid(image, index) for index in range(low, high)]),
                np.stack([local.plane(index) for index in range(low, high)]),
                self._spectrum,
                rho,
                passes,
                settings.depth,
                settings.threshold,
                (low, slices),
                told,
            )
            yield from out[begin - low : end - low]


Settings, fit, restore = SpectralWienerSettings, SpectralWiener.fit, SpectralWiener.restore
