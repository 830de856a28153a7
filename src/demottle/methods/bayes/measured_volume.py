"""A volume in units of its own local noise, and the way back: what must not change, and in CT what slices agree on, put back."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.methods.one_scan.calibration import keep_ct_numbers
from demottle.methods.one_scan.coarse_contrast import put_coarse_back
from demottle.methods.one_scan.protection import blended, changeable, fill_invalid
from demottle.methods.one_scan.restoration import restore_agreed
from demottle.noise.correlation import Correlation, slice_correlation
from demottle.noise.local import NoiseMap, noise_map

_WHITE = np.ones((32, 32), np.float32)


@dataclass(frozen=True, eq=False)
class MeasuredVolume:
    """An image with what was measured on it.

    Attributes:
        image: as it came.
        correlation: correlation of its noise, between slices.
        local: map of its noise level.
    """

    image: Image
    correlation: Correlation
    local: NoiseMap

    @classmethod
    def of(cls, image: Image, level: float) -> "MeasuredVolume":
        """Measure an image whose noise level is known."""
        correlation = slice_correlation(image)
        local = noise_map(image, correlation, level)
        return cls(image, correlation, local)

    @cached_property
    def deviation(self) -> Voxels:
        """The map of the noise level at full resolution (slices, rows, columns)."""
        return np.stack([self.local.plane(index) for index in range(self.image.shape[0])])

    @cached_property
    def allowed(self) -> Voxels:
        """How far each voxel may change, 0 to 1."""
        return np.stack([self._allowed(index) for index in range(self.image.shape[0])])

    def part(self, low: int, high: int) -> "MeasuredVolume":
        """Return the slices from `low` to before `high`, with the noise that was measured on the whole."""
        local = NoiseMap(self.local.coarse[low:high], self.local.shape, self.local.level)
        return replace(self, image=self.image.part(low, high), local=local)

    def noisy(self) -> Tensor:
        """Return the image in units of its local noise, padding filled."""
        filled = np.stack([fill_invalid(self.image, index) for index in range(self.image.shape[0])])
        return self.in_units_of_noise(filled)

    def in_units_of_noise(self, voxels: Voxels) -> Tensor:
        """Return voxels of the image's unit in units of the local noise."""
        return torch.from_numpy(np.asarray(voxels / self.deviation, np.float32))

    def put_back(self, made: Tensor) -> Voxels:
        """Return what was made, in the image's unit, as far as each voxel may change."""
        return blended(self.image.voxels, np.asarray(made.numpy() * self.deviation, np.float32), self.allowed)

    def restore(self, clean: Voxels, spectrum: NDArray[np.float32], listener: Listener = silent) -> None:
        """Put back, in place, what neighboring slices agree was taken out, coarse contrast and tissues' mean CT numbers. CT only.

        Args:
            clean: in the image's unit.
            spectrum: spectrum of the noise within slices; (1, 1): white.
            listener: told of the stages "restore" and "calibrate".
        """
        if self.image.unit != "HU":
            return
        told = spectrum if spectrum.size > 1 else _WHITE
        restore_agreed(self.image, clean, self.local, self.correlation, told, self._allowed, listener)
        put_coarse_back(self.image, clean, self.local, self.correlation, self._allowed)
        keep_ct_numbers(self.image, clean, self._allowed, listener)

    def _allowed(self, index: int) -> Voxels:
        return changeable(self.image, index)
