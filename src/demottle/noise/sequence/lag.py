"""Lag: what a frame still holds of the one before it, be it of the detector or of a recursive filter in the camera.

    l_t = (1 - lag) s_t + lag l_(t-1)      is undone by      s_t = (l_t - lag l_(t-1)) / (1 - lag)

It leaves a shadow of what has moved and makes frames share noise, which a filter over time cannot take out. Undoing it costs
some noise in each frame, by `freed`; noise that came after the lag, of the electronics, is then shared with the opposite sign.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from demottle.image import Voxels
from demottle.noise.sequence.curve import NoiseCurve

if TYPE_CHECKING:
    from demottle.noise.sequence.fingerprint import SequenceFingerprint

INDEPENDENT = 0.05
"""Part of its noise or signal that a frame may share with the next one and still count as independent of it."""
MOST_HELD = 0.6
"""Beyond, undoing what frames share would double their noise."""
_SOME = 0.01  # of the noise has to be shared for a lag of the signal to be believed


def lag_to_undo(measured: "SequenceFingerprint") -> float:
    """Return the lag that is worth undoing, 0 where there is none or it is not known.

    That of the signal where it could be told apart; else that of the noise, which reads lower where electronic noise is strong.
    """
    lag, held = measured.lag, measured.held
    if not np.isfinite(held) or held > MOST_HELD or measured.owner == "image":
        return 0.0  # or: what moves along is not where it was in the frame before
    if np.isfinite(lag) and INDEPENDENT <= lag <= MOST_HELD and held >= _SOME:
        return float(lag)
    return float(held) if held >= INDEPENDENT else 0.0


def unlagged(frame: Voxels, before: Voxels | None, lag: float) -> Voxels:
    """Undo lag: `(x_t - lag x_(t-1)) / (1 - lag)`. The first frame stays as it is."""
    if before is None or lag <= 0:
        return frame
    return np.asarray((frame - np.float32(lag) * before) / np.float32(1 - lag), np.float32)


def lagged(frames: Voxels, lag: float) -> Voxels:
    """Let every frame hold part of the one before, (frames, rows, columns); what was before the first is the first."""
    if lag <= 0:
        return frames
    out = frames.copy()
    for index in range(1, len(out)):
        out[index] = np.float32(1 - lag) * frames[index] + np.float32(lag) * out[index - 1]
    return out


def freed(curve: NoiseCurve, lag: float, held: float) -> NoiseCurve:
    """Return the noise of frames whose lag was undone: `(1 + lag^2 - 2 lag held) / (1 - lag)^2` times the variance.

    Args:
        curve: curve of the frames as they are.
        lag: that is undone.
        held: noise correlation of successive frames before that.
    """
    if lag <= 0:
        return curve
    factor = float((1 + lag**2 - 2 * lag * held) ** 0.5 / (1 - lag))
    deviation = (curve.deviation * factor).astype(np.float32).astype(np.float64)  # as a model file will hold it
    return replace(curve, deviation=deviation, gain=curve.gain * factor**2, offset=curve.offset * factor**2)
