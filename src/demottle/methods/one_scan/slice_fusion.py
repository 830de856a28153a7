"""Let neighboring slices speak where they agree: a weighted mean of denoised slices, with weights that the scan decides.

What a denoiser leaves of the noise differs from slice to slice; tissue hardly does where slices are thin. With `f_z` the
denoised slices and `d = |G f_k - G f_z| / sigma` how far a neighbor k differs (smoothed, in units of the local noise level),

    out_z = f_z + sum over k of w(lag) exp(-d / 0.6) (f_k - f_z).

The weights w are those with the smallest mean squared error against the unknown clean scan s. That needs `E[P (s - f)]` for
the features `P = exp(-d / 0.6) (f_k - f_z)`. Since the slice is `x = s + n`,

    E[P (s - f)] = E[P (x - f)] - E[P n],    E[P n] ~ E[(P(x + e n') - P(x)) n'] / e,

with n' drawn with the spectrum, level and slice-to-slice correlation measured on the scan (Stein's identity, by Monte Carlo
as in Ramani et al. 2008). So no clean image is needed, and a scan whose slices differ, or share their noise, gets small
weights: then nothing is fused.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Mask, Voxels
from demottle.noise import guide
from demottle.noise.correlation import Correlation
from demottle.noise.synthesis import NoiseSource, mixing_matrix

Array = NDArray[np.float64]

LAGS = 2
REACH = 0.6
"""Difference, in noise levels, at which a neighbor counts a third of one that agrees: the shape found best with a known truth."""
LEAST_GAIN = 0.06
"""Fusing has to lower the mean squared error by this share (a quarter of a decibel), or slices are left to themselves."""
CAUTION = 0.5
"""Share of the best weights that is used: it brings three quarters of the gain and far less noise that slices share. No
neighbor counts more than in a plain mean before that, so at least 0.6 of every slice stays its own."""
_GUIDE_SIGMA = 1.0
_STEP = 0.2  # e: small enough for a derivative, large enough for half precision
_STREAM = 0xF05E  # numbered apart: noise that a test or a user drew from the same seed is never drawn again here
_RUN = 10  # neighboring slices looked at together
_RUNS = 2


@dataclass(frozen=True, eq=False)
class Fusion:
    """How much neighbors count that agree: `weights[lag - 1]`, and the share of the squared error that it saves."""

    weights: tuple[float, ...]
    gain: float

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Fusion":
        """Rebuild from plain values."""
        return cls(tuple(float(w) for w in values["weights"]), float(values["gain"]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a model file."""
        return {"weights": list(self.weights), "gain": self.gain}


def learn_fusion(
    denoised: Callable[[int, Voxels | None], Voxels],
    noisy: Callable[[int], Voxels],
    deviation: Callable[[int], Voxels],
    usable: Callable[[int, Voxels], Mask],
    slices: int,
    correlation: Correlation,
    spectrum: NDArray[np.floating],
    seed: int,
    listener: Listener = silent,
) -> Fusion | None:
    """Find the weights on a few runs of slices.

    Args:
        denoised: for a slice's index and an addition to it (or None), its denoised form.
        noisy, deviation: for an index, the slice and its local noise level.
        usable: for an index and the denoised slice, where it may count.
        slices: their number.
        correlation, spectrum: correlation and spectrum of the scan's noise, between slices and within (n, n) in FFT order.
        seed: seed of the noise drawn.
        listener: told of the stage "weigh".

    Returns:
        None where there are too few slices or fusing would not pay.
    """
    starts = _starts(slices)
    size = LAGS
    products, target, error = np.zeros((size, size)), np.zeros(size), 0.0
    done, all_of_them = 0, 2 * sum(stop - start for start, stop in starts)
    for number, (start, stop) in enumerate(starts):
        planes = [deviation(index) for index in range(start, stop)]
        extra = _noise(planes, correlation, spectrum, np.random.default_rng([_STREAM, seed, number]))
        plain, moved = [], []
        for offset, index in enumerate(range(start, stop)):
            plain.append(denoised(index, None))
            moved.append(denoised(index, _STEP * extra[offset]))
            done += 2
            listener(Progress(Stage.WEIGH, done, all_of_them))
        for offset in range(LAGS, stop - start - LAGS):
            where = usable(start + offset, plain[offset])
            sigma = planes[offset]
            features = _features(plain, offset, sigma)[:, where].astype(np.float64)
            shifted = _features(moved, offset, sigma)[:, where].astype(np.float64)
            left = (noisy(start + offset) - plain[offset])[where].astype(np.float64)
            drawn = extra[offset][where].astype(np.float64)
            inverse = 1 / sigma[where].astype(np.float64) ** 2  # in units of the noise: no region outvotes the others
            products += (features * inverse) @ features.T
            target += features @ (inverse * left) - (shifted - features) @ (inverse * drawn) / _STEP
            bent = (moved[offset] - plain[offset])[where] / _STEP
            # Stein again, for the error that is there: E(f - s)^2 = E(x - f)^2 + 2 E(f n) - E n^2
            error += float((inverse * (left**2 + 2 * bent * drawn)).sum() - where.sum())
    return _solve(products, target, error)


def fuse(
    clean: Voxels,
    deviation: Callable[[int], Voxels],
    usable: Callable[[int], Mask],
    fusion: Fusion,
    listener: Listener = silent,
) -> None:
    """Replace denoised slices (slices, rows, columns), in place, by their weighted means with their neighbors."""
    weights = np.asarray(fusion.weights)
    count = len(clean)
    before: dict[int, Voxels] = {}  # slices as they were, for those still to come
    for index in range(count):
        listener(Progress(Stage.FUSE, index, count))
        before[index] = clean[index].copy()
        before.pop(index - LAGS - 1, None)
        own, sigma = before[index], deviation(index)
        blurred, total = guide.smooth(own, _GUIDE_SIGMA), np.zeros_like(own)
        for lag in range(1, LAGS + 1):
            for other in (index - lag, index + lag):
                if 0 <= other < count:
                    there = before[other] if other in before else clean[other]
                    total += np.float32(weights[lag - 1]) * _say(own, blurred, there, sigma)
        clean[index] += np.where(usable(index), total, 0)
    listener(Progress(Stage.FUSE, count, count))


def _starts(slices: int) -> list[tuple[int, int]]:
    """Runs of slices, the middle third and so on, none overlapping."""
    if slices < 2 * LAGS + 3:
        return []
    if slices < _RUN * _RUNS:
        return [(0, min(slices, _RUN))]
    step = slices / _RUNS
    firsts = [int(step * (n + 0.5) - _RUN / 2) for n in range(_RUNS)]
    return [(first, first + _RUN) for first in firsts]


def _noise(
    deviation: Sequence[Voxels], correlation: Correlation, spectrum: NDArray[np.floating], random: np.random.Generator
) -> list[Voxels]:
    """Draw noise like the scan's for neighboring slices."""
    count, (rows, columns) = len(deviation), deviation[0].shape
    rho = [1.0, *(float(np.clip(np.nan_to_num(correlation.at(lag)), 0, 0.99)) for lag in range(1, LAGS + 1))]
    while len(rho) < count:  # goes on falling as it fell: a jump to 0 is not a correlation any noise can have
        rho.append(rho[-1] * rho[LAGS] / max(rho[LAGS - 1], 1e-6) if rho[LAGS] < rho[LAGS - 1] else rho[-1])
    mixing = mixing_matrix(rho)
    side = -(-max(rows, columns) // 8) * 8
    source = NoiseSource(spectrum, side)
    drawn = np.stack([source.draw(1, random)[0, :rows, :columns] for _ in range(count)])
    return [np.tensordot(row, drawn, 1) * sigma for row, sigma in zip(mixing, deviation, strict=True)]


def _features(planes: Sequence[Voxels], index: int, sigma: Voxels) -> Voxels:
    """Return one plane for every lag: the sum over both neighbors of exp(-d / REACH) (f_k - f_z)."""
    own = planes[index]
    blurred = guide.smooth(own, _GUIDE_SIGMA)
    pairs = ((planes[index - lag], planes[index + lag]) for lag in range(1, LAGS + 1))
    return np.stack([_say(own, blurred, one, sigma) + _say(own, blurred, two, sigma) for one, two in pairs])


def _say(own: Voxels, blurred: Voxels, there: Voxels, sigma: Voxels) -> Voxels:
    apart = np.abs(guide.smooth(there, _GUIDE_SIGMA) - blurred) / sigma
    return np.asarray(np.exp(-apart / np.float32(REACH)) * (there - own), np.float32)


def _solve(products: Array, target: Array, error: float) -> Fusion | None:
    """Weights of at least 0 with the least squared error, and then cautiously less than those."""
    size = len(target)
    if not np.trace(products) > 0 or not error > 0:
        return None
    ridge = products + 1e-3 * np.diag(np.diag(products)) + 1e-9 * np.trace(products) * np.eye(size)
    factor = np.linalg.cholesky(ridge).T
    weights = CAUTION * lsq_linear(factor, np.linalg.solve(factor.T, target), bounds=(0, 1 / (2 * LAGS + 1))).x
    gain = float(2 * weights @ target - weights @ products @ weights) / error
    if not gain >= LEAST_GAIN:
        return None
    return Fusion(tuple(float(w) for w in np.round(weights, 4)), round(gain, 4))
