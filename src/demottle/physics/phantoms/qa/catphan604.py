"""Catphan 604: line pairs, CTP732 (rods with bone, wire ramps), CTP730 (low contrast), CTP729 (uniform).

Offsets and angles: The Phantom Laboratory, Catphan 604 manual, and the settings of pylinac (40, -40, -80 mm).
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
    "catphan-604",
    "Catphan 604",
    200.0,
    (
        Module("line pairs", "line pairs", 40.0, 40.0, UNIFORM_HU, bars=line_pairs()),
        Module(
            "CTP732",
            "rods",
            0.0,
            25.0,
            MODULE_HU,
            rods=(
                rod("air", -90, "air, top"),
                rod("PMP", -120),
                rod("bone 50 %", -150),
                rod("LDPE", 180),
                rod("polystyrene", 120),
                rod("air", 90, "air, bottom"),
                rod("acrylic", 60),
                rod("bone 20 %", 30),
                rod("Delrin", 0),
                rod("Teflon", -60),
            ),
            ramps=wire_ramps(),
        ),
        Module("CTP730", "low contrast", -40.0, 40.0, UNIFORM_HU, rods=targets()),
        uniform("CTP729", -80.0),
    ),
    USEFUL,
    EDGE_RING,
)
