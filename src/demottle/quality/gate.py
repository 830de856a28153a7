"""The gate: does a result stay within limits? What is beyond one is named, with what was found and the limit.

A mean beyond its limit fails, unless its 90 % interval is so wide that chance alone may have put it there: then it is "not
shown", never "passed". So chance alone fails at most one measure of twenty that is exactly at its limit.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, isnan
from typing import Any

from demottle.errors import DemottleError, counted
from demottle.quality.check.leak import unseen
from demottle.quality.check.residual import EdgeTest
from demottle.quality.check.shifts import TissueShift
from demottle.quality.check.verdicts import UNIFORM
from demottle.quality.check.whole import Check
from demottle.quality.honesty import honesty
from demottle.quality.limits import Limits
from demottle.quality.measures import SCORES
from demottle.quality.objects.observers import Observed
from demottle.quality.objects.sharpness import Sharpness, pooled
from demottle.quality.to_plain import plain
from demottle.quality.truth.whole import Comparison
from demottle.quality.verdict import FAILED, NOT_ASKED, NOT_SHOWN, PASSED, UNKNOWN, WITH_WARNINGS, Verdict, verdict

LOWEST_CONTRAST, HIGHEST_CONTRAST = 20.0, 50.0
"""Structures whose sharpness the gate looks at, in HU: about 35. Weaker ones drown in noise, stronger ones are easy to keep."""
_OTHERS = "nothing says that demottle made it"
_ONE_SIDED = 1.645  # standard errors that 95 % of chance stays within, on one side


class GateError(DemottleError):
    """A result that is beyond a limit; it was not written where it was to go."""

    exit_code = 3


@dataclass(frozen=True)
class Gate:
    """The verdict on one result; `passed` is False where any limit failed. What was not shown or not measured does not fail.

    Attributes:
        limits: what it was held against.
        verdicts: one for each limit.
        warnings: what the check of the result warns of.
    """

    limits: Limits
    verdicts: tuple[Verdict, ...]
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """What failed."""
        return tuple(v for v in self.verdicts if v.status == FAILED)

    @property
    def not_shown(self) -> tuple[Verdict, ...]:
        """What is beyond its limit, but may be so by chance."""
        return tuple(v for v in self.verdicts if v.status == NOT_SHOWN)

    @property
    def passed(self) -> bool:
        """True where nothing failed."""
        return not self.failed

    @property
    def state(self) -> str:
        """ "passed", "failed", or "passed with warnings": nothing failed, but something is not shown, or warned of."""
        if not self.passed:
            return FAILED
        return WITH_WARNINGS if self.not_shown or self.warnings else PASSED

    @property
    def summary(self) -> str:
        """How many limits are kept and how many are not, and how many warnings there are, in words."""
        count = Counter(one.status for one in self.verdicts)
        told = [f"{count[PASSED]} limits kept"]
        told += [f"{count[status]} {status}" for status in (FAILED, NOT_SHOWN) if count[status]]
        told += [counted(len(self.warnings), "warning")] if self.warnings else []
        rest = count[UNKNOWN] + count[NOT_ASKED]
        return ", ".join([*told, *([f"{rest} not measured or not asked"] if rest else [])])

    @property
    def reasons(self) -> str:
        """What failed, as one sentence without an end."""
        return "; ".join(v.sentence for v in self.failed)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        told: dict[str, Any] = plain(
            {
                "passed": self.passed,
                "state": self.state,
                "summary": self.summary,
                "verdicts": self.verdicts,
                "limits": asdict(self.limits),
            }
        )
        return told


def gate(
    check: Check,
    limits: Limits | None = None,
    sharpness: Sequence[Sharpness] = (),
    truth: Comparison | None = None,
    observed: Sequence[Observed] = (),
) -> Gate:
    """Hold what was measured against limits.

    Args:
        check: what `demottle.quality.check.whole.check` found.
        limits: None for the defaults.
        sharpness: sharpness of structures of known place, where there are any.
        truth: errors against a truth, where there is one.
        observed: what Hotelling observers found, where they were asked.
    """
    limits = limits or Limits()
    made = [v for part in (_means, _places, _noise, _structure) for v in part(check, limits)]
    against = () if truth is None else tuple(_truth(truth, check.unit, limits))
    every = (*made, *against, *_sharpness(sharpness, limits), *_observers(observed, limits))
    return Gate(limits, every, check.warnings)


def _means(check: Check, limits: Limits) -> Iterator[Verdict]:
    for shift in check.tissues:
        if check.unit != "HU":
            share = 0.01 / shift.margin  # the margin is 1 % of the range of values
            yield from verdict(
                "mean_signal", f"shift of the mean, {shift.name}", shift.shift * share, limits.mean_signal, "of the range",
                _least(shift) * share, interval=(shift.ci_low * share, shift.ci_high * share),
            )  # fmt: skip
        elif shift.name != "air":  # bowel gas and the air around: the air around has its own limit
            kind, limit = _of_kind(shift, limits.ct_number_uniform, limits.ct_number_other)
            name = f"shift of the CT number, {shift.name}"
            interval = (shift.ci_low, shift.ci_high)
            yield from verdict(f"ct_number_{kind}", name, shift.shift, limit, "HU", _least(shift), interval=interval)


def _truth(found: Comparison, unit: str, limits: Limits) -> Iterator[Verdict]:
    for row in SCORES:
        if row.limit is not None:
            worse, better = row.values(found) if row.better == "up" else row.values(found)[::-1]
            ratio = worse / better if better > 0 else float("nan")
            what = (
                f"{row.title} against the truth, {'before over after' if row.better == 'up' else 'after over before'}"
            )
            yield from verdict(row.limit, what, ratio, getattr(limits, row.limit), "", why="the input is the truth")
    what = "largest spot of the errors over what the noise before leaves"
    if found.patch is not None and found.patch.spots:
        what = f"{what} ({found.patch.spots[0].sentence})"
    yield from verdict(
        "truth_patch", what, found.worst_patch, limits.truth_patch, "", why="no CT in HU with body enough"
    )
    what = "RMSE of the worst slice, after over before"
    what = f"{what} (slice {found.slice + 1})" if found.slice >= 0 else what
    yield from verdict("truth_slice", what, found.slice_ratio, limits.truth_slice, "", why="the input is the truth")
    for error in found.after.tissues if unit == "HU" else ():
        if error.name != "air":
            kind, limit = _of_kind(error, limits.truth_uniform, limits.truth_other)
            name = f"mean error against the truth, {error.name}"
            interval = (error.ci_low, error.ci_high)
            yield from verdict(f"truth_{kind}", name, error.shift, limit, "HU", _least(error), interval=interval)


def _of_kind(shift: TissueShift, uniform: float | None, other: float | None) -> tuple[str, float | None]:
    """Which of two limits a tissue has: that of large uniform tissue, or that of all other."""
    return ("uniform", uniform) if shift.name in UNIFORM else ("other", other)


def _least(shift: TissueShift) -> float:
    """The smallest size the true shift can well have: the end of the interval nearest to 0, or 0; 0 where an end is not known."""
    return 0.0 if isnan(shift.ci_low) or isnan(shift.ci_high) else max(shift.ci_low, -shift.ci_high, 0.0)


def _places(check: Check, limits: Limits) -> Iterator[Verdict]:
    if check.unit == "HU":
        kept = check.untouched
        for name, what, value, limit in (
            ("air", "change in the air around the body", kept.air, limits.air),
            ("metal", "change in metal", kept.metal, limits.metal),
        ):
            status = None if check.ours else NOT_ASKED
            why = f"no {name} in the scan" if not isfinite(value) else _OTHERS
            yield from verdict(name, what, value, limit, "HU", why=why, status=status)


def _noise(check: Check, limits: Limits) -> Iterator[Verdict]:
    noise, leak, spectra = check.noise, check.leak, check.spectra
    ratio = noise.after / noise.before if noise.before > 0 else float("nan")
    yield from verdict("noise", "noise after over noise before", ratio, limits.noise, "", why="no flat tissue")
    shift = float("nan") if spectra is None else spectra.shift
    why = "no noise spectrum" if spectra is None else "the noise spectrum has no peak"
    yield from verdict("noise_peak", "shift of the noise spectrum's peak", shift, limits.noise_peak, "per mm", why=why)
    gain, why = (float("nan"), "a single slice") if leak is None else (leak.gain, "too little flat tissue repeats")
    status = None
    if leak is not None and limits.slice_leak is not None and gain > limits.slice_leak and unseen(leak, ratio):
        status, why = NOT_ASKED, "they share too little of the noise that was there for it to be seen"
    what = "rise of noise correlation between slices"
    yield from verdict("slice_leak", what, gain, limits.slice_leak, "", why=why, status=status)


def _structure(check: Check, limits: Limits) -> Iterator[Verdict]:
    yield from edge_loss(check.edges, limits)
    yield from honesty(check, limits)


def edge_loss(edges: EdgeTest, limits: Limits) -> Iterator[Verdict]:
    """Judge how much of the edges went into what was removed."""
    # Its error in the same units: both are the excess covariance, over different standard deviations.
    error = abs(edges.error * edges.lost_share / edges.correlation) if edges.correlation else 0.0
    sure = max(edges.lost_share - _ONE_SIDED * (error if isfinite(error) else 0.0), 0.0)
    what = f"share of edges removed ({edges.region})" if edges.region else "share of edges removed"
    yield from verdict("edge_loss", what, edges.lost_share, limits.edge_loss, "", sure, "no edges to test")


def _sharpness(sharpness: Sequence[Sharpness], limits: Limits) -> Iterator[Verdict]:
    for found in pooled(sharpness):
        if not LOWEST_CONTRAST <= abs(found.contrast) <= HIGHEST_CONTRAST:
            continue
        for name, value, error, limit in (
            ("f50", found.f50_change, found.f50_error, limits.sharpness_f50),
            ("f10", found.f10_change, found.f10_error, limits.sharpness_f10),
        ):
            sure = max(abs(value) - _ONE_SIDED * (error if isfinite(error) else 0.0), 0.0)
            what = f"relative change of {name} of {found.name}"
            why = "both beyond the pixels' Nyquist frequency"
            yield from verdict(f"sharpness_{name}", what, value, limit, "", sure, why)


def _observers(observed: Sequence[Observed], limits: Limits) -> Iterator[Verdict]:
    for one in observed:
        lost, sure = -one.change_share, max(-one.change_high_share, 0.0)
        why = "not seen in the input either"
        yield from verdict("detectability", f"share of d' lost, {one.name}", lost, limits.detectability, "", sure, why)
