"""The low-contrast phantom CCT189 (MITA): four discs through the whole module, the smaller the stronger.

Source: the public digital phantom of the FDA's LCD_CT toolbox (github.com/DIDSR/LCD_CT, CC0), as `low_contrast` has it: discs
on a ring of 0.2 body diameters. The maker's own is 200 mm wide, the digital one 150 mm.
"""

from demottle.physics.phantoms.low_contrast import DISCS, RING
from demottle.physics.phantoms.qa.layout import Layout, Module, Rod

_BODY_MM = 200.0

LAYOUT = Layout(
    "cct189",
    "CCT189 (MITA)",
    _BODY_MM,
    (
        Module(
            "discs",
            "low contrast",
            0.0,
            40.0,
            0.0,
            rods=tuple(
                Rod(f"{size:g} mm, {hu:g} HU", float(hu), -float(angle), RING * _BODY_MM, float(size), faint=True)
                for angle, size, hu in DISCS
            ),
        ),
    ),
    0.45 * _BODY_MM,
    0.4 * _BODY_MM,
    scales=True,
)
