"""What slices agree on comes back; what differs between them does not."""

import numpy as np
import pytest
from scipy import ndimage

from demottle.image import Image
from demottle.methods.one_scan.restoration import noise_gain, restore_agreed
from demottle.noise.correlation import Correlation
from demottle.noise.local import NoiseMap
from demottle.noise.synthesis import NoiseSource

SPECTRUM = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))  # a ramp, as CT noise has it


def restored(lesion: float, sigma: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """A scan with a lesion in every slice, 'denoised' to nothing at all; returns lesion mask and what came back."""
    noise = sigma * NoiseSource(SPECTRUM, 128).draw(7, np.random.default_rng(0))
    row, column = np.mgrid[:128, :128]
    inside = (row - 64) ** 2 + (column - 64) ** 2 < 36
    image = Image(40 + noise + lesion * inside, (3, 1, 1), "CT", "HU")
    clean = np.full(image.shape, 40, np.float32)
    local = NoiseMap(np.full((7, 32, 32), sigma, np.float32), (128, 128), sigma)
    allowed = np.ones((128, 128), np.float32)
    restore_agreed(image, clean, local, Correlation((0.0, 0.0), 0.0, 10_000), SPECTRUM, lambda index: allowed)
    return inside, clean - 40


def test_a_lesion_that_was_removed_comes_back() -> None:
    inside, back = restored(lesion=30.0)
    core = ndimage.binary_erosion(inside, iterations=2)
    assert back[3][core].mean() == pytest.approx(30, rel=0.1)


def test_noise_stays_away() -> None:
    _, back = restored(lesion=0.0)
    assert back[3].std() < 0.15 * 20
    assert abs(back.mean()) < 0.3


@pytest.mark.parametrize("sigma", [1.5, 3.0])
def test_noise_gain_is_what_smoothing_does(sigma: float) -> None:
    from demottle.noise import guide

    noise = NoiseSource(SPECTRUM, 256).draw(6, np.random.default_rng(1))
    found = np.std([guide.smooth(plane, sigma) for plane in noise])
    assert noise_gain(SPECTRUM, sigma) == pytest.approx(found, rel=0.06)
