"""One image given twice: nothing that is measured between the two has a meaning then."""

import numpy as np

from demottle.image import Image

SAME_OUTPUT = "The output has exactly the voxels of the input: nothing was removed, or one scan was given as both."


def same_voxels(first: Image, second: Image) -> bool:
    """True where two images of one shape agree in every voxel (NaN with NaN); stops at the first slice that differs."""
    pairs = zip(first.voxels, second.voxels, strict=True)
    return first.shape == second.shape and all(np.array_equal(one, other, equal_nan=True) for one, other in pairs)


def truth_given_twice(truth: Image, before: Image, after: Image) -> tuple[str, ...]:
    """Return a sentence where the truth is the input or the output; a second scan that is the first is refused elsewhere."""
    for image, name, what in ((before, "input", "the noise-free scan"), (after, "output", "not the denoised one")):
        if same_voxels(truth, image):
            return (f"The truth has exactly the voxels of the {name}: errors against it have no meaning; give {what}.",)
    return ()
