"""Everything that a phantom says of the images of a scanner, or of what a denoiser made of them."""

from dataclasses import dataclass
from math import nan

from demottle.image import Image
from demottle.quality.geometry_match import refuse_apart
from demottle.quality.phantoms.found import Found, find, in_air
from demottle.quality.phantoms.line_pairs import Group, measure_line_pairs
from demottle.quality.phantoms.low_contrast import Target, measure_targets
from demottle.quality.phantoms.ramps import RampMeasured, measure_ramps
from demottle.quality.phantoms.rods import RodMeasured, blur_of, faintest_edge, measure_rods
from demottle.quality.phantoms.uniform import Uniformity, measure_uniformity
from demottle.quality.refusals import refusals


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured in one image of a phantom, and in sentences what could not be."""

    rods: tuple[RodMeasured, ...]
    uniformity: Uniformity | None
    targets: tuple[Target, ...]
    ramps: tuple[RampMeasured, ...]
    line_pairs: tuple[Group, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Examined:
    """A phantom, found in `before`; `after` is what was made of the same scan, None where nothing was."""

    found: Found
    before: Measured
    after: Measured | None = None


def examine(before: Image, after: Image | None = None, kind: str | None = None) -> Examined:
    """Find a phantom in a scan and measure it; measure what a denoiser made of the scan at the same places.

    Args:
        before: CT in HU.
        after: what was made of it.
        kind: a key of `LAYOUTS`; None: which phantom it is, is found out.

    Raises:
        InputError: as `find`; where the two images do not show the same voxels.
    """
    if after is not None:
        refuse_apart({"The scan before": before, "The scan after": after})
    found = find(before, kind)
    return Examined(found, measure(before, found), None if after is None else measure(after, found))


def measure(image: Image, found: Found) -> Measured:
    """Measure a phantom that was found, in the scan or in what was made of it."""
    image = in_air(image)
    rods, no_rods = measure_rods(image, found)
    uniform, not_uniform = measure_uniformity(image, found)
    faintest = faintest_edge(rods, found.layout.module("rods"))
    targets, no_targets = measure_targets(
        image,
        found,
        uniform.noise if uniform else nan,
        uniform.nps if uniform else None,
        faintest.edge if faintest else None,
    )
    ramps, no_ramps = measure_ramps(image, found, blur_of(rods))
    bars, no_bars = measure_line_pairs(image, found)
    blunt = [f"{rod.rod.name}: {rod.why}" for rod in rods if rod.edge is None]
    told = (
        *refusals("No CT number", no_rods),
        *refusals("No sharpness", blunt),
        not_uniform,
        uniform.why if uniform else "",
        *refusals("No detectability", no_targets),
        *refusals("No slice thickness", no_ramps),
        no_bars,
    )
    return Measured(
        tuple(rods),
        uniform,
        tuple(targets),
        tuple(ramps),
        tuple(bars),
        tuple(sentence for sentence in told if sentence),
    )
