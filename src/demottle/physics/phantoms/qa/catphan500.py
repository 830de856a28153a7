"""Catphan 500: CTP401 (four rods, wire ramps), CTP528 (line pairs), CTP515 (low contrast), CTP486 (uniform).

Offsets: The Phantom Laboratory, Catphan 500 and 600 manual (2010), "Incremental phantom module positioning" (30, 70, 110 mm).
Rods of the CTP401: LDPE on the right, air below, Teflon on the left, acrylic on top, as the CTP401 analyzer of the Catphan
analysis library Alexandria (pypi.org/project/alexandria-project) has them.
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

LAYOUT = Layout(
    "catphan-500",
    "Catphan 500",
    200.0,
    (
        Module(
            "CTP401",
            "rods",
            0.0,
            25.0,
            MODULE_HU,
            rods=(rod("LDPE", 0), rod("air", 90), rod("Teflon", 180), rod("acrylic", -90)),
            ramps=wire_ramps(),
        ),
        Module("CTP528", "line pairs", -30.0, 35.0, UNIFORM_HU, bars=line_pairs(174.3, 1)),
        Module("CTP515", "low contrast", -70.0, 40.0, UNIFORM_HU, rods=targets(180.0)),
        uniform("CTP486", -110.0),
    ),
    USEFUL,
    EDGE_RING,
)
