"""A plain cylinder of water, of any diameter: CT number 0 within 4 HU (IEC 61223-3-5), uniform, nothing in it."""

from demottle.physics.phantoms.qa.layout import Layout, Module

LAYOUT = Layout(
    "water",
    "water phantom",
    200.0,
    (Module("water", "uniform", 0.0, 40.0, 0.0, low=-4.0, high=4.0),),
    90.0,
    80.0,
    scales=True,
)
