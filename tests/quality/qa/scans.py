"""Simulated scans of QA phantoms, coarse enough to be painted in a second, made once for each pose."""

from functools import lru_cache

import numpy as np

from demottle.image import Image
from demottle.physics.phantoms.qa.layouts import LAYOUTS
from demottle.physics.phantoms.qa.painted import Canvas, paint
from demottle.physics.phantoms.qa.pose import Pose
from demottle.quality.phantoms.measured import Examined, examine

BLUR = 0.7
SPACING = (3.0, 1.0, 1.0)
SIZE = 232
STRAIGHT = (0.0, 0.0)


@lru_cache(maxsize=64)
def scan_of(
    kind: str,
    roll: float = 0.0,
    tilt: tuple[float, float] = STRAIGHT,
    turned_round: bool = False,
    noise: float = 6.0,
    seed: int = 1,
    spacing: tuple[float, float, float] = SPACING,
    blur: float = BLUR,
    thickness: float | None = None,
    part: tuple[float, float] | None = None,
) -> tuple[Image, Pose]:
    """A scan with white noise, and the pose that it was painted in. `part`: first and last mm along the axis that are scanned."""
    layout = LAYOUTS[kind]
    low, high = (layout.ends[0] - 12, layout.ends[1] + 12) if part is None else part
    if turned_round:
        low, high = -high, -low
    slices = int((high - low) / spacing[0])
    middle = SIZE * SPACING[1] / 2
    pose = Pose((middle + 3.3, middle - 2.2, -low + 0.4), roll, tilt, turned_round, turned_round)
    size = round(SIZE * SPACING[1] / spacing[1])
    canvas = Canvas((slices, size, size), spacing, thickness or spacing[0], blur)
    painted = paint(layout, pose, canvas)
    grain = np.random.default_rng(seed).normal(0, noise, painted.shape)
    return painted.with_voxels(np.rint(painted.voxels + grain).astype(np.float32)), pose


@lru_cache(maxsize=64)
def examined(kind: str, *args: object, **kwargs: object) -> tuple[Examined, Pose]:
    """What is measured on such a scan; which phantom it is has to be found out."""
    scan, pose = scan_of(kind, *args, **kwargs)  # type: ignore[arg-type]
    return examine(scan), pose


def f_at(level: float, blur: float = BLUR) -> float:
    """Frequency in 1/mm at which the painted blur's MTF is at a level."""
    return float(np.sqrt(-np.log(level) / 2) / (np.pi * blur))
