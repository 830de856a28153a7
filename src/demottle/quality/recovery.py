"""How much of the contrast of structures of known place is left, before and after."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.structures import Structure
from demottle.quality.contrast import Disc, disc_contrast
from demottle.quality.sharpness import whole_slices


@dataclass(frozen=True)
class Recovered:
    """Contrast of one structure.

    Attributes:
        name: of the structure; diameter_mm: its size.
        contrast: true contrast in HU.
        before, after: contrast found, in HU: mean of the disc less mean of a ring around it.
        reference: the same in the truth, where there is one (partial volume takes some of it there too); else NaN.
        error: standard error of `before` and hence of what any linear method can find, in HU.
    """

    name: str
    diameter_mm: float
    contrast: float
    before: float
    after: float
    reference: float
    error: float

    @property
    def share(self) -> float:
        """Contrast after over that of the truth; without a truth over the true contrast. 1: all of it is left."""
        base = self.reference if np.isfinite(self.reference) else self.contrast
        return self.after / base if base else float("nan")


def recovered(
    before: Image, after: Image, structures: Sequence[Structure], truth: Image | None = None
) -> tuple[list[Recovered], list[str]]:
    """Measure every structure that can be.

    Returns:
        What was measured, and for each structure that could not be one sentence that says why.
    """
    found, refused = [], []
    for structure in structures:
        insert = structure.insert
        try:
            slices = whole_slices(before, structure)
            disc = Disc(insert.center[1], insert.center[2], insert.radius_mm / before.spacing[2], insert.contrast)
            if abs(before.spacing[1] - before.spacing[2]) > 1e-3 * before.spacing[1]:
                raise InputError("Its pixels are not square, and a disc needs square ones.")
            first, second = (_contrasts(image, slices, disc) for image in (before, after))
            true = float("nan") if truth is None else float(_contrasts(truth, slices, disc).mean())
        except InputError as refusal:
            refused.append(f"{structure.name}: {refusal}")
            continue
        error = float(first.std(ddof=1) / np.sqrt(len(first))) if len(first) > 2 else float("nan")
        found.append(
            Recovered(
                structure.name,
                2 * insert.radius_mm,
                insert.contrast,
                float(first.mean()),
                float(second.mean()),
                true,
                error,
            )
        )
    return found, refused


def _contrasts(image: Image, slices: Sequence[int], disc: Disc) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([disc_contrast(image.voxels[z], disc) for z in slices], np.float64)
