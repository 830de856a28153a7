"""The water phantom: a uniform cylinder in air, for noise level, noise power spectrum and CT number."""

from demottle.events import Listener, silent
from demottle.physics.phantoms.scenes import Choices, Grid, Scene, water_cylinder


def water_phantom(grid: Grid, choices: Choices | None = None, listener: Listener = silent) -> Scene:
    """Return a cylinder of water, `choices.diameter` mm wide. Raises as `water_cylinder`."""
    choices = choices or Choices()
    image, body = water_cylinder(grid, choices.diameter, choices.blur_mm)
    return Scene(image, (body,), blur_mm=choices.blur_mm)
