"""A promise and what was found of it, term by term: kept, not shown to be kept, broken, or not promised.

A term is kept where the worse end of its 95 % interval keeps it, broken where the figure itself does not, and not shown in
between: the figure keeps it, but chance alone may have put it there. A promise with a broken term is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from demottle.quality.check.shifts import TissueShift
from demottle.quality.check.whole import Check
from demottle.quality.contract.curves import Curves, Measured, farthest, within
from demottle.quality.contract.promise import Promise
from demottle.quality.to_plain import plain

KEPT, NOT_SHOWN, BROKEN, NOT_PROMISED = "kept", "not shown", "broken", "not promised"
NOISE_TOLERANCE = 0.02
"""By how much the noise may miss what was promised: 2 % of the noise of the scan."""


@dataclass(frozen=True)
class Term:
    """One term.

    Attributes:
        name: "keep_mtf", "keep_hu" or "noise".
        what: what was measured, for a reader, without an article.
        promised: the limit, or the noise asked for; None: not promised.
        found: what was found, with its 95 % interval; shares of f50, HU, or the change of the noise.
        status: "kept", "not shown", "broken" or "not promised".
    """

    name: str
    what: str
    promised: float | None
    found: Measured
    status: str

    @property
    def sentence(self) -> str:
        """What was found, with its interval."""
        figure, interval = self.in_words
        return f"{self.what} {figure} (95 % interval {interval})"

    @property
    def limit(self) -> str:
        """What was promised, for a reader; empty where nothing was."""
        if self.promised is None:
            return ""
        if self.name == "keep_hu":
            return f"within {self.promised:g} HU"
        return f"{'' if self.name == 'noise' else 'at least '}{100 * self.promised:g} %"

    @property
    def in_words(self) -> tuple[str, str]:
        """The figure with its unit, and both ends of its interval."""
        hu, signed = self.name == "keep_hu", self.name in ("keep_hu", "noise")
        unit, scale, places = ("HU", 1, 2) if hu else ("%", 100, 1)
        value, low, high = (
            f"{scale * v:{'+' if signed else ''}.{places}f}"
            for v in (self.found.value, self.found.low, self.found.high)
        )
        return f"{value} {unit}", f"{low} to {high}"


@dataclass(frozen=True)
class Contract:
    """A promise, how it is held, and what was found.

    Attributes:
        promise: what was promised.
        method: name of the method; strength: the strength that was found.
        terms: what was found, term by term.
        places: how many discs were put in, of each contrast.
        edges: edges that the method lost were put back (`methods.one_scan.lost_edges`).
    """

    promise: Promise
    method: str
    strength: float
    terms: tuple[Term, ...]
    places: int
    edges: bool = False

    @property
    def broken(self) -> tuple[Term, ...]:
        """The terms that are not kept."""
        return tuple(term for term in self.terms if term.status == BROKEN)

    @property
    def not_shown(self) -> tuple[Term, ...]:
        """The terms that are kept, but perhaps by chance."""
        return tuple(term for term in self.terms if term.status == NOT_SHOWN)

    @property
    def shown(self) -> tuple[Term, ...]:
        """The terms worth a line: what was promised, sharpness, noise, and of the means the one that moved most."""
        means = [term for term in self.terms if term.name == "keep_hu"]
        rest = [term for term in self.terms if term.name != "keep_hu"]
        return (*rest, *means[:1])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is kept but not shown, in a sentence for each."""
        return tuple(f"Promised, but not shown to be kept: {term.sentence}." for term in self.not_shown)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        told: dict[str, Any] = plain(
            {
                "promise": self.promise,
                "method": self.method,
                "strength": round(self.strength, 4),
                "places": self.places,
                "edges": self.edges,
                "terms": self.terms,
            }
        )
        return told


def terms_of(promise: Promise, curves: Curves, strength: float, check: Check | None = None) -> tuple[Term, ...]:
    """Hold a promise against what was measured.

    Args:
        promise: what was promised.
        curves: what was measured of a method.
        strength: the strength that is looked at.
        check: the check of the result itself, where it was made: its CT numbers count then.
    """
    sharp: list[Term] = []
    for number, edges in enumerate(curves.edges):
        f50, f10, contrast = curves.sharpness(number, strength)
        of = f"of edges of {edges.contrast:g} HU"
        sharp.append(Term("keep_mtf", f"f50 {of}", promise.keep_mtf, f50, _of_least(f50, promise.keep_mtf)))
        sharp.append(Term("keep_mtf", f"f10 {of}", None, f10, NOT_PROMISED))
        sharp.append(Term("keep_mtf", f"contrast {of}", None, contrast, NOT_PROMISED))
    means = sorted(_means(promise, curves, strength, check), key=lambda t: -max(abs(t.found.low), abs(t.found.high)))
    noise = curves.noise(strength)
    return (
        *sharp,
        *means,
        Term("noise", "noise in flat soft tissue", promise.noise, noise, _of_noise(noise, promise.noise)),
    )


def _means(promise: Promise, curves: Curves, strength: float, check: Check | None) -> Iterator[Term]:
    """Every tissue that was measured: as the check of the result found it, where it could, else as foretold."""
    found = {} if check is None else {shift.name: shift for shift in check.tissues if shift.name != "air"}
    foretold = {shift.name: shift for shift in curves.shifts if shift.name not in found}
    yield from (_of_mean(shift, 1.0, promise.keep_hu) for shift in found.values())
    yield from (_of_mean(shift, strength, promise.keep_hu) for shift in foretold.values())


def _of_least(found: Measured, least: float | None) -> str:
    if least is None:
        return NOT_PROMISED
    return BROKEN if not found.value >= least else KEPT if found.low >= least else NOT_SHOWN


def _of_mean(shift: TissueShift, scale: float, most: float | None) -> Term:
    found = within(shift)
    scaled = Measured(scale * found.value, scale * found.low, scale * found.high)
    status = NOT_PROMISED
    if most is not None:
        status = BROKEN if abs(scaled.value) > most else KEPT if scale * farthest(shift) <= most else NOT_SHOWN
    return Term("keep_hu", f"mean of {shift.name}", most, scaled, status)


def _of_noise(found: Measured, promised: float | None) -> str:
    """Kept where the interval, which is of chance, holds what was promised, to a tolerance."""
    if promised is None:
        return NOT_PROMISED
    away = found.value - promised
    return BROKEN if not away <= NOISE_TOLERANCE else KEPT if found.high - promised <= NOISE_TOLERANCE else NOT_SHOWN
