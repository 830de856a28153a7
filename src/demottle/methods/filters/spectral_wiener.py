"""Wiener shrinkage in overlapping windows, against the noise spectrum measured on the scan.

The classical answer where learning from the scan is not possible: nothing matched, noise fully shared
between slices. The filter itself is `networks.windowed_wiener`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.methods.filters.told_noise import VolumeFilter, told_noise
from demottle.methods.one_scan.calibration import keep_ct_numbers
from demottle.methods.one_scan.protection import blended, changeable, fill_invalid
from demottle.methods.one_scan.restoration import REACH, restore_agreed
from demottle.methods.registry import name_of
from demottle.networks.windowed_wiener import WindowedWiener
from demottle.noise.correlation import slice_correlation
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.level import noise_level
from demottle.noise.local import noise_map

NAME = name_of(__name__)


@dataclass(frozen=True)
class SpectralWienerSettings:
    """Settings of the filter.

    Attributes:
        window: side of a window in pixels; a multiple of 4, at least 8.
        threshold: a coefficient counts as signal above this many standard deviations of its noise.
    """

    window: int = 16
    threshold: float = 2.7

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.window < 8 or self.window % 4:
            raise InputError(f"window is {self.window}; it has to be a multiple of 4 and at least 8.")
        if self.threshold <= 0:
            raise InputError(f"threshold is {self.threshold}; it has to be positive.")


class SpectralWiener(VolumeFilter[SpectralWienerSettings]):
    """The filter with the noise it was made for: the shape of the spectrum (n, n), and the level."""

    method = NAME

    def __init__(
        self, settings: SpectralWienerSettings, fitted: Mapping[str, Any], spectrum: NDArray[np.float32]
    ) -> None:
        """Keep settings, summary and spectrum."""
        super().__init__(settings, fitted, spectrum)
        self._filter = WindowedWiener(self._spectrum, settings.window, 4, settings.threshold)

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
        correlation = slice_correlation(image, lags=REACH)
        local = noise_map(image, correlation, level)
        out = np.empty(image.shape, np.float32)
        for index, plane in enumerate(image.voxels):
            listener(Progress(Stage.APPLY, index, image.shape[0]))
            filtered = self._plane(fill_invalid(image, index), local.plane(index))
            out[index] = blended(plane, filtered, changeable(image, index))
        listener(Progress(Stage.APPLY, image.shape[0], image.shape[0]))
        restore_agreed(image, out, local, correlation, self._spectrum, lambda index: changeable(image, index), listener)
        keep_ct_numbers(image, out, lambda index: changeable(image, index), listener)
        return image.with_voxels(out)

    def _plane(self, plane: Voxels, deviation: Voxels) -> Voxels:
        with torch.inference_mode():
            tensors = [torch.from_numpy(np.ascontiguousarray(a).copy())[None, None] for a in (plane, deviation)]
            out: Voxels = self._filter(*tensors)[0, 0].numpy()
        return out


Settings, fit, restore = SpectralWienerSettings, SpectralWiener.fit, SpectralWiener.restore
