"""How many photons each ray gets, and the noise they leave in the logarithm.

Variance of a line integral at n photons and electronic noise of e photons rms (J. Hsieh, Computed Tomography, chapter 7):
`1 / n + e^2 / n^2`, where `n = N m(view) exp(-L - B(ray))`: N photons at the unattenuated detector, tube-current modulation
m, line integral L and bow-tie B. At the fraction d of the dose n becomes d n, so what has to be added is

    added = (1 / d - 1) / n + (1 / d^2 - 1) e^2 / n^2        (L. Yu et al., J Comput Assist Tomogr 36, 2012)
"""

from dataclasses import dataclass

import numpy as np

from demottle.physics.ct.ct_noise import bow_tie_path
from demottle.physics.ct.projection import FloatArray
from demottle.physics.low_dose.beam import Beam

MOST_VARIANCE = 1.0
"""Limit of one added line integral: where hardly a photon arrives scanners clamp the logarithm, and so does this."""
_LEAST_CURRENT, _MOST_CURRENT = 0.2, 4.0  # of the mean: what tubes and generators can do within a turn


@dataclass(frozen=True)
class Tube:
    """What decides how photons are spread over the rays.

    Attributes:
        water: attenuation of water in 1/mm.
        electronic: electronic noise in photons rms.
        bow_tie: 0 for none, 1 for a filter that fully flattens a water cylinder of `diameter_mm`.
        diameter_mm: diameter of the field that the bow-tie is made for.
        modulation: current ~ exp(modulation * largest line integral of the view); 0 for a constant current.
        lag: degrees by which the current follows the patient late.
        hardening: a ray's attenuation as a power of `exp(line integral)`: below 1 because thick objects harden the beam.
    """

    water: float
    electronic: float
    bow_tie: float
    diameter_mm: float
    modulation: float
    hardening: float = 1.0
    lag: float = 0.0


def rays_per_photon(integrals: FloatArray, beam: Beam, tube: Tube) -> FloatArray:
    """Return `N / n` of every ray, shape (views, bins): its attenuation, bow-tie and modulation taken together."""
    radius = max(tube.diameter_mm / 2, 1.0)
    path = bow_tie_path(np.clip(beam.distances, -radius, radius), radius, tube.bow_tie, tube.water)
    # float32 ends at exp(88); no scanner sees through exp(25).
    attenuation = np.exp(np.minimum(np.float32(tube.hardening) * integrals + path, 25.0))
    return np.asarray(attenuation / current(integrals, tube.modulation, tube.lag / beam.turn)[:, None])


def current(integrals: FloatArray, modulation: float, late: float = 0.0) -> FloatArray:
    """Tube current of every view, mean 1, between 0.2 and 4; `late`: the share of these views by which it lags."""
    if modulation == 0:
        return np.ones(len(integrals), np.float32)
    highest = integrals.max(axis=1).astype(np.float64)
    if late:
        views = np.arange(len(highest))
        highest = np.interp(views - late * len(views), views, highest, period=len(views))
    relative = np.exp(modulation * (highest - highest.mean()))
    relative = np.clip(relative / relative.mean(), _LEAST_CURRENT, _MOST_CURRENT)
    return np.asarray(relative / relative.mean(), np.float32)


def added_variance(rays: FloatArray, photons: float, dose: float, tube: Tube) -> FloatArray:
    """Variance to add to every line integral, by the formula above, at most `MOST_VARIANCE`."""
    inverse = rays / np.float32(photons)
    quantum, electronic = 1 / dose - 1, (1 / dose**2 - 1) * tube.electronic**2
    variance = np.float32(quantum) * inverse + np.float32(electronic) * inverse**2
    return np.asarray(np.minimum(variance, MOST_VARIANCE))
