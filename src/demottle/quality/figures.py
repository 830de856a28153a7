"""An evaluation as a flat list of figures: for CSV, and for comparing methods over many cases."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan

from demottle.quality.evaluation import Evaluation


@dataclass(frozen=True)
class Figure:
    """One figure, before (of the input) and after (of the output); NaN where it has no meaning or was not measured.

    `name` tells range, region and reference as far as there is a choice; `unit` is empty for pure numbers. `tested`: False
    where another figure says the same of differences between methods.
    """

    name: str
    unit: str
    before: float
    after: float
    tested: bool = True


def figures_of(found: Evaluation) -> list[Figure]:
    """Return every figure of an evaluation, in the order of its tables."""
    return [*_check(found), *_truth(found), *_repeat(found), *_known(found), *_many(found)]


def _check(found: Evaluation) -> Iterator[Figure]:
    check, unit = found.check, found.check.unit
    noise, edges = check.noise, check.edges
    yield Figure("noise in flat tissue", unit, noise.before, noise.after)
    yield Figure("noise removed", "", nan, noise.removed_share, tested=False)
    if check.spectra is not None:
        before, after = check.spectra.before, check.spectra.after
        yield Figure("noise spectrum, peak", "1/mm", before.peak, after.peak)
        yield Figure("noise spectrum, mean", "1/mm", before.mean, after.mean)
        yield Figure("noise spectrum, shift of the peak", "1/mm", nan, check.spectra.shift, tested=False)
    if check.leak is not None:
        rho = [part.rho[0] if part.rho else nan for part in (check.leak.before, check.leak.after)]
        yield Figure("noise correlation of adjacent slices", "", rho[0], rho[1])
    yield Figure("edges in what was removed, correlation", "", nan, edges.correlation)
    yield Figure("edges in what was removed, share lost", "", nan, edges.lost_share)
    yield Figure("change in air around the body", unit, nan, check.untouched.air)
    yield Figure("change in metal", unit, nan, check.untouched.metal)
    for tissue in check.tissues:
        yield Figure(f"mean of {tissue.name}", unit, tissue.mean_before, tissue.mean_after, tested=False)
        yield Figure(f"shift of {tissue.name}", unit, nan, tissue.shift)


def _truth(found: Evaluation) -> Iterator[Figure]:
    if found.truth is None:
        return
    unit, (low, high) = found.check.unit, found.truth.window
    before, after = found.truth.before, found.truth.after
    yield Figure("RMSE against the truth", unit, before.rmse, after.rmse)
    yield Figure("mean error against the truth", unit, before.bias, after.bias)
    yield Figure(f"PSNR in [{low:.0f}, {high:.0f}] {unit}", "dB", before.psnr, after.psnr)
    yield Figure(f"SSIM in [{low:.0f}, {high:.0f}] {unit}", "", before.ssim, after.ssim)
    yield Figure(f"VIF in [{low:.0f}, {high:.0f}] {unit}", "", before.vif, after.vif)
    yield Figure(f"GMSD in [{low:.0f}, {high:.0f}] {unit}", "", before.gmsd, after.gmsd)
    yield Figure("detail that follows the truth, up to (FRC 0.5)", "1/mm", before.frc, after.frc)
    errors = {tissue.name: tissue.shift for tissue in before.tissues}
    for tissue in after.tissues:
        yield Figure(f"mean error of {tissue.name}", unit, errors.get(tissue.name, nan), tissue.shift)


def _repeat(found: Evaluation) -> Iterator[Figure]:
    if found.repeat is None:
        return
    unit, agreed = found.check.unit, found.repeat.agreement
    yield Figure("noise, from two realizations", unit, agreed.noise_before, agreed.noise_after)
    yield Figure("RMSE, from two realizations", unit, agreed.noise_before, agreed.error)
    yield Figure("removed from both realizations alike", unit, nan, agreed.changed)
    yield Figure("correlation of what was removed from both", "", nan, agreed.correlation)


def _known(found: Evaluation) -> Iterator[Figure]:
    if found.known is None:
        return
    unit = found.check.unit
    for one in found.known.contrast:
        yield Figure(f"contrast of {one.name}", unit, one.before, one.after, tested=False)
        yield Figure(f"share of contrast left of {one.name}", "", nan, one.share)
        yield Figure(f"share of contrast left of {one.name}, standard error", "", nan, one.share_error, tested=False)
    for edge in found.known.sharpness:
        yield Figure(f"f50 of {edge.name}", "1/mm", edge.reference.f50, edge.after.f50)
        yield Figure(f"f10 of {edge.name}", "1/mm", edge.reference.f10, edge.after.f10)
    for seen in found.known.detected:
        yield Figure(f"d' NPW of {seen.name}", "", *seen.npw)
        yield Figure(f"d' NPWE of {seen.name}", "", *seen.npwe)


def _many(found: Evaluation) -> Iterator[Figure]:
    if found.many is None:
        return
    unit, flat = found.check.unit, found.many.noise_only
    for one in found.many.observed:
        verb = "seeing" if one.task == "detection" else "telling apart"
        yield Figure(f"d' CHO of {verb} {one.name}", "", one.before.dprime, one.after.dprime)
        for end, before, after in (
            ("low", one.before.dprime_low, one.after.dprime_low),
            ("high", one.before.dprime_high, one.after.dprime_high),
        ):
            yield Figure(f"d' CHO of {verb} {one.name}, 95 % {end}", "", before, after, tested=False)
    if flat is not None:
        yield Figure("noise-only: noise", unit, flat.before, flat.after, tested=False)
        yield Figure("noise-only: shift of the mean", unit, nan, flat.shift)
        yield Figure("noise-only: largest rise of noise power", "", nan, flat.amplification)
        yield Figure("noise-only: excess kurtosis", "", nan, flat.excess)
        for disc in flat.discs:
            yield Figure(f"noise-only: strongest false disc of {disc.diameter:g} mm", unit, disc.before, disc.after)
