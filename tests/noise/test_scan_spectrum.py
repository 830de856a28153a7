"""Which spectrum a scan has: anatomy that differs from slice to slice is no coarse noise."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.correlation import slice_correlation
from demottle.noise.scan_spectrum import scan_spectrum
from demottle.noise.spectrum import noise_spectrum, spectrum_of_noise

SIGMA, SIDE, EDGE = 20.0, 192, 16


@pytest.fixture(scope="module")
def thin_stack() -> tuple[Image, np.ndarray]:
    """Two slices, each with structure in one half and even tissue in the other, but not in the same; and their noise."""
    chance = np.random.default_rng(0)
    noise = chance.normal(0, SIGMA, (2, SIDE, SIDE))
    inside = slice(EDGE, SIDE - EDGE)
    slices = []
    for structured in (slice(SIDE // 2, SIDE - EDGE), slice(EDGE, SIDE // 2)):
        structure = gaussian_filter(chance.normal(size=(SIDE, SIDE)), 3)
        plane = np.full((SIDE, SIDE), -1000.0)
        plane[inside, inside] = 40
        plane[structured, inside] += 60 / structure.std() * structure[structured, inside]
        slices.append(plane)
    return Image((slices + noise).astype(np.float32), (3.0, 1.0, 1.0), "CT", "HU"), noise


def test_slices_that_differ_everywhere_have_the_spectrum_of_one_of_them(thin_stack: tuple[Image, np.ndarray]) -> None:
    image, noise = thin_stack
    with pytest.raises(InputError, match="uniform tissue"):
        noise_spectrum(image, slice_correlation(image))
    true = spectrum_of_noise(noise, (1.0, 1.0), 32)
    found = scan_spectrum(image)
    assert found.sigma == pytest.approx(SIGMA, rel=0.1)
    assert found.mean == pytest.approx(true.mean, rel=0.1)
