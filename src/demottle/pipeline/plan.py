"""From what was measured on an image to a method and its settings, with the reasons in words. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from demottle.errors import UnsuitableError
from demottle.methods.registry import method as look_up
from demottle.noise.fingerprint import Fingerprint

DEFAULT = "guided-bayes"
FOR_MR = "nl-bayes"
FOR_FEW = "guided-bayes"
"""For CT of so few slices that neighbors teach little or nothing; there it costs seconds."""
_FOR_FEW_SETTINGS = {"kept": 0.5, "coarse": 0.0, "start_kept": (0.75, 1.0)}
"""With which it was measured on one to three slices."""
FOR_FEW_UNLEARNED = "nl-bayes"
CLASSICAL = "spectral-wiener"
FEW = 3
_LEAST_MATCHED = 0.25
_MOST_CORRELATION = 0.8  # beyond, the decorrelated target's noise is more than three times the slice's own
_SMALLEST_SIDE = 64
_FEWEST_PIXELS = 16
_ONE_SLICE_OF_MR = (
    "A single slice has no neighbors to learn from, so nothing is learned: small pieces of it that look alike are estimated "
    "together."
)
_WHY_NOT_LEARNED = (
    "MR volumes repeat their anatomy from slice to slice more than they repeat their noise, and fine folds at this noise teach a "
    "network less than similar cubes tell about one another: so nothing is learned."
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
    if fingerprint.shape[0] <= FEW and min(fingerprint.shape[1:]) >= _FEWEST_PIXELS:
        return _plan_for_few(fingerprint, dict(settings or {}))
    obstacle = obstacle_to_learning(fingerprint)
    if obstacle is not None:
        kind = "knows the noise spectrum" if fingerprint.spectrum is not None else "takes the noise as white"
        reasons = (f"{obstacle} So the scan cannot teach a network, and a classical filter that {kind} is used.",)
        return Plan(CLASSICAL, dict(settings or {}), reasons)
    return Plan(DEFAULT, dict(settings or {}), tuple(_reasons(fingerprint)))


def obstacle_to_learning(fingerprint: Fingerprint) -> str | None:
    """Say in a sentence why neighboring slices of this scan cannot be learned from; None where they can."""
    obstacle = _obstacle_within_slices(fingerprint)
    if obstacle is not None:
        return obstacle
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


def _obstacle_within_slices(fingerprint: Fingerprint) -> str | None:
    """Say why not even a slice by itself can be learned from; None where it can."""
    _, rows, columns = fingerprint.shape
    if min(rows, columns) < _SMALLEST_SIDE:
        return f"The slices have {rows} x {columns} pixels; learning needs {_SMALLEST_SIDE} x {_SMALLEST_SIDE}."
    if not np.isfinite(fingerprint.noise_level):
        return "The noise cannot be measured: there is no flat soft tissue."
    if fingerprint.spectrum is None:
        return "The noise spectrum cannot be measured: there is too little uniform tissue."
    return None


def _plan_for_few(fingerprint: Fingerprint, settings: dict[str, Any]) -> Plan:
    """A single slice or a thin stack."""
    slices = fingerprint.shape[0]
    image = "A single slice" if slices == 1 else f"A stack of {slices} slices"
    obstacle = _obstacle_within_slices(fingerprint)
    if obstacle is None and fingerprint.unit != "HU":
        obstacle = "The image is not CT in HU, for which the network that learning begins with was trained."
    if obstacle is not None:
        reason = f"{obstacle} So nothing is learned: small pieces of the image that look alike are estimated together."
        return Plan(FOR_FEW_UNLEARNED, settings, (reason,))
    teaching = "has no neighbors to learn from" if slices == 1 else "has few neighbors to learn from"
    reasons = [
        f"{image} {teaching}: a network that knows noise from simulations is told the measured spectrum and local level, adapts "
        "to the image with noise of that kind added, and guides an estimate from small pieces that look alike."
    ]
    if slices == 1:
        reasons.append(
            "The noise spectrum is known roughly: it was measured in the flattest tissue of the slice itself."
        )
    # Of a single slice what cubes say by themselves cannot make neighbors share noise.
    told = {**_FOR_FEW_SETTINGS, "look": 0.5 if slices == 1 else 0.0}
    return Plan(FOR_FEW, {**told, **settings}, tuple(reasons))


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
