"""The gate for a series of MR volumes: the limits that mean something there."""

from collections.abc import Iterator
from math import isfinite, nan, sqrt

from demottle.quality.gate import Gate, edge_loss
from demottle.quality.limits import Limits
from demottle.quality.sequence.check import SequenceCheck
from demottle.quality.verdict import Verdict, verdict

_BACK = 1.1
"""Standard deviations by which the mean of a third of nothing but noise lies from the middle (1.09 for a normal distribution)."""


def series_gate(check: SequenceCheck, limits: Limits | None = None) -> Gate:
    """Hold what was measured on a series of MR volumes against limits: means, noise, edges."""
    limits = limits or Limits()
    return Gate(limits, tuple(_verdicts(check, limits)), tuple(check.warnings))


def _verdicts(check: SequenceCheck, limits: Limits) -> Iterator[Verdict]:
    noise = check.noise
    # Dark, middle and bright parts are told apart by the mean over volumes, whose own noise comes back towards the mean.
    chance = _BACK * noise.before / sqrt(check.volumes) if isfinite(noise.before) and check.volumes else 0.0
    for shift in check.shifts:
        share = (shift.after - shift.before) / check.signal_range if check.signal_range > 0 else nan
        sure = max(abs(share) - chance / check.signal_range, 0.0) if check.signal_range > 0 else None
        what = f"shift of the mean, {shift.name} parts"
        yield from verdict("mean_signal", what, share, limits.mean_signal, "of the range", sure, "no range of values")
    ratio = noise.after / noise.before if isfinite(noise.before) and noise.before > 0 else nan
    yield from verdict("noise", "noise after over noise before", ratio, limits.noise, "", why="no part stays the same")
    if check.edges is not None:
        yield from edge_loss(check.edges, limits)
