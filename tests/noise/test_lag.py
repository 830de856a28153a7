"""Lag is undone where it was measured, and only there."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from demottle.image import Image
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.noise.sequence.lag import freed, lag_to_undo, lagged, unlagged

SPACING = (1 / 15, 0.4, 0.4)


@pytest.fixture(scope="module")
def measured() -> SequenceFingerprint:
    noise = np.random.default_rng(0).normal(100, 10, (24, 64, 64)).astype(np.float32)
    return measure_sequence(Image(noise, SPACING, "XA"))


def test_undoing_gives_the_frames_before_lag() -> None:
    frames = np.random.default_rng(1).normal(size=(6, 8, 8)).astype(np.float32)
    held = lagged(frames, 0.1)
    assert held[0] == pytest.approx(frames[0])
    for index in range(1, 6):
        assert not np.allclose(held[index], frames[index], atol=0.01)
        assert unlagged(held[index], held[index - 1], 0.1) == pytest.approx(frames[index], abs=1e-5)


@pytest.mark.parametrize(
    ("held", "lag", "undone"),
    [
        (0.0, 0.0, 0.0),
        (0.03, 0.1, 0.1),  # electronic noise hides lag: that of the signal counts
        (0.3, float("nan"), 0.3),
        (0.0, 0.1, 0.0),  # no noise is shared: the slopes were off by chance
        (0.8, 0.8, 0.0),  # would double the noise
        (float("nan"), float("nan"), 0.0),
    ],
)
def test_what_is_undone(measured: SequenceFingerprint, held: float, lag: float, undone: float) -> None:
    assert lag_to_undo(replace(measured, held=held, lag=lag)) == undone


def test_noise_of_independent_frames_is_not_touched(measured: SequenceFingerprint) -> None:
    assert lag_to_undo(measured) == 0
    assert freed(measured.curve, 0.0, measured.held) is measured.curve


@pytest.mark.parametrize("lag", [0.1, 0.4])
def test_the_noise_after_undoing_is_what_is_said(lag: float, measured: SequenceFingerprint) -> None:
    rng = np.random.default_rng(2)
    quanta = lagged(rng.normal(size=(200, 32, 32)).astype(np.float32), lag)
    frames = (quanta + rng.normal(0, 0.7, quanta.shape))[60:].astype(np.float32)
    held = float(np.mean(frames[1:] * frames[:-1]) / np.mean(frames**2))
    free = np.stack([unlagged(now, before, lag) for before, now in pairwise(frames)])
    grown = freed(measured.curve, lag, held).level / measured.curve.level
    assert free.std() / frames.std() == pytest.approx(grown, rel=0.02)
