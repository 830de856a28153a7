"""What several Catphans share: wire ramps, line pairs, low-contrast targets.

Sources: The Phantom Laboratory, manuals of the Catphan 500/600 (2010), 503 (2017), 504, 604 and 700 (wire ramps rise at 23
degrees, line pairs in aluminum 2 mm deep, supra-slice targets of 0.3, 0.5 and 1.0 %); distances and angles as the settings of
pylinac tell them (pylinac.readthedocs.io, "CatPhan", MIT license). Of the targets only those of 1.0 % and 5 to 15 mm have
published angles: the others are left out here.
"""

from demottle.physics.phantoms.qa.layout import Bars, Module, Ramp, Rod

MODULE_HU, UNIFORM_HU = 60.0, 12.0
"""Of the resin around the rods (typical), and of the uniform module (manual: within 2 % of water, 5 to 18 HU)."""
USEFUL, EDGE_RING = 70.0, 53.0
"""The modules are 150 mm wide, in a housing of 200 mm; the edge of the uniform one is looked at where pylinac does."""
RAMP_RING = 38.0
LINE_RING = 47.0
_TARGETS = ((15, -87.4), (9, -69.1), (8, -52.7), (7, -38.5), (6, -25.1), (5, -12.9))
_TARGET_RING = 50.0
_STARTS = (0.0, 0.107, 0.173, 0.236, 0.286, 0.335, 0.387, 0.434, 0.479)
_COUNTS = (2, 3, 4, 4, 4, 5, 5, 5)
_BAR_HU = 1600.0
_CONTRAST = 10.0  # 1.0 %


def wire_ramps(*sides: str) -> tuple[Ramp, ...]:
    """Wires at the named sides of the square between the rods; those that face each other rise in opposite directions."""
    all_four = {
        "top": Ramp("top", -90.0, RAMP_RING, 1),
        "right": Ramp("right", 0.0, RAMP_RING, 1),
        "bottom": Ramp("bottom", 90.0, RAMP_RING, 1),
        "left": Ramp("left", 180.0, RAMP_RING, 1),
    }
    return tuple(all_four[side] for side in sides or all_four)


def targets(turned: float = 0.0) -> tuple[Rod, ...]:
    """Supra-slice low-contrast targets of 1.0 % in a CTP515, `turned` degrees clockwise."""
    return tuple(
        Rod(f"1.0 %, {size} mm", UNIFORM_HU + _CONTRAST, angle + turned, _TARGET_RING, float(size), faint=True)
        for size, angle in _TARGETS
    )


def line_pairs(start: float = 180.0, turn: int = -1) -> tuple[Bars, ...]:
    """Groups of 1 to 8 line pairs per cm of a CTP528, from `start` degrees on, clockwise (1) or against it (-1)."""
    groups = []
    for index, count in enumerate(_COUNTS):
        middle = (_STARTS[index] + _STARTS[index + 1]) / 2
        groups.append(Bars(index + 1.0, start + turn * 360 * middle, LINE_RING, count, 10.0, _BAR_HU, 2.0))
    return tuple(groups)


def uniform(name: str, middle: float, height: float = 40.0) -> Module:
    """A module without anything in it."""
    return Module(name, "uniform", middle, height, UNIFORM_HU, low=5.0, high=18.0)
