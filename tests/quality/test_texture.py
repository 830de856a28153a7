"""Texture: what is put back has the spectrum of the scan's own noise, and nothing is invented."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.correlation import slice_correlation
from demottle.pipeline.run import denoise
from demottle.quality.check.spectra import compare_spectra
from demottle.quality.texture import MOST_SHIFT, response_for, texture_of, with_texture


def scan(sigma: float = 30.0, seed: int = 0) -> tuple[Image, Image]:
    """A disc of tissue with ramp-filtered noise, and the same smoothed: what is left of the noise is coarse."""
    rng = np.random.default_rng(seed)
    shape = (8, 160, 160)
    f = np.hypot(np.fft.fftfreq(160)[:, None], np.fft.fftfreq(160))
    ramp = f * np.exp(-((f / 0.25) ** 2))
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=shape)) * ramp).real
    noise *= sigma / noise.std()
    y, x = np.mgrid[:160, :160] - 79.5
    inside = x**2 + y**2 < 70**2
    truth = np.where(inside, 40.0, -1000.0)
    before = Image((truth + inside * noise).astype(np.float32), (3.0, 0.7, 0.7), "CT", "HU")
    left = np.stack([gaussian_filter(plane, 1.5) for plane in noise])
    return before, before.with_voxels((truth + inside * left).astype(np.float32))


def test_the_peak_of_the_spectrum_stays_where_it_was():
    before, smooth = scan()
    assert abs(shift(before, smooth)) > 2 * MOST_SHIFT
    texture = texture_of(before, smooth)
    assert abs(shift(before, with_texture(before, smooth, texture))) <= MOST_SHIFT
    assert 0 < texture.share < 0.8


def shift(before: Image, after: Image) -> float:
    """Of the peak; of the mean frequency where what is left is so coarse that its peak lies below what regions show."""
    return compare_spectra(before, after, slice_correlation(before), slice_correlation(after)).told_shift[1]


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_the_noise_left_is_the_share_that_was_asked_for(share):
    before, smooth = scan()
    after = with_texture(before, smooth, texture_of(before, smooth, share))
    middle = np.s_[:, 50:110, 50:110]
    assert after.voxels[middle].std() / before.voxels[middle].std() == pytest.approx(share, rel=0.08)


def test_every_voxel_moves_towards_what_was_measured_and_air_stays_as_it_was():
    before, smooth = scan()
    assert np.array_equal(with_texture(before, smooth, texture_of(before, smooth, 0.0)).voxels, smooth.voxels)
    whole = with_texture(before, smooth, texture_of(before, smooth, 1.0))
    assert np.abs(whole.voxels - before.voxels).max() < 0.05 * 30
    half = with_texture(before, smooth, texture_of(before, smooth, 0.5))
    air = before.voxels < -900
    assert np.array_equal(half.voxels[air], before.voxels[air])
    assert abs(float((half.voxels - smooth.voxels)[~air].mean())) < 0.3


def test_the_equation_is_solved():
    left, common = np.array([0.9, 0.2, 0.01, 0.0]), np.array([0.9, 0.3, 0.05, 0.0])
    response = response_for(0.5, left, common)
    power = (1 - response) ** 2 * left + response**2 + 2 * response * (1 - response) * common
    assert power[1:] == pytest.approx(0.25)
    assert response[0] == 0


def test_it_is_in_the_history_and_refused_where_it_makes_no_sense():
    before, _ = scan()
    result = denoise(before, method="gaussian", texture="auto")
    assert result.image.history[-1].settings["texture"] == result.record["settings"]["texture"]
    assert result.texture is not None and result.texture.written
    smooth = denoise(before, method="gaussian")
    assert smooth.texture is not None and not smooth.texture.written
    assert "texture" not in smooth.record["settings"]
    for wrong in (1.5, -0.1, "much"):
        with pytest.raises(InputError, match="texture"):
            denoise(before, method="gaussian", texture=wrong)
    tiny = Image(before.voxels[:, 60:80, 60:80], before.spacing, "CT", "HU")
    with pytest.raises(InputError, match="uniform tissue"):
        denoise(tiny, method="gaussian", texture=0.3)
