"""Do images belong together? Compared voxel by voxel, they need one shape, one spacing and one unit."""

from collections.abc import Mapping

from demottle.errors import InputError
from demottle.image import Image

_SPACING = 1e-3  # relative; files round their spacing differently


def refuse_apart(images: Mapping[str, Image]) -> None:
    """Raise InputError where an image differs from the first in shape, unit or spacing; the keys name them to a user."""
    (name, reference), *others = images.items()
    first = name[0].lower() + name[1:]
    for name, image in others:
        if image.shape != reference.shape:
            raise InputError(
                f"{name} has the shape {image.shape}, but {first} has {reference.shape}; compare images of one shape."
            )
        if image.unit != reference.unit:
            raise InputError(f"{name} is in {image.unit}, but {first} in {reference.unit}; compare images of one unit.")
        for here, there in zip(image.spacing, reference.spacing, strict=True):
            if abs(here - there) > _SPACING * there:
                told = [" x ".join(f"{s:.4g}" for s in one.spacing) for one in (image, reference)]
                raise InputError(
                    f"{name} has a spacing of {told[0]} mm, but {first} has {told[1]} mm; they do not show the same voxels."
                )
