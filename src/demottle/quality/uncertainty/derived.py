"""The standard error of every voxel as an image of its own: in HU, and as what is written beside the result."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from demottle.image import Image, ProcessingStep
from demottle.quality.check.tissues import labelled_slices, tissues_of

STEP, SPREAD_STEP = "map-of-uncertainty", "map-of-spread"
"""What headers call them."""
PER_HU = 10.0
"""What is written is whole numbers, which a source's data type can hold: tenths of a HU."""
_FEWEST, _AIR = 200, "air"


@dataclass(frozen=True)
class TissueError:
    """A tissue, how many of its voxels were looked at, and the median of their standard error in HU."""

    name: str
    voxels: int
    median: float


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """What was found.

    Attributes:
        image: standard error of every voxel in HU, on the grid of the scan; result +- 1.645 of it is meant to hold the truth
            in 90 % of voxels. 0 where the method may change nothing (air around the patient, metal, padding).
        tissues: by tissue of the result, lowest CT number first.
        repeats: how many times noise was drawn and taken out again.
    """

    image: Image
    tissues: tuple[TissueError, ...]
    repeats: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for `run.json`."""
        told = [{"tissue": t.name, "voxels": t.voxels, "median_hu": round(t.median, 2)} for t in self.tissues]
        return {"unit": "HU", "standard_errors_of_90_percent": 1.645, "repeats": self.repeats, "tissues": told}


@dataclass(frozen=True, eq=False)
class Spread:
    """How far the passes of a method differ that goes by passes: no standard error, since all of them start from one scan.

    Attributes:
        image: standard deviation over the passes at every voxel in HU, on the grid of the scan; 0 where nothing may be changed.
        tissues: by tissue of the result, lowest CT number first.
    """

    image: Image
    tissues: tuple[TissueError, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for `run.json`."""
        told = [{"tissue": t.name, "voxels": t.voxels, "median_hu": round(t.median, 2)} for t in self.tissues]
        return {"unit": "HU", "tissues": told}


def spread_of(result: Image, between: Image, strength: float) -> Spread:
    """Return the spread of a result.

    Args:
        result: the result, with its history.
        between: standard deviation over the passes of the method alone, in HU.
        strength: 0 to 1, of what the method does that went into the result.
    """
    image = result.with_voxels(np.asarray(between.voxels * np.float32(strength), np.float32))
    return Spread(image, by_tissue(result, image))


def by_tissue(result: Image, error: Image) -> tuple[TissueError, ...]:
    """Return the median standard error of each tissue of a result with 200 voxels or more in the slices looked at; not of air."""
    tissues = tissues_of(result)
    found: list[list[Any]] = [[] for _ in tissues]
    for index, labels in labelled_slices(result, reference=result):
        for number, into in enumerate(found, start=1):
            here = error.voxels[index][labels == number]
            into.append(here[here > 0])
    values = [np.concatenate(parts) if parts else np.zeros(0) for parts in found]
    return tuple(
        TissueError(tissue.name, len(of), float(np.median(of)))
        for tissue, of in zip(tissues, values, strict=True)
        if len(of) >= _FEWEST and tissue.name != _AIR
    )


def map_image(found: Uncertainty | Spread, version: str) -> Image:
    """Return what is written: tenths of a HU, whole numbers, with the headers of the scan.

    Args:
        found: what was found.
        version: of demottle.
    """
    image = found.image
    voxels = np.minimum(np.rint(PER_HU * image.voxels), 32000.0).astype(np.float32)
    step, told = SPREAD_STEP, {"unit": "0.1 HU"}
    if isinstance(found, Uncertainty):
        step, told = STEP, {**told, "standard_errors_of_90_percent": 1.645}  # type: ignore[dict-item]
    return replace(image.with_voxels(voxels), history=(*image.history, ProcessingStep(step, version, told)))
