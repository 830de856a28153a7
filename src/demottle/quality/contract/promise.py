"""What is promised of a result: how sharp, how true to its CT numbers, how much less noise."""

from dataclasses import dataclass
from math import isfinite

from demottle.errors import InputError
from demottle.image import Image


@dataclass(frozen=True)
class Promise:
    """A promise, all of which is held; None: not promised.

    Attributes:
        keep_mtf: the least share of f50 that edges keep, 0 to 1; 0.98: f50 falls by 2 % at most.
        keep_hu: the most by which the mean of any tissue moves, in HU.
        noise: change of the noise in flat soft tissue, -1 to 0; -0.45: 45 % less.

    Raises:
        InputError: for what nothing can keep, or nothing promised at all.
    """

    keep_mtf: float | None = None
    keep_hu: float | None = None
    noise: float | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.keep_mtf is None and self.keep_hu is None and self.noise is None:
            raise InputError("Nothing is promised; give the sharpness to keep, the CT numbers to keep, or the noise.")
        if self.keep_mtf is not None and not 0 < self.keep_mtf < 1:
            hint = " Give 0.98 for 98 %." if 1 < self.keep_mtf <= 100 else ""
            raise InputError(
                f"The sharpness to keep is {self.keep_mtf:g}; it is a share of f50, more than 0 and less than 1.{hint}"
            )
        if self.keep_hu is not None and not (isfinite(self.keep_hu) and self.keep_hu > 0):
            raise InputError(
                f"The CT numbers may move by {self.keep_hu:g} HU; it has to be more than 0, for every method moves them a little."
            )
        if self.noise is not None and not -1 < self.noise < 0:
            raise InputError(
                f"The change of the noise is {100 * self.noise:+g} %; it has to lie between 0 and -100 %, such as -45 %."
            )


def refuse_unpromising(image: Image) -> None:
    """Raise InputError for an image of which nothing can be promised: anything but CT in HU with square pixels."""
    if image.sequence or image.modality != "CT" or image.unit != "HU":
        what = "a run of frames" if image.sequence else f"{image.modality} in {image.unit}"
        raise InputError(
            f"A promise of sharpness, CT numbers or noise is for CT in HU, and this is {what}; leave it out, and read what was "
            "found on the page."
        )
    if abs(image.spacing[1] - image.spacing[2]) > 1e-3 * image.spacing[1]:
        raise InputError(
            f"A promise needs square pixels, and these are {image.spacing[1]:g} x {image.spacing[2]:g} mm; leave it out."
        )
