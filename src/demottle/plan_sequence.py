"""From a `SequenceFingerprint` to a method and its settings, with the reasons in words. Imports no torch."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from demottle.errors import UnsuitableError
from demottle.methods.registry import METHODS
from demottle.methods.registry import method as look_up
from demottle.noise.sequence import SequenceFingerprint
from demottle.plan import Plan

CLASSICAL_SEQUENCE = "motion-adaptive-recursive"
INDEPENDENT = 0.05
"""Part of the noise that a frame may share with the next one and still count as independent."""
PANNING = 0.5
"""Pixels per frame by which the whole image moves where the table is said to pan."""


def make_sequence_plan(
    fingerprint: SequenceFingerprint, method: str | None = None, settings: Mapping[str, Any] | None = None
) -> Plan:
    """Choose a method for a sequence; a method or settings asked for take precedence.

    Raises:
        InputError: for an unknown method.
        UnsuitableError: for a method that does not take sequences.
    """
    if method is not None:
        if not look_up(method).takes(sequence=True):
            suitable = ", ".join(name for name, info in METHODS.items() if info.takes(sequence=True))
            raise UnsuitableError(f"{method} is for volumes of slices, but this is a run of frames; use {suitable}.")
        return Plan(method, dict(settings or {}), (f"{method} was asked for.", *findings(fingerprint)))
    return Plan(CLASSICAL_SEQUENCE, dict(settings or {}), findings(fingerprint))


def findings(fingerprint: SequenceFingerprint) -> tuple[str, ...]:
    """What was measured and what follows from it, in sentences."""
    return tuple(
        sentence
        for sentence in (
            _of_frames(fingerprint),
            _of_signal(fingerprint),
            _of_pixels(fingerprint),
            _of_motion(fingerprint),
        )
        if sentence
    )


def _of_frames(found: SequenceFingerprint) -> str:
    if not np.isfinite(found.held):
        return "Whether successive frames share noise cannot be measured: there are too few frames, or nothing stands still."
    if found.held <= INDEPENDENT:
        return f"The noise of successive frames is independent (correlation {found.held:.2f}): averaging over time works in full."
    share = 100 * found.held
    if found.held > 0.25:
        return (
            f"Each frame hands {share:.0f} % of its noise on to the next: the camera seems to filter already, with a weight of "
            f"about {1 - found.held:.2f}. Filtering over time gains less, and differences of frames under-read the noise."
        )
    return f"Each frame hands {share:.0f} % of its noise on to the next (lag of the detector), so filtering over time gains less."


def _of_signal(found: SequenceFingerprint) -> str:
    curve = found.curve
    low, high = float(curve.deviation[0]), float(curve.deviation[-1])
    if curve.signal.size < 2:
        return ""
    if curve.misfit < 0.2 and curve.gain > 0:
        return (
            f"The noise grows from {low:.3g} in the dark to {high:.3g} in the bright as quantum noise does (variance "
            f"{curve.gain:.3g} x signal {curve.offset:+.3g}); thresholds follow it."
        )
    kind = "falls" if high < low else "grows"
    return (
        f"The noise {kind} from {low:.3g} in the dark to {high:.3g} in the bright, but not as quantum noise on a linear scale: "
        "the images seem to be processed (logarithm, gamma). Thresholds follow the measured curve."
    )


def _of_pixels(found: SequenceFingerprint) -> str:
    across = float(np.nanmean([found.spatial_correlation[0, 1], found.spatial_correlation[1, 0]]))
    if not np.isfinite(across) or across < INDEPENDENT:
        return ""
    return f"Neighboring pixels share noise (correlation {across:.2f}), as a scintillator's blur makes them."


def _of_motion(found: SequenceFingerprint) -> str:
    if found.pan > PANNING and found.moving_share > 0.2:
        return (
            f"The whole image moves by about {found.pan:.1f} pixels per frame; the noise measured is then rather too high, and a "
            "filter over time has little to average."
        )
    if found.moving_share > 0.03:
        return f"Something moves in {100 * found.moving_share:.0f} % of the image; what moves must not leave a trail."
    return "Hardly anything moves."
