"""A QA phantom as a kind of `demottle simulate phantom`: in the middle of the slices, turned, tilted and shifted as asked."""

from dataclasses import asdict
from math import inf

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.physics.phantoms.inserts import Insert
from demottle.physics.phantoms.qa.layout import Module, Rod
from demottle.physics.phantoms.qa.layouts import layout_named
from demottle.physics.phantoms.qa.painted import AIR, Canvas, paint
from demottle.physics.phantoms.qa.pose import Pose
from demottle.physics.phantoms.scenes import Choices, Grid, Scene
from demottle.physics.phantoms.structures import Structure

MOST_DEGREES = 10.0
_BEYOND_MM = 10.0  # of air at each end of the phantom


def length_of(kind: str) -> float:
    """Mm of slices that show a phantom and some air at its ends."""
    low, high = layout_named(kind).ends
    return high - low + 2 * _BEYOND_MM


def qa_phantom(kind: str, grid: Grid, choices: Choices, listener: Listener = silent) -> Scene:
    """Paint a QA phantom.

    Raises:
        InputError: for an unknown kind, a phantom that leaves the slices, or a tilt beyond 10 degrees.
    """
    layout, lie = layout_named(kind), choices.lie
    if not all(abs(angle) <= MOST_DEGREES for angle in lie.tilt):
        raise InputError(
            f"A tilt of {lie.tilt[0]:g},{lie.tilt[1]:g} degrees is too much; {MOST_DEGREES:g} are possible."
        )
    middle = [place * step for place, step in zip(grid.middle, grid.spacing, strict=True)]
    room = min(grid.size * step / 2 for step in grid.spacing[1:]) - layout.diameter / 2
    if max(abs(part) for part in lie.shift) > room:
        raise InputError(
            f"The {layout.title} is {layout.diameter:g} mm wide and leaves the slices with a shift of {lie.shift[0]:g},"
            f"{lie.shift[1]:g} mm; ask for more or larger pixels."
        )
    along = middle[0] - sum(layout.ends) / 2
    origin = (middle[2] + lie.shift[0], middle[1] + lie.shift[1], along)
    pose = Pose(origin, lie.roll, lie.tilt)
    thickness = lie.thickness or grid.spacing[0]
    image = paint(layout, pose, Canvas(grid.shape, grid.spacing, thickness, choices.blur_mm), listener)
    structures = [_structure(grid, pose, module, rod) for module in layout.modules for rod in module.rods]
    body = Structure("resin", _insert(grid, pose, (0.0, 0.0), 0.0, layout.diameter / 2, -AIR, inf), AIR, "uniform")
    settings = {"pose": asdict(pose), "slice_thickness_mm": thickness}
    return Scene(image, (body, *structures), None, choices.blur_mm, averaged=False, settings=settings)


def _structure(grid: Grid, pose: Pose, module: Module, rod: Rod) -> Structure:
    insert = _insert(grid, pose, rod.place, module.middle, rod.diameter / 2, rod.hu - module.hu, module.height)
    _, slope = pose.line(rod.place)
    task = "detection" if rod.faint else "edge"
    name = f"{module.name} {rod.name}"
    return Structure(name, insert, module.hu, task, (float(slope[1]), float(slope[0])))  # type: ignore[arg-type]


def _insert(
    grid: Grid, pose: Pose, place: tuple[float, float], along: float, radius: float, contrast: float, height: float
) -> Insert:
    x, y, z = pose.at(place, along)
    center = float(z / grid.spacing[0]), float(y / grid.spacing[1]), float(x / grid.spacing[2])
    return Insert(center, radius, contrast, height)
