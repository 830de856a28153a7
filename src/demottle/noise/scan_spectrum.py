"""The one place that decides which spectrum is measured on a scan; every verb asks here."""

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.correlation import Correlation
from demottle.noise.lone import lone_spectrum
from demottle.noise.spectrum import Spectrum, noise_spectrum

_FEW_SLICES = 3


def scan_spectrum(image: Image, correlation: Correlation | None = None) -> Spectrum:
    """NPS of a scan: from differences of neighboring slices, or of one slice by itself where there are none to take.

    The slice by itself (`lone_spectrum`) is that of a scan of one slice, and the middle one of two or three that differ too
    much for a difference. Longer scans of that kind have no spectrum: one slice does not speak for all of them.

    Args:
        image: (slices, rows, columns), in any unit.
        correlation: noise correlation between slices, where it is known already.

    Raises:
        InputError: where the image has too little uniform tissue for a spectrum.
    """
    if image.shape[0] == 1:
        return lone_spectrum(image)
    try:
        return noise_spectrum(image, correlation)
    except InputError:
        if image.shape[0] > _FEW_SLICES:
            raise
        return lone_spectrum(image, image.shape[0] // 2)
