"""Faint wide structure comes back from the scan; hardly any noise comes with it."""

import numpy as np
import pytest

from demottle.image import Image, Voxels
from demottle.methods.one_scan.coarse_contrast import MOST_NOISE, put_coarse_back
from demottle.noise.correlation import Correlation
from demottle.noise.local import NoiseMap
from demottle.noise.synthesis import NoiseSource

RAMP = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))  # as CT noise has it
SIGMA = 28.0


def wide_lesion(size: int = 128) -> np.ndarray:
    row, column = np.mgrid[:size, :size]
    return np.asarray((row - size // 2) ** 2 + (column - size // 2) ** 2 < 18**2)


def put_back(structure: Voxels, base: Voxels, spectrum: np.ndarray = RAMP, slices: int = 8) -> Voxels:
    """Return what comes back of a structure that was 'denoised' away from a scan in which it is in every slice."""
    noise = SIGMA * NoiseSource(spectrum, 128).draw(slices, np.random.default_rng(0))
    clean = np.repeat(base[None], slices, axis=0).astype(np.float32)
    image = Image(clean + structure + noise, (3, 0.7, 0.7), "CT", "HU")
    before = clean.copy()
    local = NoiseMap(np.full((slices, 32, 32), SIGMA, np.float32), (128, 128), SIGMA)
    allowed = np.ones((128, 128), np.float32)
    put_coarse_back(image, clean, local, Correlation((0.0, 0.0), 0.0, 10_000), lambda index: allowed)
    return clean - before


def test_contrast_too_faint_to_be_found_comes_back() -> None:
    lesion = wide_lesion()
    back = put_back(6.0 * lesion, np.full((128, 128), 30, np.float32))
    assert back[:, lesion].mean() - back[:, ~lesion].mean() > 0.8 * 6


@pytest.mark.parametrize("spectrum", [RAMP, np.ones((64, 64))], ids=["CT", "white"])
def test_hardly_any_noise_comes_back(spectrum: np.ndarray) -> None:
    back = put_back(np.zeros((128, 128)), np.full((128, 128), 30, np.float32), spectrum)
    assert 0 < back.std() < 1.3 * MOST_NOISE * SIGMA
    assert abs(back.mean()) < 0.5


def test_blur_at_the_edge_of_bone_is_not_smeared() -> None:
    base = np.full((128, 128), 30, np.float32)
    base[:, 90:] = 900
    edge = np.zeros((128, 128))
    edge[:, 89:92] = 200  # what smoothing takes out of an edge
    back = put_back(edge, base)
    assert not back[:, :, 90:].any()
    assert np.abs(back[:, :, 70:86].mean()) < 1.0


def test_two_slices_stay_as_they_are() -> None:
    assert not put_back(6.0 * wide_lesion(), np.full((128, 128), 30, np.float32), slices=2).any()
