"""The one place that decides which spectrum is measured on a scan; every verb asks here."""

from contextlib import suppress
from dataclasses import replace

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.calm_spectrum import calm_spectrum
from demottle.noise.correlation import Correlation, known_correlation, slice_correlation
from demottle.noise.lone import lone_spectrum
from demottle.noise.remembered import remembered
from demottle.noise.spectrum import Spectrum, noise_spectrum

_FEW_SLICES = 3
_MOST_EXCESS = 1.25  # of the noise in regions over that in calm places: beyond it there is anatomy in them


def scan_spectrum(image: Image, correlation: Correlation | None = None) -> Spectrum:
    """NPS of a scan: from differences of neighboring slices, or of one slice by itself where there are none to take.

    Of CT, mean frequency and autocovariance are those of all calm places (`calm_spectrum`), where there are enough.

    The slice by itself (`lone_spectrum`) is that of a scan of one slice, and the middle one of two or three that differ too
    much for a difference: the few calm places of so few slices hold anatomy, which looks like coarse noise. Longer scans of that
    kind have the spectrum of calm places or none: one slice does not speak for all of them.

    Args:
        image: (slices, rows, columns), in any unit.
        correlation: noise correlation between slices, where it is known already.

    Raises:
        InputError: where the image has too little uniform tissue for a spectrum.
    """
    if image.shape[0] == 1:
        return lone_spectrum(image)
    of = slice_correlation(image) if correlation is None else correlation
    return remembered(image, ("spectrum", of), lambda: _spectrum(image, of))


def _spectrum(image: Image, correlation: Correlation) -> Spectrum:
    found, reason = None, ""
    try:
        found = noise_spectrum(image, correlation)
    except InputError as error:
        reason = str(error)
        if image.shape[0] <= _FEW_SLICES:
            with suppress(InputError):
                return lone_spectrum(image, image.shape[0] // 2)
    if image.unit == "HU" and image.modality != "MR":
        calm = calm_spectrum(image, known_correlation(image, correlation))
        if calm is not None and found is not None and found.sigma <= _MOST_EXCESS * calm.sigma:
            # Regions scatter less: theirs are the density and its peak, as long as they hold no anatomy.
            calm = replace(found, mean=calm.mean, covariance=calm.covariance)
        found = calm or found
    if found is None:
        raise InputError(reason)
    return found
