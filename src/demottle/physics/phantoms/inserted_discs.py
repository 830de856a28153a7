"""Discs of known contrast in a real scan: what an observer is shown to find out how well they can be seen.

A real scan has no truth, but what is added to it is known. Discs go to half of many flat places in soft tissue; the other
half stays as it is. Crops around both are the two ensembles that `demottle.quality.objects.hotelling` takes: from the scan,
from a lower dose simulated of it, or from what a denoiser made of either.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.guide import GUIDE_SIGMA, smooth
from demottle.physics.phantoms.inserts import SOFT_TISSUE, SURROUNDINGS, Insert, add_inserts, flat_places

Place = tuple[int, int, int]
Crops = NDArray[np.float64]
TOLERANCE_HU = 30.0
"""How much the smoothed scan may vary around a place: more than what smoothing leaves of the noise, less than an organ's edge."""

FEWEST_PIXELS = 3
"""Across a disc: of a smaller one, a crop has too few pixels for an observer's patterns."""


@dataclass(frozen=True, eq=False)
class InsertedDiscs:
    """A scan with discs in it, and where they are.

    Attributes:
        image: the scan with the discs.
        present: slice, row, column of the middle of each disc.
        absent: places of the same kind without one.
        diameter_mm, height_mm: diameter and height of the discs; they are cylinders along the slices' normal.
        contrast: in HU.
    """

    image: Image = field(repr=False)
    present: tuple[Place, ...]
    absent: tuple[Place, ...]
    diameter_mm: float
    height_mm: float
    contrast: float

    @property
    def crop_shape(self) -> tuple[int, int]:
        """Rows and columns of a crop, both odd: 2.3 disc diameters, the disc on its middle pixel."""
        reach = [int(SURROUNDINGS * self.diameter_mm / 2 / step) for step in self.image.spacing[1:]]
        return 2 * reach[0] + 1, 2 * reach[1] + 1

    def crops(self, image: Image) -> tuple[Crops, Crops]:
        """Cut the places with and without a disc out of `image`, in the slice of the disc's middle.

        Each crop has its own mean taken off: a disc is to be seen against its surroundings, not by the CT number of the
        organ that it lies in.

        Args:
            image: `self.image`, or anything made from it: the same shape.

        Returns:
            With and without a disc, each of shape (places, rows, columns) in HU.

        Raises:
            InputError: for an image of another shape.
        """
        if image.shape != self.image.shape:
            raise InputError(
                f"The image has shape {image.shape}, but the discs were put into one of {self.image.shape}."
            )
        return self._cut(image, self.present), self._cut(image, self.absent)

    def _cut(self, image: Image, places: Sequence[Place]) -> Crops:
        down, across = (count // 2 for count in self.crop_shape)
        cut = np.stack(
            [image.voxels[z, y - down : y + down + 1, x - across : x + across + 1] for z, y, x in places]
        ).astype(np.float64)
        return np.asarray(cut - cut.mean(axis=(1, 2), keepdims=True), np.float64)


def insert_discs(
    scan: Image,
    diameter_mm: float = 4.0,
    contrast: float = 35.0,
    count: int = 40,
    seed: int = 0,
    height_mm: float | None = None,
    blur_mm: float = 0.7,
) -> InsertedDiscs:
    """Put `count` discs into flat soft tissue of a real scan, and find as many places that stay empty.

    No two places overlap, so that their noise is all but independent. What is flat is decided on a smoothed copy, the mean
    of the slices that a disc passes through.

    Args:
        scan: CT in HU.
        diameter_mm: diameter of the discs.
        contrast: in HU, of either sign.
        count: how many discs.
        seed: another seed gives other places.
        height_mm: height of the discs along the slices' normal; None: three slices.
        blur_mm: standard deviation of a Gaussian that softens their edge as the scanner's kernel would have.

    Raises:
        InputError: for anything but CT in HU, or a size, contrast or count that is not one; discs of less than three pixels;
            where there are fewer than 2 `count` such places.
    """
    if scan.modality != "CT" or scan.unit != "HU":
        raise InputError(f"Discs of known contrast need CT in HU; this is {scan.modality} in {scan.unit}.")
    if count < 1 or not (np.isfinite(diameter_mm) and diameter_mm > 0) or not np.isfinite(contrast) or contrast == 0:
        raise InputError(
            f"{count} discs of {diameter_mm} mm and {contrast} HU cannot be put in; number and diameter have to be positive, "
            "the contrast not zero."
        )
    pixel = max(scan.spacing[1:])
    if diameter_mm < FEWEST_PIXELS * pixel:
        raise InputError(
            f"A disc of {diameter_mm:g} mm is less than {FEWEST_PIXELS} pixels of {pixel:g} mm across; ask for larger discs."
        )
    height = 3 * scan.spacing[0] if height_mm is None else height_mm
    places = flat_places(_smoothed(scan, height), diameter_mm / 2, 2 * count, seed, height, TOLERANCE_HU)
    present, absent = tuple(places[::2]), tuple(places[1::2])
    inserts = [Insert(place, diameter_mm / 2, contrast, height) for place in present]
    image = add_inserts(scan, inserts, blur_mm)
    return InsertedDiscs(image, present, absent, float(diameter_mm), float(height), float(contrast))


def _smoothed(scan: Image, height_mm: float) -> Image:
    """The scan without most of its noise: mean over the height of a disc, then a Gaussian within the slices.

    Voxels that were never measured become air, so that nothing near them counts as tissue.
    """
    reach = int(np.ceil(height_mm / 2 / scan.spacing[0])) - 1
    guide = np.stack([smooth(plane, GUIDE_SIGMA) for plane in _measured(scan)])
    mean = [guide[max(z - reach, 0) : z + reach + 1].mean(axis=0) for z in range(len(guide))]
    return scan.with_voxels(np.stack(mean).astype(np.float32))


def _measured(scan: Image) -> NDArray[np.float32]:
    if scan.valid is None:
        return scan.voxels
    return np.where(scan.valid, scan.voxels, np.float32(SOFT_TISSUE[0] - 1000))
