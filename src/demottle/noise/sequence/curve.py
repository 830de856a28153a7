"""How strong the noise of a sequence is at each signal: a curve, and what Poisson and Gaussian noise would make of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.image import Voxels

Knots = NDArray[np.float64]
_FINE = 512  # points of the tables that stabilization looks up


@dataclass(frozen=True, eq=False)
class NoiseCurve:
    """Noise against signal: linear between knots, constant beyond them.

    The curve holds for any display (linear, logarithmic, gamma). Where the file's numbers are proportional to quanta the
    noise follows `variance = gain * signal + offset` (Poisson and Gaussian; `offset` also holds the black level, so it may be
    negative); elsewhere `gain` means nothing, and `misfit` is large.

    Attributes:
        signal: knots, ascending, in the image's unit.
        deviation: standard deviation of the noise of a frame at each knot, same unit.
        gain: variance per signal, of the fitted line.
        offset: variance at signal 0, of the fitted line.
        misfit: root mean square of (measured - fitted) / measured variance over the knots.
    """

    signal: Knots
    deviation: Knots
    gain: float
    offset: float
    misfit: float = 0.0

    @property
    def level(self) -> float:
        """Standard deviation at the middle knot: one figure for the image."""
        return float(np.median(self.deviation))

    def sigma(self, signal: Voxels) -> Voxels:
        """Standard deviation of the noise (float32, any shape) where the signal without noise is `signal`."""
        return np.asarray(np.interp(signal, self.signal, self.deviation), np.float32)

    def stabilize(self, values: Voxels) -> Voxels:
        """Return values whose noise has standard deviation 1 everywhere: f(x) = integral of dx / sigma(x), float32.

        The generalized Anscombe transform is this for Poisson and Gaussian noise, up to a constant (Anscombe 1948; Foi et
        al. 2008). Monotonic; `restore` is its inverse.
        """
        at, table = self._table()
        low, high = self.deviation[0], self.deviation[-1]
        values = np.asarray(values, np.float32)
        inside = np.interp(values, at, table)
        outside = np.minimum(values - at[0], 0) / low + np.maximum(values - at[-1], 0) / high
        return np.asarray(inside + outside, np.float32)

    def restore(self, stabilized: Voxels) -> Voxels:
        """Undo `stabilize`: the algebraic inverse, float32."""
        at, table = self._table()
        inside = np.interp(stabilized, table, at)
        below = np.minimum(stabilized - table[0], 0) * self.deviation[0]
        above = np.maximum(stabilized - table[-1], 0) * self.deviation[-1]
        return np.asarray(inside + below + above, np.float32)

    def _table(self) -> tuple[Knots, Knots]:
        if self.signal[-1] <= self.signal[0]:
            return self.signal[:1], np.zeros(1)
        at = np.linspace(self.signal[0], self.signal[-1], _FINE)
        slope = 1 / np.interp(at, self.signal, self.deviation)
        steps = (slope[1:] + slope[:-1]) / 2 * np.diff(at)
        return at, np.concatenate([[0.0], np.cumsum(steps)])


def curve_of(signal: Knots, variance: Knots, knots: int = 12) -> NoiseCurve | None:
    """Make the curve of many small regions, each with its mean signal and its noise variance.

    Regions are sorted by signal and put together in up to `knots` groups of at least 16, whose median variance counts; the
    line is fitted to the groups with weights 1 / variance^2, because a variance is as uncertain as it is large.

    Returns:
        None where there are no regions with noise.
    """
    noisy = variance > 0
    signal, variance = signal[noisy], variance[noisy]
    if signal.size == 0:
        return None
    order = np.argsort(signal, kind="stable")
    groups = np.array_split(order, int(np.clip(signal.size // 16, 1, knots)))
    at = np.array([np.median(signal[group]) for group in groups])
    level = np.array([np.median(variance[group]) for group in groups])
    at, first = np.unique(at.astype(np.float32).astype(np.float64), return_index=True)  # as a model file will hold them
    level = level[first]
    deviation = np.sqrt(level).astype(np.float32).astype(np.float64)
    if at.size == 1:
        return NoiseCurve(at, deviation, 0.0, float(level[0]))
    gain, offset = np.polyfit(at, level, 1, w=1 / level)
    misfit = float(np.sqrt(np.mean(((gain * at + offset) / level - 1) ** 2)))
    return NoiseCurve(at, deviation, float(gain), float(offset), misfit)


def noise_facts(curve: NoiseCurve) -> dict[str, float]:
    """What a model file says of the noise it was made for, beside the curve itself."""
    return {"noise_level": curve.level, "gain": curve.gain, "offset": curve.offset, "misfit": curve.misfit}


def curve_tensors(curve: NoiseCurve) -> dict[str, NDArray[np.float32]]:
    """The knots as a model file keeps them."""
    return {"signal": curve.signal.astype(np.float32), "deviation": curve.deviation.astype(np.float32)}


def curve_from(facts: Mapping[str, Any], tensors: Mapping[str, NDArray[np.float32]]) -> NoiseCurve:
    """The curve from what `noise_facts` and `curve_tensors` made of it."""
    signal, deviation = (np.asarray(tensors[name], np.float64) for name in ("signal", "deviation"))
    return NoiseCurve(signal, deviation, float(facts["gain"]), float(facts["offset"]), float(facts["misfit"]))
