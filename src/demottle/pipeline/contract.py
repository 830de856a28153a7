"""From a promise to what keeps it on one scan: measure the method once, with the edges that it lost and without, find the
strength, and refuse what cannot be kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from demottle.errors import PromiseError
from demottle.events import Listener, Progress, Stage
from demottle.image import Image
from demottle.methods import Denoiser
from demottle.methods.edges_put_back import EdgesPutBack
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
    edges_left,
    places_for_edges,
    with_discs,
)
from demottle.quality.contract.promise import Promise
from demottle.quality.contract.solve import refusal, strength_for, worth
from demottle.quality.contract.terms import Contract, terms_of


@dataclass(frozen=True, eq=False)
class Offer:
    """A way to keep a promise: what denoises, what it makes of the whole scan, and what that keeps."""

    denoiser: Denoiser
    full: Image
    curves: Curves


def offers_of(
    scan: Image, full: Image, denoiser: Denoiser, found: Fingerprint, seed: int, listener: Listener
) -> tuple[Offer, Offer]:
    """Measure what a method keeps of a scan: as it is, and with the edges that it lost put back.

    Args:
        scan: the scan; full: what the method makes of it.
        denoiser: the method, to be applied to the scan with discs in it.
        found: fingerprint of the scan.
        seed: for places and intervals.
        listener: told of the stage "promise".
    """
    told = 1 + 2 * len(CONTRASTS)

    def at(number: int) -> Listener:
        return lambda event: listener(Progress(Stage.PROMISE, number, told))

    sharper = EdgesPutBack(denoiser, found.correlation, found.noise_level)
    places, first, last = _where(full, seed)
    edges: list[tuple[Edges, Edges]] = []
    if len(places.centers) >= FEWEST_PLACES:
        part = scan if (first, last) == (0, scan.shape[0]) else scan.part(first, last)
        for number, contrast in enumerate(CONTRASTS):
            discs = with_discs(part, places, contrast)
            made = [denoiser(one, at(2 * number + which)) for which, one in enumerate(discs)]
            sharp = [sharper.finished(one, clean) for one, clean in zip(discs, made, strict=True)]
            edges.append((edges_left(discs, made, places, contrast), edges_left(discs, sharp, places, contrast)))
    offers = tuple(
        Offer(way, result, _curves(scan, result, [pair[number] for pair in edges], found, seed))
        for number, (way, result) in enumerate(((denoiser, full), (sharper, sharper.finished(scan, full))))
    )
    listener(Progress(Stage.PROMISE, told, told))
    return offers[0], offers[1]


def _curves(scan: Image, result: Image, edges: Sequence[Edges], found: Fingerprint, seed: int) -> Curves:
    return Curves(edges, flat_noise(scan, result, correlation=found.correlation), tissue_shifts(scan, result), seed)


def _where(full: Image, seed: int) -> tuple[Places, int, int]:
    """Places for discs, all within some slices, and which slices: few are enough, and they are denoised four times more."""
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
    """A promise and the way and the strength that were found for it, before it is held against the result."""

    promise: Promise
    offer: Offer
    strength: float

    def contract(self, check: Check | None = None) -> Contract:
        """What is kept: foretold, or with the CT numbers of the check of the result itself."""
        curves, denoiser = self.offer.curves, self.offer.denoiser
        places = len(curves.edges[0].left) if curves.edges else 0
        terms = terms_of(self.promise, curves, self.strength, check)
        edges = isinstance(denoiser, EdgesPutBack)
        return Contract(self.promise, denoiser.method, self.strength, terms, places, edges)

    def held(self, check: Check | None = None) -> Contract:
        """Return what is kept.

        Raises:
            PromiseError: says what is not, and what could be promised.
        """
        found = self.contract(check)
        if found.broken:
            error = refusal(found, self.offer.curves)
            error.denoiser = self.offer.denoiser
            raise error
        return found


def strike(promise: Promise, found: Found, full: Image, denoiser: Denoiser, seed: int, listener: Listener) -> Bargain:
    """Find the way and the strength that keep a promise; `full`: what the method makes of the scan.

    Raises:
        PromiseError: says what cannot be kept, or cannot be measured, and what to do.
    """
    offers = offers_of(found.image, full, denoiser, found.fingerprint, seed, listener)
    _refuse_unmeasurable(promise, offers[0].curves)
    bargain = best_of(promise, offers)
    bargain.held()
    return bargain


def best_of(promise: Promise, offers: Sequence[Offer]) -> Bargain:
    """Return the offer that keeps a promise best, with its strength (`solve.worth`); the first of those that are as good."""
    bargains = [Bargain(promise, offer, strength_for(promise, offer.curves)) for offer in offers]
    return max(bargains, key=lambda bargain: worth(bargain.contract(), bargain.offer.curves))


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
