"""The fingerprint of a sequence: everything demottle measures on a noisy fluoroscopy run before it decides anything."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError, counted
from demottle.events import Listener, Progress, silent
from demottle.image import Image
from demottle.noise.sequence_blocks import BLOCK, Blocks, held_over, measure_blocks, shared_in_space
from demottle.noise.sequence_curve import NoiseCurve, curve_of

_LEAST_SIDE = 4 * BLOCK
_LEAST_STILL = 16  # blocks
_DARK = 0.7  # of the run's brightness: below, the exposure had not begun or had ended
_SATURATED = 0.005


@dataclass(frozen=True, eq=False)
class SequenceFingerprint:
    """What was measured on one sequence.

    Attributes:
        modality, unit, shape, spacing: as in `Image`; `spacing[0]` in s.
        curve: noise of a frame against its signal.
        held: part of a frame's noise that the next one still holds (detector lag, a recursive filter in the camera), 0 to 1;
            NaN where fewer than three frames or no still part.
        temporal_correlation: noise correlation of frames 1, 2, ... apart.
        spatial_correlation: of pixels up to 3 apart, shape (4, 4), rows down and columns right; NaN where not measurable.
        moving_share: part of the image in which something moves.
        pan: how far the whole image moves per frame, in pixels (median).
        saturated: share of pixels at the top of the range.
        warnings: what is odd or could not be measured, in sentences.
    """

    modality: str
    unit: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    curve: NoiseCurve
    held: float
    temporal_correlation: tuple[float, ...]
    spatial_correlation: NDArray[np.float64]
    moving_share: float
    pan: float
    saturated: float
    warnings: tuple[str, ...] = ()

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
        InputError: frames smaller than 32 x 32 pixels, or without any noise.
    """
    frames, rows, columns = image.shape
    if min(rows, columns) < _LEAST_SIDE:
        raise InputError(
            f"The frames have {rows} x {columns} pixels; at least {_LEAST_SIDE} x {_LEAST_SIDE} are needed to measure noise."
        )
    steps = 4
    listener(Progress("measure", 0, steps, "noise against signal"))
    warnings = _oddities(image)
    held, moving = float("nan"), 0.0
    rho: tuple[float, ...] = ()
    shared = np.full((4, 4), np.nan)
    curve = None
    if frames > 1:
        blocks = measure_blocks(image)
        moving = blocks.moving_share
        listener(Progress("measure", 1, steps, "from frame to frame"))
        held, rho = held_over(blocks)
        curve = _curve(blocks, held)
        listener(Progress("measure", 2, steps, "from pixel to pixel"))
        if blocks.still.any():
            shared = shared_in_space(image, blocks)
        if curve is not None and blocks.still.sum() < _LEAST_STILL:
            warnings.append("Hardly any part of the run stands still, so its noise is measured with little certainty.")
    if curve is None:
        curve = _from_single_frames(image)
        warnings.append(
            f"The noise was measured within {'the only frame' if frames == 1 else 'single frames'}, as if it were white, "
            "because there is nothing to compare: read its level with caution."
        )
    listener(Progress("measure", 3, steps, "motion of the whole image"))
    pan = _pan(image)
    listener(Progress("measure", steps, steps))
    return SequenceFingerprint(
        modality=image.modality,
        unit=image.unit,
        shape=image.shape,
        spacing=image.spacing,
        curve=curve,
        held=held,
        temporal_correlation=rho,
        spatial_correlation=shared,
        moving_share=moving,
        pan=pan,
        saturated=_saturated(image),
        warnings=tuple(warnings),
    )


def _curve(blocks: Blocks, held: float) -> NoiseCurve | None:
    kept = 1 - held if np.isfinite(held) else 1.0
    return curve_of(blocks.mean[blocks.still], blocks.structure[0][blocks.still] / max(kept, 0.02))


def _from_single_frames(image: Image) -> NoiseCurve:
    """From a Laplacian of single frames, which leaves planes and edges out but takes the noise as white (Immerkaer 1996).

    Raises:
        InputError: no noise at all.
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    means: list[NDArray[np.float64]] = []
    variances: list[NDArray[np.float64]] = []
    for t in {0, image.shape[0] // 2, image.shape[0] - 1}:
        plane = image.voxels[t]
        rows, columns = (side // BLOCK for side in plane.shape)
        grain = cv2.filter2D(plane, cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT_101) ** 2 / 36
        for values, found in ((plane, means), (grain, variances)):
            whole = np.ascontiguousarray(values[: rows * BLOCK, : columns * BLOCK])
            found.append(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float64))
    signal, variance = np.stack(means).ravel(), np.stack(variances).ravel()
    flat = (variance > 0) & (variance <= np.quantile(variance, 0.5))
    curve = curve_of(signal[flat], variance[flat])
    if curve is None:
        raise InputError("The frames hold no noise that could be measured: they are constant, or all the same.")
    return curve


def _pan(image: Image) -> float:
    """Median over pairs of frames of how far the whole image moves per frame, by phase correlation of smaller pictures.

    The frames of a pair lie up to four apart, so that noise moves the answer less.
    """
    count = image.shape[0]
    if count < 2:
        return 0.0
    factor = 4 if min(image.shape[1:]) >= 128 else 2
    gap = min(4, count - 1)
    window = None
    moved = []
    for t in np.unique(np.linspace(0, count - 1 - gap, 12).astype(int)):
        first, second = (
            cv2.resize(image.voxels[i], None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
            for i in (t, t + gap)
        )
        window = cv2.createHanningWindow(first.shape[::-1], cv2.CV_32F) if window is None else window
        (right, down), _ = cv2.phaseCorrelate(first, second, window)
        moved.append(factor / gap * float(np.hypot(right, down)))
    return float(np.median(moved))


def _saturated(image: Image) -> float:
    top = max(float(plane.max()) for plane in image.voxels)
    share = float(np.mean([np.mean(plane >= top) for plane in image.voxels]))
    return share if share > _SATURATED else 0.0


def _oddities(image: Image) -> list[str]:
    """What a user should know before believing the rest."""
    found = []
    means = np.array([float(plane.mean(dtype=np.float64)) for plane in image.voxels])
    usual = float(np.median(means))
    dark = int(np.argmax(means >= _DARK * usual)) if usual > 0 else 0
    if dark:
        found.append(
            f"The first {counted(dark, 'frame')} {'is' if dark == 1 else 'are'} darker than the rest: the run seems to begin "
            "before the exposure is steady."
        )
    repeats = sum(bool(np.array_equal(a, b)) for a, b in zip(image.voxels[1:], image.voxels[:-1], strict=True))
    if repeats:
        found.append(
            f"{counted(repeats, 'frame')} repeat{'s' if repeats == 1 else ''} the one before bit by bit, so the run was "
            "stored at a higher rate than it was taken at."
        )
    saturated = _saturated(image)
    if saturated:
        found.append(f"{100 * saturated:.1f} % of the pixels are overexposed; nothing can be restored there.")
    return found


def _plain(value: float) -> float | None:
    return round(float(value), 5) if np.isfinite(value) else None
