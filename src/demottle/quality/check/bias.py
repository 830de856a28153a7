"""Images whose noise raised their mean, and that were freed of it: compared as if it were still there."""

from demottle.image import Image
from demottle.noise.mr.magnitude import NoiseModel
from demottle.noise.mr.stabilization import with_bias

BIAS = "bias_correction"
"""Entry of a processing step's settings that says which noise's bias was taken out."""


def bias_taken_out(image: Image) -> bool:
    """Say whether the last thing done to an image took out the bias of MR magnitudes."""
    return bool(image.history) and BIAS in image.history[-1].settings


def comparable(before: Image, after: Image, model: NoiseModel) -> Image:
    """Return `after` as it has to be compared with `before`: with the bias put back, where it was taken out on purpose."""
    if not bias_taken_out(after) or not model.correctable:
        return after
    return with_bias(before, after, model, float(after.history[-1].settings.get("strength", 1.0)))
