"""Dose as a time: full dose at 0, the least dose at 1, and how noisy a scan is between.

Noise variance of CT goes with 1/dose. At a fraction d of full dose, whose noise has the standard deviation s_f, a scan has
`s_f / sqrt(d)`; it is the full-dose scan with noise of `s_f sqrt(1/d - 1)` added. Time is the logarithm of dose:
`d(t) = least^t`. Everything here takes numbers and arrays alike. Dose is told by noise: a patient twice as thick has less of it
at the same tube current.
"""

from math import inf, log, sqrt
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Doses = TypeVar("Doses", float, NDArray[np.float64])


def dose_at(time: Doses, least: float) -> Doses:
    """Return the fraction of full dose at a time: `least^t`; 1 at time 0, `least` at time 1."""
    return least**time  # type: ignore[no-any-return]


def time_of(dose: Doses, least: float) -> Doses:
    """Return the time of a fraction of full dose, `log d / log least`; negative beyond full dose."""
    return np.log(dose) / log(least)  # type: ignore[no-any-return]


def added_noise(dose: Doses) -> Doses:
    """Return the standard deviation of the noise that a dose has beyond full dose, in units of full dose's; 0 from 1 on."""
    return np.sqrt(np.maximum(1 / dose - 1, 0))  # type: ignore[no-any-return]


def dose_with(added: Doses) -> Doses:
    """Return the fraction of full dose that has so much noise beyond full dose (in units of that): undoes `added_noise`."""
    return 1 / (1 + added**2)


def dose_of_noise(level: float, full: float) -> float:
    """Return the fraction of full dose that a noise level stands for, `(full / level)^2`; infinite without noise.

    Args:
        level: standard deviation of a scan's noise.
        full: that of full dose.
    """
    return inf if level <= 0 else (full / level) ** 2


def share_removed(dose: float, wanted: float) -> float:
    """Return how much of `x - R` has to go for a scan of one dose to have the noise of another.

    R is the best guess at full dose, noise and all. Of two noises with one spectrum, s_f and the one added, it keeps the share
    that full dose has of the variance, which is the dose d. So with C the scan without any noise

        R = C + d (x - C),    x' = C + sqrt(d / D) (x - C)    =>    x' = x - (1 - sqrt(d / D)) / (1 - d) (x - R),

    which has the noise of dose D, whatever the number of steps. It is 0 where the scan has that dose or more already.

    Args:
        dose: d, the scan's fraction of full dose.
        wanted: D; above 1 less noise than full dose has, infinite: none.
    """
    if dose >= min(wanted, 1.0):
        return 0.0
    return (1 - sqrt(dose / wanted)) / (1 - dose)


def planned_doses(dose: float, wanted: float, passes: int, least: float) -> list[float]:
    """Return the dose after each of some passes, evenly spaced in time up to full dose, the last one `wanted`.

    Args:
        dose: of the scan; below `wanted` and 1.
        wanted: of the result; infinite: without noise.
        passes: 1 or more.
        least: dose at time 1.
    """
    first, last = time_of(dose, least), time_of(min(wanted, 1.0), least)
    between = [dose_at(first + (last - first) * number / passes, least) for number in range(1, passes)]
    return [*map(float, between), wanted]
