"""From what was measured on an image to a method and its settings, with the reasons in words. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from demottle.errors import UnsuitableError
from demottle.methods.registry import method as look_up
from demottle.noise.fingerprint import Fingerprint

DEFAULT = "matched-neighbors"
FOR_MR = "nl-bayes"
CLASSICAL = "spectral-wiener"
_FEWEST_SLICES = 3
_LEAST_MATCHED = 0.25
_MOST_CORRELATION = 0.8  # beyond, the decorrelated target's noise is more than three times the slice's own
_SMALLEST_SIDE = 64
_FEWEST_PIXELS = 16
_ONE_SLICE_OF_MR = (
    "A single slice has no neighbors to learn from, so nothing is learned: small pieces of it that look alike tell of "
    "each other."
)
_WHY_NOT_LEARNED = (
    "MR volumes repeat their anatomy from slice to slice more than they repeat their noise, and fine folds at this noise teach a "
    "network less than cubes that look alike tell of each other: so nothing is learned."
)


@dataclass(frozen=True)
class Plan:
    """A method, its settings where they differ from the defaults, and the reasons in sentences."""

    method: str
    settings: Mapping[str, Any]
    reasons: tuple[str, ...]


def make_plan(fingerprint: Fingerprint, method: str | None = None, settings: Mapping[str, Any] | None = None) -> Plan:
    """Choose a method from what was measured; a method or settings asked for take precedence.

    Raises:
        InputError: for an unknown method.
        UnsuitableError: for a method for sequences of frames.
    """
    if method is not None:
        if not look_up(method).takes(sequence=False):
            raise UnsuitableError(
                f"{method} is for runs of frames, but this is a volume of slices; see 'demottle methods'."
            )
        return Plan(method, dict(settings or {}), (f"{method} was asked for.",))
    if fingerprint.modality == "MR" and min(fingerprint.shape[1:]) >= _FEWEST_PIXELS:
        return Plan(
            FOR_MR, dict(settings or {}), (_ONE_SLICE_OF_MR if fingerprint.shape[0] == 1 else _WHY_NOT_LEARNED,)
        )
    obstacle = obstacle_to_learning(fingerprint)
    if obstacle is not None:
        kind = "knows the noise spectrum" if fingerprint.spectrum is not None else "takes the noise as white"
        if fingerprint.spectrum is not None and fingerprint.shape[0] == 1:
            kind += " (roughly: it was measured in the flattest tissue of the slice itself)"
        reasons = (f"{obstacle} So the scan cannot teach a network, and a classical filter that {kind} is used.",)
        return Plan(CLASSICAL, dict(settings or {}), reasons)
    return Plan(DEFAULT, dict(settings or {}), tuple(_reasons(fingerprint)))


def obstacle_to_learning(fingerprint: Fingerprint) -> str | None:
    """Say in a sentence why neighboring slices of this scan cannot be learned from; None where they can."""
    slices, rows, columns = fingerprint.shape
    if slices < _FEWEST_SLICES:
        return (
            f"The image has {slices} slice{'s' if slices > 1 else ''}; learning from neighbors needs {_FEWEST_SLICES}."
        )
    if min(rows, columns) < _SMALLEST_SIDE:
        return f"The slices have {rows} x {columns} pixels; learning needs {_SMALLEST_SIDE} x {_SMALLEST_SIDE}."
    if not np.isfinite(fingerprint.noise_level) or not fingerprint.correlation.rho:
        return "The noise cannot be measured: there is no flat soft tissue."
    if fingerprint.spectrum is None:
        return "The noise spectrum cannot be measured: there is too little uniform tissue."
    rho = fingerprint.correlation.rho
    if not np.isfinite(rho[0]):
        return "The correlation of the noise between slices cannot be measured."
    if not np.isfinite(fingerprint.matched_share[0]) or fingerprint.matched_share[0] < _LEAST_MATCHED:
        return (
            f"Only {100 * fingerprint.matched_share[0]:.0f} % of the tissue is the same in neighboring slices "
            f"(at least {100 * _LEAST_MATCHED:.0f} % are needed)."
        )
    if min(rho[:4]) > _MOST_CORRELATION:
        return (
            f"Neighboring slices share their noise almost fully (correlation {rho[0]:.2f}, {min(rho[:4]):.2f} at best)."
        )
    return None


def _reasons(fingerprint: Fingerprint) -> list[str]:
    rho = fingerprint.correlation.at(1)
    share = 100 * fingerprint.matched_share[0]
    reasons = [f"{share:.0f} % of the soft tissue is the same in the next slice, so neighbors can serve as targets."]
    if rho <= 0.05:
        reasons.append(f"The noise of neighboring slices is independent (correlation {rho:.2f}).")
    else:
        reasons.append(
            f"Neighboring slices share noise (correlation {rho:.2f}); targets are corrected for it, because a network that "
            f"learned from them as they are would hand {100 * rho:.0f} % of the noise back."
        )
    low, high = fingerprint.noise_range
    if high > 1.6 * low:
        reasons.append(
            f"The noise is uneven ({low:.0f} to {high:.0f} {fingerprint.unit}); tolerance and weights follow the local level."
        )
    return reasons
