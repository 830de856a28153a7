"""What a filter over time does to things that move: lag after a step, and how wide a moving edge becomes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.noise.sequence.curve import NoiseCurve
from demottle.noise.sequence.lag import freed, lagged
from demottle.physics.fluoroscopy.acquisition import Exposure, acquire
from demottle.physics.fluoroscopy.edge import LEVELS, SETTLE, MovingEdge, appearing_patch, moving_edge

SPEEDS = (0.0, 2.0, 5.0, 10.0)
"""Pixels per frame."""
WIDENING_LIMIT = 1.5
"""How much wider an edge at the highest speed may be than at rest, and ..."""
LAG_LIMIT = 0.1
"""... how much of a step the first frame may miss, before it has to be said that what moves leaves a trail."""
_BIN = 0.25  # px
_SMOOTH = 5  # bins
Profile = NDArray[np.float64]


@dataclass(frozen=True)
class Response:
    """What a filter does to what moves, by experiment.

    Attributes:
        lag_first: part of a step that is missing in the first frame that shows it, 0 to 1, beyond what the noisy run misses.
        lag_tenth: the same in the tenth.
        widths: speed in pixels per frame, and 10-90 % width in pixels of an edge that moves so fast; infinite where the trail
            is longer than 64 pixels.
        widths_before: the same before the filter.
    """

    lag_first: float
    lag_tenth: float
    widths: tuple[tuple[float, float], ...]
    widths_before: tuple[tuple[float, float], ...]

    @property
    def widening(self) -> float:
        """Width at the highest speed over the width at rest, after the filter."""
        return self.widths[-1][1] / self.widths[0][1]

    @property
    def trails(self) -> bool:
        """True where what moves leaves a trail behind it, or comes late."""
        return self.lag_first > LAG_LIMIT or not self.widening <= WIDENING_LIMIT


def response_of(
    denoise: Callable[[Image], Image],
    exposure: Exposure | None = None,
    speeds: Sequence[float] = SPEEDS,
    seed: int = 0,
) -> Response:
    """Send the test scenes through a filter, as runs that the simulator takes.

    Args:
        denoise: from a noisy run to a clean one; a fitted `Denoiser` is one.
        exposure: exposure of the runs; the defaults of `Exposure` without it. Scatter is left out: it would widen every edge.
        speeds: speeds of the edge, from the lowest to the highest.
        seed: seed of the noise.
    """
    unscattered = replace(exposure or Exposure(), scatter=0.0)

    def take(scene: Image, number: int) -> tuple[Image, Image]:
        run = acquire(scene, unscattered, seed + number)
        return run.noisy, run.clean

    return _response(denoise, take, speeds)


def response_at(
    denoise: Callable[[Image], Image],
    like: Image,
    curve: NoiseCurve,
    speeds: Sequence[float] = SPEEDS,
    seed: int = 0,
    lag: float = 0.0,
) -> Response:
    """Send the test scenes through a filter with the numbers and the noise of a run that was measured.

    The scenes go from a quarter to three quarters of the signal that `curve` knows; noise is Gaussian, of its deviation, and
    white in space and time but for the lag.

    Args:
        denoise: as in `response_of`.
        like: modality, unit and spacing of the scenes.
        curve: noise against signal of that run.
        speeds, seed: as in `response_of`.
        lag: lag of that run. A filter that undoes it is faster than the run it is given: what it misses of
            a step is then below 0.
    """
    low, high = (float(curve.signal[0] + part * (curve.signal[-1] - curve.signal[0])) for part in (0.25, 0.75))
    high = max(high, low + 6 * curve.level)
    single = freed(curve, lag, held=lag)  # lag then makes the noise of the run again

    def take(scene: Image, number: int) -> tuple[Image, Image]:
        part = (scene.voxels - LEVELS[0]) / np.float32(LEVELS[1] - LEVELS[0])
        clean = np.asarray(low + part * (high - low), np.float32)
        noise = np.random.default_rng([seed, number]).standard_normal(clean.shape, np.float32) * single.sigma(clean)
        made = replace(like, voxels=clean, valid=None, source=None, history=(), sequence=True)
        return made.with_voxels(lagged(clean + noise, lag)), made

    return _response(denoise, take, speeds)


def _response(
    denoise: Callable[[Image], Image],
    take: Callable[[Image, int], tuple[Image, Image]],
    speeds: Sequence[float],
) -> Response:
    step = appearing_patch()
    noisy, clean = take(step.image, 0)
    missing = [
        missing_after_step(image.voxels, clean.voxels, step.patch, step.start) for image in (denoise(noisy), noisy)
    ]
    lag = missing[0] - missing[1]
    after: list[tuple[float, float]] = []
    before: list[tuple[float, float]] = []
    for number, speed in enumerate(speeds, start=1):
        scene = moving_edge(speed)
        noisy, clean = take(scene.image, number)
        for image, found in ((denoise(noisy), after), (noisy, before)):
            found.append((speed, edge_width(image.voxels, clean.voxels, scene)))
    return Response(float(lag[0]), float(lag[9]), tuple(after), tuple(before))


def missing_after_step(out: Voxels, clean: Voxels, patch: tuple[slice, slice], start: int) -> Profile:
    """Part of a step that frames `start`, `start + 1`, ... miss: 1 - (mean now - mean before) / (the same in `clean`)."""
    means, truth = (frames[:, patch[0], patch[1]].mean(axis=(1, 2), dtype=np.float64) for frames in (out, clean))
    before = slice(max(0, start - 4), start)
    step = truth[start:].mean() - truth[before].mean()
    return np.asarray(1 - (means[start:] - means[before].mean()) / step)


def edge_width(frames: Voxels, clean: Voxels, scene: MovingEdge, reach: float = 60.0) -> float:
    """10-90 % width in pixels of a moving edge, averaged over rows and over all frames after the first `SETTLE`.

    Every pixel's distance from where the edge is gives the edge's profile in bins of 0.25 px; 0 and 100 % are what `clean` has
    far from the edge. Infinite where the profile does not come from 10 to 90 % within `reach` pixels.
    """
    where, profile = _profile(frames, scene, reach)
    _, truth = _profile(clean, scene, reach)
    count = int(10 / _BIN)
    behind, ahead = np.nanmean(truth[:count]), np.nanmean(truth[-count:])
    part = (profile - ahead) / (behind - ahead)  # 1 behind, 0 ahead
    width = _crossing(where, part, 0.1) - _crossing(where, part, 0.9)
    return width if np.isfinite(width) else float("inf")


def _profile(frames: Voxels, scene: MovingEdge, reach: float) -> tuple[Profile, Profile]:
    bins = np.arange(-reach, reach + _BIN / 2, _BIN)
    total, count = np.zeros(bins.size - 1), np.zeros(bins.size - 1)
    columns = np.arange(frames.shape[2])
    for index in range(SETTLE, len(frames)):
        line = frames[index, 8:-8].mean(axis=0, dtype=np.float64)
        away = columns - scene.position[index]
        total += np.histogram(away, bins, weights=line)[0]
        count += np.histogram(away, bins)[0]
    where = (bins[1:] + bins[:-1]) / 2
    known = count > 0  # where the edge moves by whole pixels only every fourth bin is hit
    mean = np.interp(where, where[known], total[known] / count[known])
    kernel = np.ones(_SMOOTH) / _SMOOTH
    return where, np.convolve(np.pad(mean, _SMOOTH // 2, mode="edge"), kernel, mode="valid")


def _crossing(where: Profile, part: Profile, level: float) -> float:
    """Where a falling profile crosses a level; with noise left it may do so more than once, and the middle one counts."""
    above = part > level
    wrong = np.concatenate([[0], np.cumsum(~above)]) + np.concatenate([np.cumsum(above[::-1])[::-1], [0]])
    at = int(np.argmin(wrong))
    if at in (0, part.size):
        return float("nan")
    first, second = part[at - 1], part[at]
    share = 0.5 if first == second else float(np.clip((first - level) / (first - second), 0, 1))
    return float(where[at - 1] + share * (where[at] - where[at - 1]))
