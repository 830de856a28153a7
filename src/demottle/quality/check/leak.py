"""Did noise leak between slices? Methods that look at neighboring slices can hand a slice the noise of its neighbors."""

from dataclasses import dataclass
from math import isfinite

from demottle.image import Image
from demottle.noise.correlation import Correlation, slice_correlation
from demottle.noise.shared import Shared, shared_noise

NOTICEABLE = 0.15
_INDEPENDENT = 0.2
UNSEEN = 0.1
"""Noise that neighboring slices share, over the noise before, below which no spot of it is seen in several slices."""

UNTOLD = Shared(float("nan"), float("nan"))
"""Where it was not measured."""


@dataclass(frozen=True)
class Leak:
    """Noise correlation of neighboring slices (or frames), before and after.

    Attributes:
        before, after: correlation at lags 1, 2, ..., what anatomy shares taken out (`demottle.noise.correlation`).
        gain: rise at the worst of lags 1 to 3; 0 where nothing rose; NaN where it could not be measured.
        shared: the noise that slices of a CT share afterwards, in the flattest tissue (`demottle.noise.shared`).
    """

    before: Correlation
    after: Correlation
    gain: float
    shared: Shared = UNTOLD

    @property
    def noticeable(self) -> bool:
        """True where the correlation rose by 0.15 or more: slices look alike, and reformats look streaked.

        Of CT only where the noise that they share is surely a tenth of the noise before: what else they share is anatomy, or of
        hardly any noise.
        """
        return isfinite(self.gain) and self.gain >= NOTICEABLE and not self.shared.sure < UNSEEN


def slice_leak(before: Image, after: Image, correlation: Correlation | None = None) -> Leak:
    """Compare the noise correlation between slices before and after.

    The noise of CT that slices share is held against the noise before as well (`demottle.noise.shared`), in the flattest tissue.

    Any smoothing within a slice makes a small correlation larger, since it removes more of the fine grain that slices do
    not share; an average over slices makes it much larger (of three slices: 0.67).

    Outside of CT there is no flat third of the tissue: fine anatomy that neighboring slices share is little beside the noise
    before, and much beside what is left of it. Where slices shared little before (a correlation below 0.2), all of that is
    taken for anatomy, and taken out of what they share afterwards: the same covariance, not the same share.

    Args:
        before, after: images of the same shape.
        correlation: correlation of `before`, where it is known already.
    """
    first = slice_correlation(before) if correlation is None else correlation
    anatomy: tuple[float, ...] = ()
    if before.unit != "HU" and first.rho and isfinite(first.rho[0]) and first.rho[0] < _INDEPENDENT:
        anatomy = tuple(max(value, 0.0) for value in first.covariance if isfinite(value))
    second = slice_correlation(after, anatomy=anatomy)
    rises = [b - a for a, b in zip(first.rho[:3], second.rho[:3], strict=False) if isfinite(a) and isfinite(b)]
    shared = shared_noise(before, after) if before.unit == "HU" else UNTOLD
    return Leak(first, second, max(0.0, *rises) if rises else float("nan"), shared)


def unseen(leak: Leak, ratio: float) -> bool:
    """True where slices share less than a tenth of the noise that was there: of hardly any noise any share is small.

    Of CT that is measured in the flattest tissue, and counts as far as it is proven: the levels after denoising, and what
    slices share of them, may be of anatomy where little tissue is flat (a child's chest, the surroundings of metal).

    Args:
        leak: what was found.
        ratio: noise after over noise before; where `leak.shared` is known it is not needed.
    """
    if isfinite(leak.shared.share):
        return leak.shared.sure < UNSEEN
    shared = [rho for rho in leak.after.rho[:3] if isfinite(rho)]
    return bool(shared) and max(0.0, *shared) ** 0.5 * ratio < UNSEEN
