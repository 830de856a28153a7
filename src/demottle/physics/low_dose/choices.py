"""What is chosen where the user leaves the choice: the kernel and the correlation of neighboring slices, with the reason."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.correlation import slice_correlation
from demottle.noise.scan_spectrum import scan_spectrum
from demottle.noise.spectrum import Spectrum
from demottle.physics.ct.projection import Kernel, cut_off_of
from demottle.physics.low_dose.measured import Measured
from demottle.physics.low_dose.slices import LARGEST, distance_of, profile_correlation
from demottle.physics.low_dose.texture import matching_cut_off

Value = TypeVar("Value")
_LARGEST_GAP = 0.15  # between correlations, before the user hears of it


@dataclass(frozen=True)
class Choice(Generic[Value]):
    """A value, where it came from in a few words, and sentences for the user."""

    value: Value
    why: str
    warnings: tuple[str, ...] = ()


def choose_kernel(
    image: Image, wanted: Kernel | Literal["match"], measured: Measured | None = None
) -> Choice[Kernel | float]:
    """Return the kernel wanted; for "match" the cut-off in 1/mm whose noise has the scan's own mean frequency.

    Where the scan's spectrum cannot be measured, "standard" stands in, with a warning. `measured`: the noise, where it is known.

    Raises:
        InputError: for a kernel that is not known.
        UnsuitableError: where the noise cannot be measured at all.
    """
    if wanted != "match":
        cut_off_of(wanted)
        return Choice(wanted, "asked for")
    spectrum, why = _spectrum(image) if measured is None else (measured.spectrum, measured.no_spectrum)
    if spectrum is None:
        return Choice(
            "standard",
            "the scan's own noise spectrum cannot be measured",
            (f"The kernel could not be matched to the scan, so the standard one is used: {why}",),
        )
    cut_off = round(matching_cut_off(spectrum.mean, image.spacing[1], len(spectrum.density_2d)), 3)
    return Choice(cut_off, f"noise of the scan's own mean frequency, {spectrum.mean:.3f} /mm")


def _spectrum(image: Image) -> tuple[Spectrum | None, str]:
    try:
        return scan_spectrum(image), ""
    except InputError as error:
        return None, str(error)


def choose_correlation(
    image: Image, wanted: float | Literal["geometry", "measured"], measured: Measured | None = None
) -> Choice[float]:
    """Return the noise correlation of adjacent slices to simulate; `measured`: the noise, where it is known.

    Raises:
        InputError: out of range; one slice; slices at uneven distances, whose noise can only be independent; "measured" where
            it cannot be measured.
    """
    if image.shape[0] == 1:
        if wanted not in ("geometry", 0):
            raise InputError(
                "The scan has a single slice, so there is no neighbor for its noise to correlate with; "
                "leave out the correlation."
            )
        return Choice(0.0, "one slice only")
    if not isinstance(wanted, str):
        distance_of(wanted)
        if wanted > 0 and not image.evenly_spaced:
            raise InputError("The slices are not evenly spaced, so their noise has no one correlation; use 0.")
        return Choice(float(wanted), "asked for")
    if not image.evenly_spaced:
        return Choice(0.0, "slices are not evenly spaced: taken as independent")
    own = (slice_correlation(image) if measured is None else measured.correlation).at(1)
    if wanted == "measured" or image.slice_thickness is None:
        if np.isfinite(own):
            why = "the scan's own" if wanted == "measured" else "the scan's own, because its slice thickness is unknown"
            return Choice(float(np.clip(own, 0, LARGEST)), why)
        if wanted == "measured":
            raise InputError(
                "The correlation of neighboring slices cannot be measured on this scan: too little flat tissue is the same in "
                "them; give a number."
            )
    return _from_geometry(image, own)


def _from_geometry(image: Image, own: float) -> Choice[float]:
    thickness, increment = image.slice_thickness, image.spacing[0]
    known = thickness is not None
    rho = min(float(profile_correlation(increment / (thickness or increment))), LARGEST)
    why = f"slices {thickness:g} mm thick, {increment:g} mm apart" if known else "slices taken as contiguous"
    warnings: tuple[str, ...] = ()
    if np.isfinite(own) and abs(own - rho) > _LARGEST_GAP:
        warnings = (
            f"Thickness and distance of the slices ({why}) make their noise correlate by {rho:.2f}, but the scan's own "
            f"correlates by {own:.2f}; --correlation measured uses that.",
        )
    return Choice(rho, why, warnings)
