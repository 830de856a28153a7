"""Catphan 700: CTP682 (rods with lung and bone, two wire ramps), CTP714 (line pairs), CTP515 (low contrast), CTP712 (uniform).

Offsets and angles: The Phantom Laboratory, Catphan 700 manual, and the settings of pylinac (-40, -80, -160 mm; ramps above
and below at 40 mm, beads at the sides, which are not measured; the line pairs of its CTP714 are laid out otherwise and are
not either).
"""

from demottle.physics.phantoms.qa.catphan import EDGE_RING, MODULE_HU, UNIFORM_HU, USEFUL, targets, uniform, wire_ramps
from demottle.physics.phantoms.qa.layout import Layout, Module
from demottle.physics.phantoms.qa.materials import rod

LAYOUT = Layout(
    "catphan-700",
    "Catphan 700",
    200.0,
    (
        Module(
            "CTP682",
            "rods",
            0.0,
            25.0,
            MODULE_HU,
            rods=(
                rod("air", -90),
                rod("PMP", -60),
                rod("lung", -15),
                rod("Delrin", 15),
                rod("polystyrene", 60),
                rod("Teflon", 90),
                rod("bone 20 %", 120),
                rod("LDPE", 165),
                rod("bone 50 %", -165),
                rod("acrylic", -120),
                rod("water", -45, "water (vial)", ring=28.0, optional=True),
            ),
            ramps=wire_ramps("top", "bottom"),
        ),
        Module("CTP714", "other", -40.0, 40.0, UNIFORM_HU),
        Module("CTP515", "low contrast", -80.0, 40.0, UNIFORM_HU, rods=targets(180.0)),
        Module("CTP721/723", "other", -120.0, 40.0, UNIFORM_HU),
        uniform("CTP712", -160.0),
    ),
    USEFUL,
    EDGE_RING,
)
