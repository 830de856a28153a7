"""What the scan's own noise tells of the scanner: bow-tie, electronic noise, current modulation and hardening of the beam.

These decide where in a slice the noise is strong. They are fitted, all slices together, to the measured map of the local level:
least squares of the logarithm of measured over expected variance, each value held to its usual one as firmly as scanners differ.
So a scan that tells little keeps the usual values. What is asked for by the user is not fitted. A last value, `rim`, stands for
what the geometry adds away from the axis: a fan that is reconstructed as one weighs its rays unevenly there, one that was sorted
into parallel rays does not. It multiplies the variance by `exp(rim (r / 250 mm)^2)`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from demottle.image import Voxels
from demottle.physics.ct.projection import FloatArray, KernelLike, backproject
from demottle.physics.low_dose.beam import ParallelBeam
from demottle.physics.low_dose.tube import Tube, rays_per_photon

ELECTRONIC, BOW_TIE, MODULATION, HARDENING = 8.0, 0.5, 0.5, 1.0
"""Usual values, as in `Tube`."""
_ACROSS = 80  # pixels of a slice as it is fitted
_VIEWS = 90
_SPREAD = 0.2  # of the logarithm of a variance that was measured around one place, anatomy and all
_INDEPENDENT = 50.0  # places of the measured map that know of each other
# How far scanners differ from the usual value, and how far a value may be moved
_SPREADS = {"bow_tie": 0.25, "electronic": 0.4, "modulation": 0.25, "hardening": 0.06, "lag": 12.0, "rim": 0.4}
_LIMITS = {
    "bow_tie": (0.0, 2.0),
    "electronic": (-2.0, 1.5),
    "modulation": (0.0, 1.0),
    "hardening": (0.8, 1.2),
    "lag": (-40.0, 40.0),
    "rim": (-1.0, 2.0),
}
_FIELD_MM = 250.0


@dataclass(frozen=True, eq=False)
class Seen:
    """A slice that is fitted.

    Attributes:
        plane: in HU, as rays see it.
        variance, weight: measured local variance in HU^2 and how well it is known, on a grid of every few rows and columns.
    """

    plane: Voxels
    variance: FloatArray
    weight: FloatArray


@dataclass(frozen=True)
class Fitted:
    """The tube as fitted, what is added away from the axis, and which values were fitted."""

    tube: Tube
    values: tuple[str, ...]
    rim: float = 0.0

    def outward(self, shape: tuple[int, int], pixel: float) -> FloatArray:
        """Logarithm of what the variance is multiplied by, on a grid about the axis with pixels of `pixel` mm."""
        return np.float32(self.rim) * _square_distance(shape, pixel)


def _square_distance(shape: tuple[int, int], pixel: float) -> FloatArray:
    rows, columns = ((np.arange(size) - (size - 1) / 2) * pixel / _FIELD_MM for size in shape)
    return np.asarray(rows[:, None] ** 2 + columns[None] ** 2, np.float32)


def fit_tube(seen: Sequence[Seen], tube: Tube, pixel: float, kernel: KernelLike, free: Sequence[str]) -> Fitted:
    """Fit the values of a tube that are named in `free`; `tube` holds the usual ones."""
    slices = [_Coarse(one, pixel, kernel, tube.water) for one in seen if one.weight.max() > 0]
    if not slices:
        return Fitted(tube, ())
    names = (*free, "rim")
    low, high = (np.array([_moved(tube, name, _LIMITS[name][end]) for name in names]) for end in (0, 1))

    def apart(steps: NDArray[np.float64]) -> NDArray[np.float64]:
        now = _tube_of(tube, free, steps)
        return np.concatenate([*(one.apart(now, float(steps[-1]) * _SPREADS["rim"]) for one in slices), steps])

    start = np.clip(np.zeros(len(names)), low, high)
    bounds = (low - 1e-6, high + 1e-6)
    found = least_squares(apart, start, bounds=bounds, loss="soft_l1", diff_step=0.02, ftol=3e-3, xtol=1e-2, max_nfev=8)
    return Fitted(_tube_of(tube, free, found.x), names, float(found.x[-1]) * _SPREADS["rim"])


def _moved(tube: Tube, name: str, limit: float) -> float:
    """A limit in steps of the usual spread; of electronic noise it is that of the logarithm's change."""
    usual = 0.0 if name in ("electronic", "rim") else float(getattr(tube, name))
    return (limit - usual) / _SPREADS[name]


def _tube_of(tube: Tube, free: Sequence[str], steps: NDArray[np.float64]) -> Tube:
    changed = {}
    for name, step in zip(free, steps[: len(free)], strict=True):
        usual, moved = float(getattr(tube, name)), float(step) * _SPREADS[name]
        changed[name] = usual * float(np.exp(moved)) if name == "electronic" else usual + moved
    return replace(tube, **changed)


class _Coarse:
    """A slice with few pixels and views, in which a map of the variance takes milliseconds."""

    def __init__(self, seen: Seen, pixel: float, kernel: KernelLike, water: float) -> None:
        rows, columns = seen.plane.shape
        factor = max(1, round(max(rows, columns) / _ACROSS))
        padded = np.pad(seen.plane, ((0, -rows % factor), (0, -columns % factor)), constant_values=-1000)
        shape = padded.shape[0] // factor, padded.shape[1] // factor
        plane = cv2.resize(padded, shape[::-1], interpolation=cv2.INTER_AREA)
        self._beam = ParallelBeam(shape, pixel * factor, _VIEWS, kernel)
        self._integrals = self._beam.integrals(np.asarray(plane, np.float32), water)
        self._shape = shape
        # As many photons per ray as the whole simulation counts, which has another number of views and wider rays.
        fine = ParallelBeam((rows, columns), pixel, max(180, round(1.5 * max(rows, columns))), kernel)
        self._per_view = fine.gain * fine.views / _VIEWS
        self._to_hu = (1000 / water) ** 2
        total, share = (_onto(part, shape) for part in (seen.variance * seen.weight, seen.weight))
        self._known = share > 0.05 * share.max()
        self._outward = _square_distance(shape, pixel * factor)[self._known].astype(np.float64)
        self._measured = (total[self._known] / share[self._known]).astype(np.float64)
        scale = seen.weight.size / share.size  # a place here stands for so many of the map's
        weight = share[self._known] / share.max()
        self._weight = np.sqrt(weight * scale / _INDEPENDENT) / _SPREAD

    def apart(self, tube: Tube, rim: float) -> NDArray[np.float64]:
        """Weighted logarithms of measured over expected variance, with as many photons as fit best."""
        rays = rays_per_photon(self._integrals, self._beam, tube)
        outward = np.exp(rim * self._outward)
        quantum, square = (self._variance(each) * outward for each in (rays, rays**2))
        weight = self._weight**2
        level, linear, bent = (float(weight @ each) for each in (self._measured, quantum, tube.electronic**2 * square))
        per_photon = 2 * level / (linear + np.sqrt(linear**2 + 4 * bent * level))
        expected = quantum * per_photon + tube.electronic**2 * square * per_photon**2
        logarithm = np.log(self._measured / expected)
        return np.asarray(self._weight * (logarithm - float(weight @ logarithm / weight.sum())), np.float64)

    def _variance(self, rays: FloatArray) -> NDArray[np.float64]:
        centre = (rays.shape[1] - 1) / 2
        total = backproject(rays, self._shape, 1, centre)[self._known]
        return np.asarray(total.astype(np.float64) * self._per_view * self._to_hu)


def _onto(part: FloatArray, shape: tuple[int, int]) -> FloatArray:
    return np.asarray(cv2.resize(part, shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
