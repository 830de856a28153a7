"""Catphan 504: CTP528 (line pairs), CTP404 (rods, wire ramps), CTP515 (low contrast), CTP486 (uniform).

Offsets from the middle of the CTP404: The Phantom Laboratory, Catphan 504 manual, and pylinac's documentation (30, -30, -65 mm).
"""

from demottle.physics.phantoms.qa.catphan import (
    EDGE_RING,
    MODULE_HU,
    UNIFORM_HU,
    USEFUL,
    line_pairs,
    targets,
    uniform,
    wire_ramps,
)
from demottle.physics.phantoms.qa.layout import Layout, Module
from demottle.physics.phantoms.qa.materials import rod

RODS = (
    rod("air", -90, "air, top"),
    rod("PMP", -120),
    rod("LDPE", 180),
    rod("polystyrene", 120),
    rod("air", 90, "air, bottom"),
    rod("acrylic", 60),
    rod("Delrin", 0),
    rod("Teflon", -60),
)
"""Of the CTP404, which the 503 has too."""

LAYOUT = Layout(
    "catphan-504",
    "Catphan 504",
    200.0,
    (
        Module("CTP528", "line pairs", 30.0, 35.0, UNIFORM_HU, bars=line_pairs()),
        Module("CTP404", "rods", 0.0, 25.0, MODULE_HU, rods=RODS, ramps=wire_ramps()),
        Module("CTP515", "low contrast", -30.0, 35.0, UNIFORM_HU, rods=targets()),
        uniform("CTP486", -65.0, 35.0),
    ),
    USEFUL,
    EDGE_RING,
)
