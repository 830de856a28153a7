"""The gate: does a result stay within limits? What is beyond one is named, with by how much.

A mean fails only where its whole 90 % interval lies beyond the limit, so that chance alone fails at most one measure of
twenty that is exactly at its limit; an estimate beyond the limit whose interval is not is a warning (`verdicts`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from demottle.errors import DemottleError
from demottle.quality.check import Check
from demottle.quality.limits import Limits
from demottle.quality.plain import plain
from demottle.quality.sharpness import Sharpness
from demottle.quality.shifts import TissueShift
from demottle.quality.verdicts import UNIFORM

LOWEST_CONTRAST, HIGHEST_CONTRAST = 20.0, 50.0
"""Structures whose sharpness the gate looks at, in HU: about 35. Weaker ones drown in noise, stronger ones are easy to keep."""
_ONE_SIDED = 1.645  # standard errors that 95 % of chance stays within, on one side
PASSED, FAILED, UNKNOWN = "passed", "failed", "not measured"


class GateError(DemottleError):
    """A result that is beyond a limit; nothing was written."""

    exit_code = 3


@dataclass(frozen=True)
class Verdict:
    """One limit and what was found.

    Attributes:
        name: the limit's name in a TOML file.
        what: what was measured, for a reader, without an article.
        value: what was found.
        limit: the largest value that passes.
        unit: of both.
        status: "passed", "failed" or "not measured".
    """

    name: str
    what: str
    value: float
    limit: float
    unit: str
    status: str

    @property
    def sentence(self) -> str:
        """What failed, and by how much."""
        unit = f" {self.unit}" if self.unit else ""
        value, limit, beyond = (
            f"{number:.3g}{unit}" for number in (self.value, self.limit, abs(self.value) - self.limit)
        )
        return f"the {self.what} is {value}, beyond the limit of {limit} by {beyond}"


@dataclass(frozen=True)
class Gate:
    """The verdict on one result; `passed` is False where any limit failed. What could not be measured does not fail."""

    limits: Limits
    verdicts: tuple[Verdict, ...]

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """What failed."""
        return tuple(v for v in self.verdicts if v.status == FAILED)

    @property
    def passed(self) -> bool:
        """True where nothing failed."""
        return not self.failed

    @property
    def reasons(self) -> str:
        """What failed and by how much, as one sentence without an end."""
        return "; ".join(v.sentence for v in self.failed)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        told: dict[str, Any] = plain({"passed": self.passed, "verdicts": self.verdicts, "limits": asdict(self.limits)})
        return told


def gate(check: Check, limits: Limits | None = None, sharpness: Sequence[Sharpness] = ()) -> Gate:
    """Hold what was measured against limits.

    Args:
        check: what `demottle.quality.check.check` found.
        limits: None for the defaults.
        sharpness: of structures of known place, where there are any.
    """
    limits = limits or Limits()
    made = [v for part in (_means, _places, _noise, _structure) for v in part(check, limits)]
    return Gate(limits, (*made, *_sharpness(sharpness, limits)))


def _verdict(
    name: str, what: str, value: float, limit: float | None, unit: str, sure: float | None = None
) -> Iterator[Verdict]:
    """Judge one value; `sure` is the part of it that cannot be chance (None: all of it)."""
    if limit is None:
        return
    least = abs(value) if sure is None else sure
    status = UNKNOWN if not isfinite(value) else FAILED if least > limit else PASSED
    yield Verdict(name, what, value, limit, unit, status)


def _means(check: Check, limits: Limits) -> Iterator[Verdict]:
    for shift in check.tissues:
        if check.unit != "HU":
            share = 0.01 / shift.margin  # the margin is 1 % of the range of values
            yield from _verdict(
                "mean_signal", f"shift of the mean, {shift.name}", shift.shift * share, limits.mean_signal, "of the range",
                _least(shift) * share,
            )  # fmt: skip
        elif shift.name != "air":  # bowel gas and the air around: the air around has its own limit
            uniform = shift.name in UNIFORM
            name, limit = (
                ("ct_number_uniform", limits.ct_number_uniform)
                if uniform
                else ("ct_number_other", limits.ct_number_other)
            )
            yield from _verdict(name, f"shift of the CT number, {shift.name}", shift.shift, limit, "HU", _least(shift))


def _least(shift: TissueShift) -> float:
    """The smallest size the true shift can well have: the end of the interval nearest to 0, or 0."""
    return max(shift.ci_low, -shift.ci_high, 0.0)


def _places(check: Check, limits: Limits) -> Iterator[Verdict]:
    if check.unit == "HU":
        yield from _verdict("air", "change in the air around the body", check.untouched.air, limits.air, "HU")
        yield from _verdict("metal", "change in metal", check.untouched.metal, limits.metal, "HU")


def _noise(check: Check, limits: Limits) -> Iterator[Verdict]:
    noise = check.noise
    ratio = noise.after / noise.before if noise.before > 0 else float("nan")
    yield from _verdict("noise", "noise after over noise before", ratio, limits.noise, "")
    shift = float("nan") if check.spectra is None else check.spectra.shift
    yield from _verdict("noise_peak", "shift of the noise spectrum's peak", shift, limits.noise_peak, "per mm")
    gain = float("nan") if check.leak is None else check.leak.gain
    yield from _verdict("slice_leak", "rise of noise correlation between slices", gain, limits.slice_leak, "")


def _structure(check: Check, limits: Limits) -> Iterator[Verdict]:
    edges = check.edges
    # Its error in the same units: both are the excess covariance, over different standard deviations.
    error = abs(edges.error * edges.lost_share / edges.correlation) if edges.correlation else 0.0
    sure = max(edges.lost_share - _ONE_SIDED * (error if isfinite(error) else 0.0), 0.0)
    what = f"share of edges removed ({edges.region or 'nowhere'})"
    yield from _verdict("edge_loss", what, edges.lost_share, limits.edge_loss, "", sure)


def _sharpness(sharpness: Sequence[Sharpness], limits: Limits) -> Iterator[Verdict]:
    for found in sharpness:
        if not LOWEST_CONTRAST <= abs(found.contrast) <= HIGHEST_CONTRAST:
            continue
        for name, value, error, limit in (
            ("f50", found.f50_change, found.f50_error, limits.sharpness_f50),
            ("f10", found.f10_change, found.f10_error, limits.sharpness_f10),
        ):
            sure = max(abs(value) - _ONE_SIDED * (error if isfinite(error) else 0.0), 0.0)
            what = f"relative change of {name} of {found.name}"
            yield from _verdict(f"sharpness_{name}", what, value, limit, "", sure)
