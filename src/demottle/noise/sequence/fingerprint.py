"""The fingerprint of a sequence: everything demottle measures on a noisy fluoroscopy run before it decides anything."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError, counted
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.noise.sequence.aligned import DOUBTED, MovingNoise, Owner, moving_noise
from demottle.noise.sequence.blocks import (
    BLOCK,
    dark_frames,
    differences_of,
    frames_to_look_at,
    held_over,
    measure_blocks,
    pixels_of,
    shared_in_space,
    signal_held_over,
)
from demottle.noise.sequence.curve import NoiseCurve, curve_of
from demottle.noise.sequence.motion import find_motions, shared_grain
from demottle.noise.sequence.within import REPEATED, curve_within_frames, one_picture, said_of_it

PANNING = 1.0
"""Pixels per frame from which on the whole image counts as moving."""
_CREEPING = 0.15  # pixels per frame from which on the noise is measured on frames brought onto each other
_MISREAD = 1.06  # times the noise of aligned frames: above, what seems to stand still moves
_DOUBTFUL = 1.03
_MUCH = 0.3  # part of the image that moves, from which on what frames share is looked at in the finest detail, too
_LEAST_SIDE = 4 * BLOCK
_LEAST_STILL = 16  # blocks
_SATURATED = 0.005


@dataclass(frozen=True, eq=False)
class SequenceFingerprint:
    """What was measured on one sequence.

    Attributes:
        modality, unit, shape, spacing: as in `Image`; `spacing[0]` in s.
        curve: noise of a frame against its signal.
        held: part of a frame's noise that the next one still holds (detector lag, a recursive filter in the camera), 0 to 1;
            NaN where fewer than three frames or no still part.
        lag: part of the signal that the next frame holds, electronic noise apart: what a correction for lag has to use. NaN
            where it cannot be told (few frames, a panning table, numbers that are not proportional to the X-rays).
        temporal_correlation: noise correlation of frames 1, 2, ... apart.
        spatial_correlation: correlation of pixels up to 3 apart, shape (4, 4), rows down and columns right; NaN where unknown.
        moving_share: part of the image in which something moves.
        pan: how far the whole image moves per frame, in pixels (median).
        saturated: share of pixels at the top of the range.
        warnings: what is odd or could not be measured, in sentences.
        owner: whether the noise that frames share stays with the detector, as lag and a camera's filter make it, or moves with
            the image, as where frames were shifted after they were taken.
    """

    modality: str
    unit: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    curve: NoiseCurve
    held: float
    lag: float
    temporal_correlation: tuple[float, ...]
    spatial_correlation: NDArray[np.float64]
    moving_share: float
    pan: float
    saturated: float
    warnings: tuple[str, ...] = ()
    owner: Owner = "detector"

    @property
    def noise_level(self) -> float:
        """Standard deviation of the noise of a frame at its middle signal, in the image's unit."""
        return self.curve.level

    @property
    def rate(self) -> float:
        """Frames per second."""
        return 1 / self.spacing[0]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what could not be measured is None."""
        return {
            "modality": self.modality,
            "unit": self.unit,
            "shape": list(self.shape),
            "frame_time_s": self.spacing[0],
            "spacing_mm": list(self.spacing[1:]),
            "noise_level": _plain(self.noise_level),
            "noise_curve": {
                "signal": [_plain(v) for v in self.curve.signal],
                "deviation": [_plain(v) for v in self.curve.deviation],
                "gain": _plain(self.curve.gain),
                "offset": _plain(self.curve.offset),
                "misfit": _plain(self.curve.misfit),
            },
            "held_over": _plain(self.held),
            "shared_noise_stays_with": self.owner,
            "lag": _plain(self.lag),
            "temporal_correlation": [_plain(v) for v in self.temporal_correlation],
            "spatial_correlation": [[_plain(v) for v in row] for row in self.spatial_correlation],
            "moving_share": _plain(self.moving_share),
            "pan_pixels_per_frame": _plain(self.pan),
            "saturated_share": _plain(self.saturated),
            "warnings": list(self.warnings),
        }


def measure_sequence(image: Image, listener: Listener = silent) -> SequenceFingerprint:
    """Measure a sequence; at most 40 frames are looked at, so its cost does not grow with its length.

    Raises:
        InputError: frames smaller than 32 x 32 pixels, or without noise that could be told from structure.
    """
    frames, rows, columns = image.shape
    if min(rows, columns) < _LEAST_SIDE:
        raise InputError(
            f"The frames have {rows} x {columns} pixels; at least {_LEAST_SIDE} x {_LEAST_SIDE} are needed to measure noise."
        )
    steps = 3
    listener(Progress(Stage.MEASURE, 0, steps, "motion of the whole image"))
    warnings = _oddities(image)
    motions = find_motions(image, frames_to_look_at(image))
    pan = motions.speed()
    listener(Progress(Stage.MEASURE, 1, steps, "noise against signal"))
    if one_picture(image, motions):
        found = _Noise(curve_within_frames(image), 1.0, owner="image")
        warnings += [REPEATED, said_of_it(frames)]
    else:
        found = _of_run(image, pan, moving_noise(image, motions), warnings) if frames > 1 else _Noise()
    listener(Progress(Stage.MEASURE, 2, steps, "from pixel to pixel"))
    curve = found.curve
    if curve is None:
        curve = curve_within_frames(image)
        warnings.append(said_of_it(frames))
    shared = shared_in_space(found.differences) if found.differences else np.full((4, 4), np.nan)
    listener(Progress(Stage.MEASURE, steps, steps))
    return SequenceFingerprint(
        modality=image.modality,
        unit=image.unit,
        shape=image.shape,
        spacing=image.spacing,
        curve=curve,
        held=found.held,
        lag=found.lag,
        temporal_correlation=found.rho,
        spatial_correlation=shared,
        moving_share=found.moving,
        pan=pan,
        saturated=_saturated(image),
        warnings=tuple(warnings),
        owner=found.owner,
    )


@dataclass(frozen=True, eq=False)
class _Noise:
    """What one way of looking at a run gave."""

    curve: NoiseCurve | None = None
    held: float = float("nan")
    rho: tuple[float, ...] = ()
    moving: float = 0.0
    differences: tuple[Voxels, ...] = ()
    lag: float = float("nan")
    owner: Owner = "detector"


def _of_run(image: Image, pan: float, aligned: MovingNoise | None, warnings: list[str]) -> _Noise:
    """Choose between what stands still and frames brought onto each other.

    What stands still tells more, such as lag. But where all of it moves, however slowly, motion is taken for noise, and for noise
    that frames share; frames brought onto each other then have less of it.
    """
    if aligned is not None and pan >= _CREEPING:
        return _moving(aligned, 1.0)
    remarks: list[str] = []
    still = _still(image, remarks)
    if aligned is not None and (still.curve is None or _times(still.curve, aligned.curve) > _MISREAD):
        return _moving(aligned, still.moving)
    warnings += remarks
    if aligned is not None and still.curve is not None and _times(still.curve, aligned.curve) > _DOUBTFUL:
        return replace(still, lag=float("nan"))  # which is told from how two levels differ
    return still


def _times(one: NoiseCurve, other: NoiseCurve) -> float:
    """How many times as loud the noise of one curve is as that of another, at the signals of the first."""
    return float(np.median(one.deviation / np.maximum(other.sigma(one.signal.astype(np.float32)), 1e-30)))


def _moving(found: MovingNoise, share: float) -> _Noise:
    return _Noise(found.curve, found.held, found.correlation, share, found.differences, owner=found.owner)


def _still(image: Image, warnings: list[str]) -> _Noise:
    """Look at what stands still."""
    blocks = measure_blocks(image)
    if not blocks.still.any():
        return _Noise(moving=blocks.moving_share)
    held, rho = held_over(blocks)
    where = pixels_of(blocks.still, image.shape[1:])
    if np.isfinite(held) and blocks.moving_share > _MUCH:
        some = list(blocks.frames)[:-1]
        fine = shared_grain((image.voxels[t], image.voxels[t + 1], where) for t in some)
        if held - fine > DOUBTED:  # slow motion counted as noise that frames share
            held = max(fine, 0.0)
            rho = tuple(held**k for k in range(1, len(rho) + 1))
    kept = max(1 - held, 0.02) if np.isfinite(held) else 1.0
    curve = curve_of(blocks.mean[blocks.still], blocks.structure[0][blocks.still] / kept)
    if blocks.still.sum() < _LEAST_STILL:
        warnings.append(
            "Hardly any part stands still from one to the next, so the noise is measured with little certainty."
        )
    return _Noise(
        curve, held, rho, blocks.moving_share, differences_of(image, blocks.frames, where), signal_held_over(blocks)
    )


def _saturated(image: Image) -> float:
    top = max(float(plane.max()) for plane in image.voxels)
    share = float(np.mean([np.mean(plane >= top) for plane in image.voxels]))
    return share if share > _SATURATED else 0.0


def _oddities(image: Image) -> list[str]:
    """What a user should know before believing the rest."""
    found = []
    dark = dark_frames(image.voxels)
    if dark:
        found.append(
            f"{'The first frame is' if dark == 1 else f'The first {dark} frames are'} darker than the rest: the run seems to "
            "begin before the exposure is steady."
        )
    repeats = sum(bool(np.array_equal(a, b)) for a, b in zip(image.voxels[1:], image.voxels[:-1], strict=True))
    if repeats:
        found.append(
            f"{counted(repeats, 'frame')} repeat{'s' if repeats == 1 else ''} the one before bit for bit, so the run was "
            "stored at a higher rate than it was taken at."
        )
    saturated = _saturated(image)
    if saturated:
        found.append(f"{100 * saturated:.1f} % of the pixels are overexposed; nothing can be restored there.")
    return found


def _plain(value: float) -> float | None:
    return round(float(value), 5) if np.isfinite(value) else None
