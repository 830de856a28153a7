"""From a promise to the strength that keeps it on one scan: measure the method once, solve, and refuse what cannot be kept."""

from dataclasses import dataclass
from functools import partial

from demottle.errors import PromiseError
from demottle.events import Listener, Progress, Stage
from demottle.image import Image
from demottle.methods import Denoiser
from demottle.noise.fingerprint import Fingerprint
from demottle.pipeline.kind import Found
from demottle.quality.check.level import flat_noise
from demottle.quality.check.shifts import tissue_shifts
from demottle.quality.check.whole import Check
from demottle.quality.contract.curves import Curves
from demottle.quality.contract.inserted import (
    CONTRASTS,
    FEWEST_PLACES,
    MOST_SLICES,
    Edges,
    Places,
    measure_edges,
    places_for_edges,
)
from demottle.quality.contract.promise import Promise
from demottle.quality.contract.solve import refusal, strength_for
from demottle.quality.contract.terms import Contract, terms_of


def curves_of(
    scan: Image, full: Image, denoiser: Denoiser, found: Fingerprint, seed: int, listener: Listener
) -> Curves:
    """Measure what a method keeps of a scan.

    Args:
        scan: the scan; full: what the method makes of it.
        denoiser: the method, to be applied to the scan with discs in it.
        found: fingerprint of the scan.
        seed: for places and intervals.
        listener: told of the stage "promise".
    """
    told = 1 + len(CONTRASTS)

    def at(number: int) -> Listener:
        return lambda event: listener(Progress(Stage.PROMISE, number, told))

    places, first, last = _where(full, seed)
    edges: list[Edges] = []
    if len(places.centers) >= FEWEST_PLACES:
        whole = (first, last) == (0, scan.shape[0])
        part = scan if whole else scan.part(first, last)
        plain = full if whole else denoiser(part, at(0))
        for number, contrast in enumerate(CONTRASTS, start=1):
            edges.append(measure_edges(part, plain, partial(denoiser, listener=at(number)), places, contrast))
    noise = flat_noise(scan, full, correlation=found.correlation)
    made = Curves(edges, noise, tissue_shifts(scan, full), seed)
    listener(Progress(Stage.PROMISE, told, told))
    return made


def _where(full: Image, seed: int) -> tuple[Places, int, int]:
    """Places for discs, all within some slices, and which slices: few are enough, and they are denoised again twice."""
    slices = full.shape[0]
    if slices <= MOST_SLICES:
        return places_for_edges(full, seed), 0, slices
    anywhere = places_for_edges(full, seed).centers
    starts = range(0, slices - MOST_SLICES + 1, MOST_SLICES // 4)
    first = max(starts, key=lambda start: sum(start <= z < start + MOST_SLICES for z, _, _ in anywhere))
    last = first + MOST_SLICES
    return places_for_edges(full.part(first, last), seed), first, last


@dataclass(frozen=True, eq=False)
class Bargain:
    """A promise and the strength that was found for it, before it is held against the result."""

    promise: Promise
    curves: Curves
    method: str
    strength: float
    denoiser: Denoiser | None = None

    def contract(self, check: Check | None = None) -> Contract:
        """What is kept: foretold, or with the CT numbers of the check of the result itself."""
        places = len(self.curves.edges[0].left) if self.curves.edges else 0
        terms = terms_of(self.promise, self.curves, self.strength, check)
        return Contract(self.promise, self.method, self.strength, terms, places)

    def held(self, check: Check | None = None) -> Contract:
        """Return what is kept.

        Raises:
            PromiseError: says what is not, and what could be promised.
        """
        found = self.contract(check)
        if found.broken:
            error = refusal(found, self.curves)
            error.denoiser = self.denoiser
            raise error
        return found


def strike(promise: Promise, found: Found, full: Image, denoiser: Denoiser, seed: int, listener: Listener) -> Bargain:
    """Find the strength that keeps a promise; `full`: what the method makes of the scan.

    Raises:
        PromiseError: says what cannot be kept, or cannot be measured, and what to do.
    """
    curves = curves_of(found.image, full, denoiser, found.fingerprint, seed, listener)
    _refuse_unmeasurable(promise, curves)
    bargain = Bargain(promise, curves, denoiser.method, strength_for(promise, curves), denoiser)
    bargain.held()
    return bargain


def _refuse_unmeasurable(promise: Promise, curves: Curves) -> None:
    if promise.keep_mtf is not None and not curves.edges:
        raise PromiseError(
            "The sharpness of this scan cannot be measured: there is no room for discs in soft tissue without strong edges; "
            "nothing was written. Promise no sharpness, or give more slices."
        )
    if promise.noise is not None and not curves.noise_change(1.0) < 1:
        raise PromiseError(
            "The noise of this scan cannot be measured: it has no flat soft tissue; nothing was written. Promise no noise."
        )
    if promise.keep_hu is not None and not curves.shifts:
        raise PromiseError(
            "The CT numbers of this scan cannot be compared: no tissue is large enough; nothing was written. Promise none."
        )
