"""Structured Noise2Void (Broaddus et al., ISBI 2020): Noise2Void that hides a pixel's neighbors along the noise's direction too.

Where the noise of a pixel can be told from that of those beside it, Noise2Void hands it back. So those are hidden as well: a
bar of pixels along the rows or the columns, or a square. How long it has to be is read from the measured spectrum: as far as
the correlation of the noise exceeds a tenth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError, UnsuitableError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods.base import Budget, Tensors
from demottle.methods.registry import name_of
from demottle.methods.rivals.blind_spot import BlindSpotLesson
from demottle.methods.rivals.plain_network import PlainNetwork
from demottle.methods.rivals.teaching import Ground, RivalSettings, restore_plain, teach
from demottle.noise.fingerprint import Fingerprint

NAME = name_of(__name__)
FARTHEST = 6
"""Longest half of a bar, pixels."""
_CORRELATED = 0.1
_DIRECTIONS = ("auto", "horizontal", "vertical", "both")


@dataclass(frozen=True)
class StructN2VSettings(RivalSettings):
    """Settings of the method.

    Attributes:
        direction: along which neighbors are hidden: "horizontal", "vertical", "both" (a square), or "auto": along the one of
            the first two in which the measured noise is more correlated.
        span: how many pixels on either side; 0: as far as the measured correlation exceeds 0.1, at least 1, at most 6.
        share: share of the pixels of a patch that are judged; with each, the others of its bar are hidden.
        channels, patch, batch, rate: as `RivalSettings`.
    """

    direction: Literal["auto", "horizontal", "vertical", "both"] = "auto"
    span: int = 0
    share: float = 0.01

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        if self.direction not in _DIRECTIONS:
            raise InputError(f'direction is "{self.direction}"; it has to be one of: {", ".join(_DIRECTIONS)}.')
        if not 0 <= self.span <= FARTHEST:
            raise InputError(f"span is {self.span}; it has to lie between 0 and {FARTHEST}.")
        if not 0 < self.share <= 0.5:
            raise InputError(f"share is {self.share}; it has to be above 0 and at most 0.5.")


Settings = StructN2VSettings


def fit(
    image: Image,
    settings: StructN2VSettings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> PlainNetwork:
    """Fit a network on the scan.

    Raises:
        UnsuitableError: where the noise level is not known, or the spectrum, if direction or span are to be read from it.
    """
    direction, span = bar(settings, fingerprint)

    def lesson(ground: Ground) -> BlindSpotLesson:
        return BlindSpotLesson(ground, settings.share, offsets(direction, span), span + 1, span + 3)

    facts = {"hidden_direction": direction, "hidden_span": span}
    return teach(NAME, image, settings, fingerprint, lesson, seed=seed, budget=budget, listener=listener, facts=facts)


def restore(settings: StructN2VSettings, fitted: Mapping[str, Any], tensors: Tensors) -> PlainNetwork:
    """Rebuild a saved network."""
    return restore_plain(NAME, settings, fitted, tensors)


def bar(settings: StructN2VSettings, fingerprint: Fingerprint) -> tuple[str, int]:
    """Return direction and span: those that are set, the others as measured.

    Raises:
        UnsuitableError: where there is no spectrum to read them from.
    """
    if settings.direction != "auto" and settings.span:
        return settings.direction, settings.span
    if fingerprint.spectrum is None:
        raise UnsuitableError(
            f"{NAME} reads from the noise spectrum what to hide, and this image offers none; set direction and span."
        )
    down, right = correlation(fingerprint.spectrum.density_2d)
    direction = settings.direction
    if direction == "auto":
        direction = "vertical" if np.abs(down).sum() > np.abs(right).sum() else "horizontal"
    seen = {"vertical": down, "horizontal": right}.get(direction, np.where(np.abs(down) > np.abs(right), down, right))
    beyond = np.flatnonzero(np.abs(seen) > _CORRELATED)
    return direction, settings.span or (int(beyond[-1]) + 1 if len(beyond) else 1)


def correlation(density_2d: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Correlation of the noise at 1 to `FARTHEST` pixels down and to the right, from its spectrum (n, n) in FFT order."""
    covariance = np.fft.ifft2(density_2d).real
    covariance /= covariance[0, 0]
    return covariance[1 : FARTHEST + 1, 0], covariance[0, 1 : FARTHEST + 1]


def offsets(direction: str, span: int) -> list[tuple[int, int]]:
    """Rows and columns of what is hidden with a pixel, the pixel itself among them."""
    reach = range(-span, span + 1)
    if direction == "both":
        return [(row, column) for row in reach for column in reach]
    return [(0, step) if direction == "horizontal" else (step, 0) for step in reach]
