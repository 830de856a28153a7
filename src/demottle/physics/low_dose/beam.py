"""The two ways to look through a slice, parallel and fan, behind the same three questions.

A beam gives line integrals of a slice, reconstructs noise drawn in the projections, and says what variance in the projections
becomes in the slice.
"""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Voxels
from demottle.physics.ct.backends import Projector, fan_integrals, parallel_integrals
from demottle.physics.ct.ct_noise import coarse_attenuation, resample_bins
from demottle.physics.ct.fan import fan_backproject, fan_bins, full_turn
from demottle.physics.ct.projection import (
    OVERSAMPLING,
    FloatArray,
    KernelLike,
    backproject,
    bins_across,
    filter_projections,
    filtered_backprojection,
    half_turn,
    noise_gain,
)
from demottle.physics.low_dose.texture import interpolation_loss

BeamShape = Literal["parallel", "fan"]


class Beam(Protocol):
    """What the simulation needs of a geometry.

    Attributes:
        distances: distances of each bin's ray from the axis, in mm, shape (bins,).
        views: how many.
        turn: degrees that they cover.
        gain: variance in the slice, in 1/mm2, of one view's ray of variance 1.
    """

    distances: NDArray[np.float64]
    views: int
    turn: float
    gain: float

    def integrals(self, plane: Voxels, water: float) -> FloatArray:
        """Line integrals of a slice in HU, shape (views, bins), without unit."""
        ...

    def reconstruct(self, sinogram: FloatArray) -> FloatArray:
        """Filtered back-projection of (views, bins), in 1/mm, at full resolution."""
        ...

    def variance(self, variance: FloatArray, step: int) -> FloatArray:
        """Variance in 1/mm2 that noise of the given variance (views, bins) has in the slice, on every `step`-th pixel."""
        ...


class ParallelBeam:
    """Parallel rays over half a turn."""

    turn = 180.0

    def __init__(
        self, shape: tuple[int, int], pixel: float, views: int, kernel: KernelLike, projector: Projector = "builtin"
    ) -> None:
        """Prepare for slices of `shape` with square pixels of `pixel` mm."""
        self.views = views
        self._shape, self._pixel, self._kernel, self._projector = shape, pixel, kernel, projector
        self._bins = bins_across(shape)
        self.distances = np.asarray((np.arange(self._bins) - (self._bins - 1) / 2) * pixel, np.float64)
        self.gain = _gain(views, self._bins, pixel, kernel)

    def integrals(self, plane: Voxels, water: float) -> FloatArray:
        """As `Beam.integrals`, from a coarse copy of the slice."""
        coarse, factor = coarse_attenuation(plane, water)
        sinogram = parallel_integrals(coarse, self._pixel * factor, half_turn(self.views), self._projector)
        return resample_bins(sinogram, factor, self._bins)

    def reconstruct(self, sinogram: FloatArray) -> FloatArray:
        """As `Beam.reconstruct`."""
        return filtered_backprojection(sinogram, self._shape, self._pixel, self._kernel)

    def variance(self, variance: FloatArray, step: int) -> FloatArray:
        """As `Beam.variance`: the filter's reach is short against the variance's changes."""
        shape = coarse_shape(self._shape, step)
        return backproject(variance, shape, 1, (self._bins - 1) / 2, step) * np.float32(self.gain)


class FanBeam:
    """The rays of a fan over a full turn, on a flat detector."""

    turn = 360.0

    def __init__(
        self,
        shape: tuple[int, int],
        pixel: float,
        views: int,
        kernel: KernelLike,
        source_to_axis: float,
        projector: Projector = "builtin",
    ) -> None:
        """Prepare for slices of `shape` with square pixels of `pixel` mm; the source is `source_to_axis` mm away."""
        self.views = views
        self._shape, self._pixel, self._kernel, self._projector = shape, pixel, kernel, projector
        self._source = source_to_axis
        self._bins = fan_bins(shape, pixel, source_to_axis)
        s = (np.arange(self._bins) - (self._bins - 1) / 2) * pixel
        self._cosine = (source_to_axis / np.sqrt(source_to_axis**2 + s**2)).astype(np.float32)
        self.distances = s * self._cosine
        self.gain = _gain(views, self._bins, pixel, kernel)

    def integrals(self, plane: Voxels, water: float) -> FloatArray:
        """As `Beam.integrals`, from a coarse copy of the slice."""
        coarse, factor = coarse_attenuation(plane, water)
        width = self._pixel * factor
        bins = fan_bins((coarse.shape[0], coarse.shape[1]), width, self._source)
        sinogram = fan_integrals(coarse, width, full_turn(self.views), self._source, bins, self._projector)
        return resample_bins(sinogram, factor, self._bins)

    def reconstruct(self, sinogram: FloatArray) -> FloatArray:
        """As `Beam.reconstruct`."""
        fine = filter_projections(sinogram * self._cosine, self._pixel, self._kernel)
        centre = (self._bins - 1) / 2
        total = fan_backproject(fine, self._shape, self._pixel, self._source, OVERSAMPLING, centre)
        return np.asarray(total * np.float32(np.pi / self.views))

    def variance(self, variance: FloatArray, step: int) -> FloatArray:
        """As `Beam.variance`."""
        weighted, centre = variance * self._cosine**2, (self._bins - 1) / 2
        shape = coarse_shape(self._shape, step)
        total = fan_backproject(weighted, shape, self._pixel, self._source, 1, centre, power=4, pixel_step=step)
        return total * np.float32(self.gain)


def _gain(views: int, bins: int, pixel: float, kernel: KernelLike) -> float:
    """Variance in the slice, in 1/mm2, of one view's ray of variance 1."""
    return (np.pi / views) ** 2 * noise_gain(bins, pixel, kernel) * interpolation_loss(pixel, kernel)


def coarse_shape(shape: tuple[int, int], step: int) -> tuple[int, int]:
    """Rows and columns of a map that holds one value for each block of `step` x `step` pixels."""
    return -(-shape[0] // step), -(-shape[1] // step)


def make_beam(
    beam: BeamShape,
    shape: tuple[int, int],
    pixel: float,
    kernel: KernelLike,
    source_to_axis: float,
    projector: Projector = "builtin",
) -> Beam:
    """Return the beam asked for, with as many views as the matrix needs: 3/2 of its width over half a turn.

    Raises:
        InputError: for a beam that is not known, or a slice too wide for the fan.
    """
    views = max(180, round(1.5 * max(shape)))
    if beam == "parallel":
        return ParallelBeam(shape, pixel, views, kernel, projector)
    if beam == "fan":
        return FanBeam(shape, pixel, 2 * views, kernel, source_to_axis, projector)
    raise InputError(f"There is no beam {beam!r}; choose parallel or fan.")
