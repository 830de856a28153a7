"""A series as the filter sees it: slabs of values over unit noise, and the way back."""

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Mask, Voxels
from demottle.methods.low_rank.phase import Complex, lasting, turning
from demottle.methods.low_rank.stack import stack_of
from demottle.methods.low_rank.sweep import Slab
from demottle.noise.mr.magnitude import is_magnitude
from demottle.noise.mr.rician import deviation_at_mean, stabilizer

Map = NDArray[np.float32]


class Series:
    """The volumes of a series, complex where its phase is known.

    Attributes:
        stack: where the slices lie in a frame.
        shape: shape of a volume: slices, rows, columns.
        volumes: how many there are.
        parts: 2 for complex values, 1 for magnitudes.
        seen: where all volumes were measured and not all are zero, (slices, rows, columns).
        signal: root mean square over the volumes, there.
        noise: its standard deviation in each part of the complex signal; to be set before `load`. 0: left as it is.
    """

    def __init__(self, image: Image, demodulate: bool = True) -> None:
        """Look at the series; nothing is copied."""
        self.stack = stack_of(image)
        self.shape, self.volumes = self.stack.shape, image.shape[0]
        self.parts = 1 if image.phase is None else 2
        self.noise: Map = np.ones(self.shape, np.float32)
        self._image, self._demodulate = image, demodulate
        self._rician = self.parts == 1 and is_magnitude(image)
        self._phasors: dict[int, Complex] = {}
        square = np.zeros(image.shape[1:])
        for frame in image.voxels:
            square += np.square(frame, dtype=np.float64)
        self.signal: Map = self.stack.volume(np.asarray(np.sqrt(square / self.volumes), np.float32))
        self.seen: Mask = self.signal > 0
        if image.valid is not None:
            valid = image.valid.all(axis=0) if image.valid.strides[0] else image.valid[0]
            self.seen &= self.stack.volume(np.asarray(valid, np.float32)) > 0

    def map(self, name: str) -> Map | None:
        """Return a map that came with the image, (slices, rows, columns)."""
        found = self._image.maps.get(name)
        return None if found is None else self.stack.volume(np.asarray(found, np.float32))

    def load_raw(self, first: int, last: int, *, volumes: slice) -> tuple[Slab, Mask]:
        """Return some volumes of slices first to last - 1 as they are, less the phase that turns, and where they were seen."""
        planes = [self._parts(self._plane(index, volumes)[0]) for index in range(first, last)]
        slab: Slab = np.stack(planes, axis=1)
        slab[:, ~self.seen[first:last]] = 0
        return slab, self.seen[first:last]

    def load(self, first: int, last: int) -> tuple[Slab, Mask]:
        """Return slices first to last - 1 over unit noise, and where they can be used; the phase is kept for `put`."""
        usable = self.seen[first:last] & (self.noise[first:last] > 0)
        planes = []
        for index in range(first, last):
            plane, phasors = self._plane(index, slice(None))
            if phasors is not None:
                # Not so to measure the noise: it leaves the imaginary part without a mean.
                still = lasting(np.asarray(plane, np.complex64))
                self._phasors[index] = phasors * still
                plane = plane * still.conj()
            values = self._parts(plane) / np.where(self.noise[index] > 0, self.noise[index], 1)[None, ..., None]
            planes.append(stabilizer().forward(values).astype(np.float32) if self._rician else values)
        slab: Slab = np.stack(planes, axis=1)
        slab[:, ~usable] = 0
        return slab, usable

    def put(self, index: int, cleaned: Slab, out: Voxels, phase: Voxels | None) -> None:
        """Write one cleaned slice (parts, rows, columns, volumes) to its place in magnitude and phase, where it could be used."""
        usable = self.seen[index] & (self.noise[index] > 0)
        noise = self.noise[index][..., None]
        if self._rician:
            values = np.moveaxis(noise * stabilizer().inverse(cleaned[0]), -1, 0)
        elif self.parts == 1:
            values = np.moveaxis(noise * cleaned[0], -1, 0)
        else:
            whole = np.moveaxis(noise * (cleaned[0] + 1j * cleaned[1]), -1, 0)
            phasors = self._phasors.pop(index, None)
            values = np.abs(whole)
            if phase is not None:
                turned = whole if phasors is None else whole * phasors
                self.stack.plane(phase, index)[:, usable] = np.angle(turned)[:, usable]
        self.stack.plane(out, index)[:, usable] = values[:, usable]

    def of_each_part(self, deviation: Map) -> Map:
        """Turn the deviation of magnitudes into that of each part of the complex signal, by their mean; others stay."""
        if not self._rician:
            return deviation
        total = np.zeros(self._image.shape[1:])
        for frame in self._image.voxels:
            total += frame
        mean = self.stack.volume((total / self.volumes).astype(np.float32))
        return deviation_at_mean(mean, deviation).astype(np.float32)

    def _plane(self, index: int, volumes: slice) -> tuple[NDArray[np.complexfloating | np.floating], Complex | None]:
        """One slice of some volumes, and the phasors that were taken off it."""
        magnitude = self.stack.plane(self._image.voxels[volumes], index)
        if self._image.phase is None:
            return magnitude, None
        angle = self.stack.plane(self._image.phase[volumes], index)
        whole = np.asarray(magnitude * (np.cos(angle) + 1j * np.sin(angle)), np.complex64)
        whole[:, ~self.seen[index]] = 0  # it may be NaN, which smoothing would spread
        if not self._demodulate:
            return whole, None
        phasors = turning(whole)
        return whole * phasors.conj(), phasors

    def _parts(self, plane: NDArray[np.complexfloating | np.floating]) -> Slab:
        """(volumes, rows, columns) as (parts, rows, columns, volumes)."""
        last = np.moveaxis(plane, 0, -1)
        if self.parts == 1:
            return np.array(last[None], np.float32)
        return np.stack([last.real, last.imag]).astype(np.float32)
