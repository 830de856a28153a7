"""Catphan 503: CTP404 (rods, wire ramps), CTP528 (line pairs), CTP486 (uniform).

Offsets: The Phantom Laboratory, Catphan 503 manual (2017), and pylinac's documentation (-30, -110 mm).
"""

from demottle.physics.phantoms.qa.catphan import (
    EDGE_RING,
    MODULE_HU,
    UNIFORM_HU,
    USEFUL,
    line_pairs,
    uniform,
    wire_ramps,
)
from demottle.physics.phantoms.qa.catphan504 import RODS
from demottle.physics.phantoms.qa.layout import Layout, Module

LAYOUT = Layout(
    "catphan-503",
    "Catphan 503",
    200.0,
    (
        Module("CTP404", "rods", 0.0, 25.0, MODULE_HU, rods=RODS, ramps=wire_ramps()),
        Module("CTP528", "line pairs", -30.0, 35.0, UNIFORM_HU, bars=line_pairs(0.0, 1)),
        uniform("CTP486", -110.0, 60.0),
    ),
    USEFUL,
    EDGE_RING,
)
