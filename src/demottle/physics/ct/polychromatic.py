"""A tube's photons of all energies, and what water, bone and aluminum let through of them.

Photons per energy follow Kramers' law, `N(E) ~ kVp / E - 1`, behind 7 mm of aluminum. The detector adds up energy, as those of
today's scanners do (J. Hsieh, Computed Tomography, chapters 2 and 7), so for N photons that leave the tube a ray gives

    signal = N sum(w E T),   variance = N sum(w E^2 T),   T = exp(-sum over materials of path times attenuation at E).

Attenuations are NIST XCOM's, of bone at 1.92 g/cm3.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.physics.ct.projection import FloatArray

Material = Literal["water", "bone", "aluminum"]

REFERENCE_KEV = 70.0
"""CT numbers are those of this energy once a scan is corrected for beam hardening in water."""
_FILTER_MM = 7.0
_STEP_KEV = 8.0
_KEV = (30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 150.0)
_PER_MM: dict[Material, tuple[float, ...]] = {
    "water": (0.03756, 0.02683, 0.02269, 0.02059, 0.01837, 0.01707, 0.01505),
    "bone": (0.25556, 0.12778, 0.08145, 0.06044, 0.04280, 0.03562, 0.02842),
    "aluminum": (0.30445, 0.15344, 0.09935, 0.07498, 0.05447, 0.04599, 0.03719),
}


@dataclass(frozen=True, eq=False)
class Transmission:
    """What of each photon that leaves the tube is measured behind an object.

    Attributes:
        signal: mean detected energy, in units of that of a photon nothing stands in the way of.
        square: mean of its square, in units of that energy squared.
        slope: how much -log(signal) rises with a line integral of water at `REFERENCE_KEV`: below 1 for thick objects.
    """

    signal: FloatArray
    square: FloatArray
    slope: FloatArray


def attenuation(material: Material, kev: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Attenuation in 1/mm at energies of 30 to 150 keV."""
    return np.exp(np.interp(np.log(kev), np.log(_KEV), np.log(_PER_MM[material])))


def tube_spectrum(kvp: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return energies in keV and the shares of the photons that have them.

    Raises:
        InputError: for a voltage outside 70 to 140 kV.
    """
    if not 70 <= kvp <= 140:
        raise InputError(f"The tube voltage is {kvp:g} kV; it has to lie between 70 and 140 kV.")
    kev = np.arange(34.0, kvp - 2, _STEP_KEV)
    photons = (kvp / kev - 1) * np.exp(-_FILTER_MM * attenuation("aluminum", kev))
    return kev, photons / photons.sum()


def transmitted(water: FloatArray, bone: FloatArray, aluminum: FloatArray, kvp: float) -> Transmission:
    """Let a spectrum through paths of water, bone and aluminum, in mm; shapes that fit together.

    Raises:
        InputError: as `tube_spectrum`.
    """
    kev, share = tube_spectrum(kvp)
    energy = float(share @ kev)
    shape = np.broadcast_shapes(water.shape, bone.shape, aluminum.shape)
    signal, square, hardness = (np.zeros(shape, np.float32) for _ in range(3))
    reference = float(attenuation("water", REFERENCE_KEV))
    per_mm = {material: attenuation(material, kev) for material in _PER_MM}
    for index, (one, weight) in enumerate(zip(kev / energy, share, strict=True)):
        path = water * np.float32(per_mm["water"][index]) + bone * np.float32(per_mm["bone"][index])
        through = np.exp(-(path + aluminum * np.float32(per_mm["aluminum"][index])))
        through *= np.float32(weight * one)
        signal += through
        square += through * np.float32(one)
        hardness += through * np.float32(per_mm["water"][index] / reference)
    return Transmission(signal, square, hardness / signal)
