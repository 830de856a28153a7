"""Random smooth fields in space, and the winding sheets where they are zero: folds of a brain, slow changes of a signal."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.physics.phantoms.shapes import Box, Distance

Array = NDArray[np.float32]


class Waves:
    """A sum of plane waves of random direction and phase: a random field of zero mean and unit variance."""

    def __init__(self, rng: np.random.Generator, shortest: float, longest: float, number: int = 24) -> None:
        """Draw the waves; `shortest` and `longest` wavelength in mm, evenly spread."""
        direction = rng.normal(size=(number, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        length = rng.uniform(shortest, longest, number)
        self._wave = 2 * np.pi * direction / length[:, None]  # (number, 3) per mm, along z, y, x
        self._phase = rng.uniform(0, 2 * np.pi, number)
        self._size = np.sqrt(2 / number)

    def at(self, z: float, y: Distance, x: Distance) -> Array:
        """Return the field at height z, for y of shape (rows, 1) and x of shape (1, columns)."""
        here, along = self._sides(z, y, x)
        return np.asarray(self._size * (np.sin(here) @ np.cos(along) + np.cos(here) @ np.sin(along)), np.float32)

    def slope(self, z: float, y: Distance, x: Distance) -> Array:
        """Return the length of the field's gradient, per mm, at the same places."""
        here, along = self._sides(z, y, x)
        total = np.zeros((y.size, x.size))
        for axis in range(3):
            weight = self._wave[:, axis]
            total += ((np.cos(here) * weight) @ np.cos(along) - (np.sin(here) * weight) @ np.sin(along)) ** 2
        return np.asarray(self._size * np.sqrt(total), np.float32)

    def _sides(self, z: float, y: Distance, x: Distance) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What of each wave's argument comes from z and y, (rows, number), and from x, (number, columns)."""
        here = y.reshape(-1, 1) * self._wave[:, 1] + z * self._wave[:, 0] + self._phase
        return here, self._wave[:, 2:] * x.reshape(1, -1)


@dataclass(frozen=True)
class Sheet:
    """Everything within `half` mm of where a field is zero: thin winding sheets. Distances are right to first order."""

    field: Waves
    half: float

    def box(self) -> Box:
        """See `Solid`."""
        return (-np.inf, -np.inf, -np.inf), (np.inf, np.inf, np.inf)

    def distance(self, z: float, y: Distance, x: Distance) -> Distance:
        """See `Solid`."""
        value, slope = self.field.at(z, y, x), self.field.slope(z, y, x)
        return np.asarray(np.abs(value) / np.maximum(slope, 1e-6) - self.half, dtype=np.float32)
