"""The check and the errors of a sequence as a flat list of figures, for CSV; what `figures` does for volumes."""

from collections.abc import Iterator
from math import nan

from demottle.quality.figures import Figure
from demottle.quality.sequence.check import SequenceCheck
from demottle.quality.sequence.truth import SequenceErrors


def sequence_figures(check: SequenceCheck, errors: tuple[SequenceErrors, SequenceErrors] | None = None) -> list[Figure]:
    """Return every figure, in the order of the tables; `errors` before and after, where there is a truth."""
    return [*_errors(errors, check.unit), *_check(check)]


def _check(found: SequenceCheck) -> Iterator[Figure]:
    unit = found.unit
    yield Figure("noise of a frame in still parts", unit, found.noise.before, found.noise.after)
    yield Figure("noise removed", "", nan, found.noise.removed_share, tested=False)
    yield Figure("noise held over to the next frame", "", found.held_before, found.held_after)
    yield Figure("flicker in still parts", unit, found.flicker_before, found.flicker_after)
    yield Figure("removed where it moves, over at rest", "", nan, found.trail)
    if found.edges is not None:
        yield Figure("share of edges removed", "", nan, found.edges.lost_share)
    for shift in found.shifts:
        yield Figure(f"mean of the {shift.name} parts", unit, shift.before, shift.after, tested=False)
        yield Figure(f"shift of the {shift.name} parts, share of the noise", "", nan, shift.share)


def _errors(errors: tuple[SequenceErrors, SequenceErrors] | None, unit: str) -> Iterator[Figure]:
    if errors is None:
        return
    before, after = errors
    low, high = before.window
    where = f"in [{low:.5g}, {high:.5g}]"
    yield Figure(f"PSNR {where}", "dB", before.psnr, after.psnr)
    yield Figure(f"PSNR where nothing moves {where}", "dB", before.psnr_still, after.psnr_still)
    yield Figure(f"PSNR where something moves {where}", "dB", before.psnr_moving, after.psnr_moving)
    yield Figure(f"SSIM {where}", "", before.ssim, after.ssim)
    yield Figure("mean error against the truth", unit, before.bias, after.bias)
    yield Figure("error over time against the truth", unit, before.temporal, after.temporal)
    yield Figure("error over space against the truth", unit, before.spatial, after.spatial)
    yield Figure("flicker of the error", unit, before.flicker, after.flicker)
    yield Figure("error of 8 x 8 means where something moves", unit, before.means_moving, after.means_moving)
