"""Nominal CT numbers of the plastics in the rods of Catphan phantoms, near 120 kVp.

Ranges: The Phantom Laboratory, "Nominal material formulation and specific gravity" in the Catphan 503 manual (2017, page 15) and
those of the 604 and 700 for bone and lung; the nominal value is about the middle of the range, as in pylinac's documentation.
"""

from demottle.physics.phantoms.qa.layout import Rod

RANGES: dict[str, tuple[float, float, float]] = {
    "air": (-1000, -1046, -986),
    "lung": (-868, -925, -810),
    "PMP": (-196, -220, -172),
    "LDPE": (-104, -121, -87),
    "polystyrene": (-47, -65, -29),
    "water": (0, -7, 7),
    "acrylic": (115, 92, 137),
    "bone 20 %": (237, 211, 263),
    "Delrin": (365, 344, 387),
    "bone 50 %": (725, 667, 783),
    "Teflon": (1000, 941, 1060),
}
"""Nominal, lowest and highest CT number."""
RING, DIAMETER = 58.7, 12.2
"""Of the rods of all Catphans, in mm."""


def rod(material: str, angle: float, name: str = "", ring: float = RING, optional: bool = False) -> Rod:
    """A rod of a Catphan."""
    hu, low, high = RANGES[material]
    return Rod(name or material, hu, angle, ring, DIAMETER, low, high, optional=optional)
