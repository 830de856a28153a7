"""Catphan 600: CTP404 with a vial, CTP591 (beads), CTP528 (line pairs), CTP515 (low contrast), CTP486 (uniform).

Offsets: The Phantom Laboratory, Catphan 500 and 600 manual (2010), "Incremental phantom module positioning" (32.5, 70, 110,
150 mm); angles as the settings of pylinac tell them. The vial on top holds water or air, so it is measured only where it is
water.
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
    "catphan-600",
    "Catphan 600",
    200.0,
    (
        Module(
            "CTP404",
            "rods",
            0.0,
            25.0,
            MODULE_HU,
            rods=(
                rod("air", 90),
                rod("PMP", 60),
                rod("LDPE", 0),
                rod("polystyrene", -60),
                rod("acrylic", -120),
                rod("Delrin", 180),
                rod("Teflon", 120),
                rod("water", -90, "water (vial)", optional=True),
            ),
            ramps=wire_ramps(),
        ),
        Module("CTP591", "other", -32.5, 35.0, UNIFORM_HU),
        Module("CTP528", "line pairs", -70.0, 40.0, UNIFORM_HU, bars=line_pairs(174.3, 1)),
        Module("CTP515", "low contrast", -110.0, 40.0, UNIFORM_HU, rods=targets(180.0)),
        uniform("CTP486", -150.0),
    ),
    USEFUL,
    EDGE_RING,
)
