"""How far each filter would be from the truth on this very run, measured without the truth: Stein's unbiased risk estimate.

For a run y = m + n with noise of covariance C, and a filter f,

    E |f(y) - m|^2  =  E |f(y) - y|^2  -  tr C  +  2 E b.(f(y + e b) - f(y)) / e,      b ~ N(0, C), e small

(Stein, Annals of Statistics 1981; the last term by experiment: Ramani, Blu and Unser, IEEE TIP 2008, with b of the noise's own
covariance in place of white). What follows too slowly, smears or eats detail differs from y by more than noise; what leaves
noise in follows b. No rule about motion is needed, but the noise has to be known: `noise.sequence` measures it.

All is measured on frames whose lag is undone, because that is the scene a filter is to show, and on parts of the run: some tiles
of up to 24 frames.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import DemottleError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.methods.registry import method
from demottle.noise.sequence.blocks import frames_to_look_at
from demottle.noise.sequence.curve import NoiseCurve
from demottle.noise.sequence.fingerprint import SequenceFingerprint
from demottle.noise.sequence.lag import MOST_HELD, freed, lag_to_undo, lagged, unlagged
from demottle.pipeline.plan import Plan
from demottle.pipeline.plan_sequence import (
    CANDIDATES,
    DEFAULT_SEQUENCE,
    Candidate,
    Risk,
    is_short,
    make_sequence_plan,
    obstacle_to_learning,
)
from demottle.pipeline.sequence_wire import Probe, wires_seen
from demottle.pipeline.settings import make_settings

_TILE, _FRAMES = 160, 24
_SLOW, _FEW = "mp-pca", 40  # and the frames up to which it is tried: its time grows with the cube of their number
_SEEN = 0.9  # of the detectability that wires have with the filter that shows them best
_PROBED, _PROBED_FRAMES = 128, 12
_STEP = 0.1  # e above: small against what filters compare with (0.25 reads nvca 4 to 7 % high), large against rounding


def plan_run(
    image: Image,
    fingerprint: SequenceFingerprint,
    method_asked: str | None = None,
    settings: Mapping[str, Any] | None = None,
    *,
    live: bool = False,
    listener: Listener = silent,
) -> Plan:
    """Choose a method as `make_sequence_plan` does, with the filters tried on the run where one of them will be chosen."""
    risks: tuple[Risk, ...] = ()
    if method_asked is None and image.modality != "MR" and image.shape[0] > 1:
        obstacle = obstacle_to_learning(fingerprint)
        if obstacle or is_short(fingerprint):
            wanted = [one for one in CANDIDATES if not (obstacle and one.method == DEFAULT_SEQUENCE)]
            risks = measure_risks(image, fingerprint, wanted, live=live, listener=listener)
    return make_sequence_plan(fingerprint, method_asked, settings, risks, known_of(image))


def known_of(image: Image) -> frozenset[str]:
    """What is known of a series beside its magnitudes: "phase", "noise", "gfactor"."""
    return frozenset((*image.maps, *(["phase"] if image.phase is not None else [])))


def measure_risks(
    image: Image,
    fingerprint: SequenceFingerprint,
    candidates: Sequence[Candidate] = CANDIDATES,
    *,
    live: bool = False,
    learned: tuple[Candidate, Callable[[Image], Image]] | None = None,
    seed: int = 0,
    listener: Listener = silent,
) -> tuple[Risk, ...]:
    """Measure filters on a run; those that may be chosen first, the smallest error first. Empty where nothing can be measured.

    Args:
        image: the run.
        fingerprint: what was measured on it.
        candidates: the filters.
        live: leave out those that wait for frames to come.
        learned: what learning from the run has made, to be measured with them.
        seed: seed of the noise that is added.
        listener: told of the stage "compare".
    """
    wanted = [one for one in candidates if (one.live or not live) and (one.method != _SLOW or image.shape[0] <= _FEW)]
    if fingerprint.owner == "image" and fingerprint.held > MOST_HELD:  # what moves along cannot be averaged over time
        wanted = [one for one in wanted if one.within_frames]
    found = [] if learned is None else [learned]
    for number, candidate in enumerate(wanted):
        listener(Progress(Stage.COMPARE, number, len(wanted)))
        chosen, module = make_settings(candidate.method, candidate.settings), method(candidate.method).load()
        try:
            begin = getattr(module, "untaught", module.fit)  # of what learns, as it is before: no time for more
            fitted = begin(image, chosen, fingerprint)
        except DemottleError:  # not for this run
            continue
        if fitted is not None:
            found.append((candidate, fitted))
    errors = risks_of(image, fingerprint, [fitted for _, fitted in found], seed)
    listener(Progress(Stage.COMPARE, len(wanted), len(wanted)))
    if not errors:
        return ()
    *each, untouched = errors
    lost = wires_lost(image, fingerprint, found, seed)
    risks = (
        Risk(candidate, error, untouched, loses) for (candidate, _), error, loses in zip(found, each, lost, strict=True)
    )
    return tuple(sorted(risks, key=lambda risk: (bool(risk.loses), risk.error)))


def wires_lost(
    image: Image,
    fingerprint: SequenceFingerprint,
    found: Sequence[tuple[Candidate, Callable[[Image], Image]]],
    seed: int = 0,
) -> list[str]:
    """Say of each filter in a sentence that thin moving wires are harder to see in what it makes; empty where they are not."""
    if not found:
        return []
    seen = wires_seen([one for _, one in found], probe_of(image, fingerprint, seed))
    best = max(range(len(seen)), key=lambda index: seen[index].detectability)
    limit, rival = _SEEN * seen[best].detectability, found[best][0].name
    return [
        ""
        if each.detectability >= limit
        else f"{candidate.name} is not used, however near: thin moving wires drawn into this run, so "
        f"faint that one can just see them, stand out by {each.detectability:.1f} standard deviations of what is left around "
        f"them ({100 * each.contrast:.0f} % of their contrast), with {rival} by {seen[best].detectability:.1f}."
        for (candidate, _), each in zip(found, seen, strict=True)
    ]


def probe_of(image: Image, fingerprint: SequenceFingerprint, seed: int = 0) -> Probe:
    """Return the middle of a run, ready for wires to be drawn into: up to 12 frames of 128 x 128 pixels."""
    time, rows, columns = probed(image)
    part = _cut(image, (time, rows, columns))
    lag = lag_to_undo(fingerprint)
    free = _without_lag(part.voxels, lag)
    curve = freed(fingerprint.curve, lag, fingerprint.held)
    shape = _shape_of(fingerprint.spatial_correlation, free.shape[1:])
    noise = _noise_like(free, curve, shape, fingerprint, lag, np.random.default_rng([seed, 41]))
    return Probe(part, free, curve.sigma(_smoothed(free)), noise, lag)


def probed(image: Image) -> tuple[slice, slice, slice]:
    """Which frames, rows and columns of a run wires are drawn into."""
    time = _tiles(image)[0][0]
    rows, columns = (
        slice(max(0, (side - _PROBED) // 2), max(0, (side - _PROBED) // 2) + _PROBED) for side in image.shape[1:]
    )
    return slice(time.start, min(time.stop, time.start + _PROBED_FRAMES)), rows, columns


def risks_of(
    image: Image, fingerprint: SequenceFingerprint, filters: Sequence[Callable[[Image], Image]], seed: int = 0
) -> list[float]:
    """Return the estimated error of fitted filters, in the image's unit, and last that of the run as it is; empty: unknown."""
    if image.shape[0] < 2 or not fingerprint.noise_level > 0:
        return []
    lag = lag_to_undo(fingerprint)
    curve = freed(fingerprint.curve, lag, fingerprint.held)
    total, count = np.zeros(len(filters) + 1), 0
    for number, tile in enumerate(_tiles(image)):
        part = _cut(image, tile)
        free = _without_lag(part.voxels, lag)
        shape = _shape_of(fingerprint.spatial_correlation, free.shape[1:])
        noise = _noise_like(free, curve, shape, fingerprint, lag, np.random.default_rng([seed, number]))
        valid = np.ones(free.shape, np.bool_) if part.valid is None else part.valid
        valid = valid & (part.voxels < image.voxels.max()) if fingerprint.saturated else valid
        square = float(np.sum(curve.sigma(_smoothed(free))[valid].astype(np.float64) ** 2))
        for index, one in enumerate((*filters, _left)):
            total[index] += _risk(one, part, free, noise, valid, lag) - square
        count += int(valid.sum())
    return [] if not count else [float(np.sqrt(max(value, 0.0) / count)) for value in total]


def _risk(
    one: Callable[[Image], Image], part: Image, free: Voxels, noise: Voxels, valid: NDArray[np.bool_], lag: float
) -> float:
    """Sum of squares left, and of what follows the noise twice."""

    def shown(frames: Voxels) -> Voxels:
        return one(part.with_voxels(lagged(frames, lag))).voxels

    plain = shown(free)
    follows = (shown(free + np.float32(_STEP) * noise) - plain) / np.float32(_STEP)
    left = (plain - free).astype(np.float64)
    return float(np.sum(left[valid] ** 2) + 2 * np.sum((noise * follows)[valid], dtype=np.float64))


def _left(image: Image) -> Image:
    return image


def _tiles(image: Image) -> list[tuple[slice, slice, slice]]:
    """Up to four tiles of some frames, spread over the picture; the whole of a small one."""
    frames = frames_to_look_at(image)
    start = frames.start + max(0, (len(frames) - _FRAMES) // 2)
    time = slice(start, min(frames.stop, start + _FRAMES))
    sides = []
    for side in image.shape[1:]:
        if side <= 1.5 * _TILE:
            sides.append([slice(0, side)])
        else:
            middle = [round(side * at - _TILE / 2) for at in (0.3, 0.7)]
            sides.append([slice(at, at + _TILE) for at in middle])
    return [(time, rows, columns) for rows, columns in product(*sides)]


def _cut(image: Image, tile: tuple[slice, slice, slice]) -> Image:
    valid = None if image.valid is None else np.ascontiguousarray(image.valid[tile])
    return replace(image, voxels=np.ascontiguousarray(image.voxels[tile]), valid=valid, source=None, history=())


def _without_lag(frames: Voxels, lag: float) -> Voxels:
    before = [None, *frames[:-1]]
    return np.stack([unlagged(frame, last, lag) for frame, last in zip(frames, before, strict=True)])


def _smoothed(frames: Voxels) -> Voxels:
    """What the signal is, well enough to look up how strong its noise is."""
    import cv2

    return np.stack([cv2.GaussianBlur(frame, (0, 0), 2.0, borderType=cv2.BORDER_REFLECT_101) for frame in frames])


def _shape_of(correlation: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Amplitude of every frequency (rfft2) of noise of variance 1 with this correlation of pixels up to 3 apart."""
    whole = np.zeros(shape)
    whole[0, 0] = 1
    if np.isfinite(correlation).all():
        reach = min(correlation.shape[0], min(shape) // 2)
        for down in range(1 - reach, reach):
            for right in range(1 - reach, reach):
                whole[down, right] = correlation[abs(down), abs(right)]
    power = np.maximum(np.fft.rfft2(whole).real, 0)
    return np.asarray(np.sqrt(power))


def _noise_like(
    frames: Voxels,
    curve: NoiseCurve,
    shape: NDArray[np.float64],
    found: SequenceFingerprint,
    lag: float,
    rng: np.random.Generator,
) -> Voxels:
    """Noise as that of the frames: its level at each signal, what pixels share, and what successive frames share."""
    held = 0.0 if lag > 0 or not np.isfinite(found.held) else float(np.clip(found.held, 0, 0.95))
    fields = np.empty(frames.shape, np.float32)
    for index in range(len(frames)):
        fresh = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(frames.shape[1:])) * shape, s=frames.shape[1:])
        fresh /= max(float(fresh.std()), 1e-12)
        before = fields[index - 1] if index and held > 0 and found.owner == "detector" else None
        fields[index] = fresh if before is None else held * before + (1 - held**2) ** 0.5 * fresh
    return np.asarray(fields * curve.sigma(_smoothed(frames)), np.float32)
