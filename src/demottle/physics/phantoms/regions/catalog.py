"""The regions by name, and how one is painted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.physics.phantoms import anatomy
from demottle.physics.phantoms.body import Layer
from demottle.physics.phantoms.painting import Paint, paint_slices
from demottle.physics.phantoms.phantom import FIELD_OF_VIEW
from demottle.physics.phantoms.regions import chest, head, pelvis, shoulders
from demottle.physics.phantoms.regions.texture import textured
from demottle.physics.phantoms.scenes import AIR, Grid


@dataclass(frozen=True)
class Region:
    """What is painted, and the field of view in mm that shows all of it."""

    layers: Callable[[int], Iterable[Layer]]
    field_of_view: float


REGIONS = {
    "head": Region(head.layers, head.FIELD_OF_VIEW),
    "shoulders": Region(shoulders.layers, shoulders.FIELD_OF_VIEW),
    "chest": Region(chest.layers, chest.FIELD_OF_VIEW),
    "abdomen": Region(anatomy.layers, FIELD_OF_VIEW),
    "pelvis": Region(pelvis.layers, pelvis.FIELD_OF_VIEW),
    "metal hip": Region(pelvis.layers_with_metal, pelvis.FIELD_OF_VIEW),
}


def region_phantom(
    name: str,
    grid: Grid,
    seed: int = 0,
    shrink: float = 1.0,
    from_mm: float = 0.0,
    listener: Listener = silent,
    grain: float = 1.0,
) -> Image:
    """Paint a region, noise-free, with the grain of its tissues.

    Args:
        name: a key of `REGIONS`.
        grid: slices, size and spacing; a field of view that is smaller than the region's shows its middle.
        seed: another seed gives another patient.
        shrink: size of the patient as a share of an adult's: a child of six is about 0.6.
        from_mm: height of the middle slice above the middle of the region, in mm of an adult.
        listener: hears of every slice.
        grain: how strong the grain of the tissues is, as a share of what they usually have.

    Raises:
        InputError: for an unknown name.
    """
    if name not in REGIONS:
        raise InputError(f"There is no region {name!r}; choose one of {', '.join(REGIONS)}.")
    z, y, x = (step / shrink for step in grid.spacing)
    paints = (Paint(layer.solid, layer.hu, layer.tissue) for layer in REGIONS[name].layers(seed))
    voxels, tissue = paint_slices(paints, grid.slices, grid.size, (z, y, x), AIR, listener, from_mm)
    return Image(
        textured(voxels, tissue, grid.spacing, seed, grain),
        grid.spacing,
        modality="CT",
        unit="HU",
        slice_thickness=grid.spacing[0],
    )
