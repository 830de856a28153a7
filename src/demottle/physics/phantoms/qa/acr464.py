"""The phantom of the American College of Radiology's CT accreditation (Gammex 464): four modules of 40 mm.

Source: ACR, "Phantom Overview: CT" and "Phantom Testing: CT" (accreditationsupport.acr.org), whose ranges of CT numbers are those
below; McCollough et al., Medical Physics 31 (2004) 2423; distances and angles as the settings of pylinac tell them (module 1 at
0, 2 at 30, 3 at 70, 4 at 100 mm from about the middle of module 1, of 40 mm each; rods at 63 mm). Module 1 has ramps of short
wires for the slice thickness, module 4 bar patterns: where they lie is not in these sources, and they are not measured.
"""

from demottle.physics.phantoms.qa.layout import Layout, Module, Rod

_RING, _ROD = 63.0, 25.0
_LOW_HU = 90.0

LAYOUT = Layout(
    "acr-464",
    "ACR 464 (CT accreditation)",
    200.0,
    (
        Module(
            "module 1",
            "rods",
            0.0,
            40.0,
            0.0,
            rods=(
                Rod("air", -988.0, 45, _RING, _ROD, -1005, -970),
                Rod("polyethylene", -95.0, -135, _RING, _ROD, -107, -84),
                Rod("acrylic", 122.0, 135, _RING, _ROD, 110, 135),
                Rod("bone", 910.0, -45, _RING, _ROD, 850, 970),
                Rod("water", 0.0, 180, _RING, _ROD, -7, 7, optional=True),
            ),
        ),
        Module(
            "module 2",
            "low contrast",
            40.0,
            40.0,
            _LOW_HU,
            rods=(Rod("0.6 %, 25 mm", _LOW_HU + 6.0, -90, 60.0, 25.0, faint=True),),
        ),
        Module("module 3", "uniform", 80.0, 40.0, 0.0, low=-7.0, high=7.0),
        Module("module 4", "other", 120.0, 40.0, 0.0),
    ),
    95.0,
    66.0,
)
