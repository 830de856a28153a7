import numpy as np
import pytest
from skimage.transform import radon

from demottle.errors import InputError
from demottle.physics.ct.projection import (
    CUT_OFF,
    bins_across,
    filtered_backprojection,
    forward_project,
    half_turn,
    noise_gain,
)

SIZE, PIXEL, RADIUS = 128, 2.0, 80.0
MU = 0.0193


def disc(middle=(0.0, 0.0), radius=RADIUS, size=SIZE, over=4):
    """Attenuation of an anti-aliased disc; middle (y, x) in mm."""
    at = ((np.arange(size * over) + 0.5) / over - size / 2) * PIXEL
    inside = np.hypot(at[:, None] - middle[0], at[None] - middle[1]) < radius
    return (MU * inside.reshape(size, over, size, over).mean(axis=(1, 3))).astype(np.float32)


def test_projection_of_a_disc_is_its_chord():
    angles = half_turn(12)
    middle = (20.0, -12.0)
    sinogram = forward_project(disc(middle, 60.0), PIXEL, angles)
    bins = bins_across((SIZE, SIZE))
    t = (np.arange(bins) - (bins - 1) / 2) * PIXEL
    from_middle = t - (middle[1] * np.cos(angles) + middle[0] * np.sin(angles))[:, None]
    chord = 2 * MU * np.sqrt(np.maximum(60.0**2 - from_middle**2, 0))
    clear = np.abs(np.abs(from_middle) - 60.0) > 2 * PIXEL
    assert np.abs(sinogram - chord)[clear].max() < 0.01 * chord.max()


def test_projection_agrees_with_scikit_image():
    picture = disc((24.0, 30.0), 40.0)
    picture[40:44, 50:60] += 3 * MU
    ours = forward_project(picture, 1.0, np.deg2rad([0.0, 90.0]))
    theirs = radon(picture, theta=[0.0, 90.0], circle=False)
    # scikit-image's angles run the other way round and its bins are shifted by half a pixel: compare what is invariant
    for ours_row, theirs_column in zip(ours, theirs.T, strict=True):
        assert ours_row.sum() == pytest.approx(theirs_column.sum(), rel=2e-3)
        assert ours_row.max() == pytest.approx(theirs_column.max(), rel=2e-2)


@pytest.mark.parametrize("kernel", sorted(CUT_OFF))
def test_reconstruction_gives_the_attenuation_back(kernel):
    picture = disc((10.0, -16.0), 70.0)
    sinogram = forward_project(picture, PIXEL, half_turn(200))
    found = filtered_backprojection(sinogram, picture.shape, PIXEL, kernel)
    at = (np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL
    r = np.hypot(at[:, None] - 10.0, at[None] + 16.0)
    one_hu = MU / 1000
    assert found[r < 50].mean() == pytest.approx(MU, abs=2 * one_hu)
    assert abs(found[(r > 90) & (r < 105)].mean()) < 4 * one_hu


def test_soft_kernel_blurs_more_than_sharp():
    sinogram = forward_project(disc(), PIXEL, half_turn(200))
    slope = {
        kernel: np.abs(np.diff(filtered_backprojection(sinogram, (SIZE, SIZE), PIXEL, kernel)[SIZE // 2])).max()
        for kernel in ("soft", "standard", "sharp")
    }
    assert slope["soft"] < slope["standard"] < slope["sharp"]


@pytest.mark.parametrize("kernel", ["soft", "standard", "sharp"])
def test_noise_gain_is_the_variance_that_noise_comes_out_with(kernel):
    angles, size, pixel = 256, 128, 0.8
    white = np.random.default_rng(0).standard_normal((angles, bins_across((size, size))), dtype=np.float32)
    noise = filtered_backprojection(white, (size, size), pixel, kernel)
    expected = np.pi / np.sqrt(angles) * np.sqrt(noise_gain(white.shape[1], pixel, kernel))
    assert noise[20:-20, 20:-20].std() == pytest.approx(expected, rel=0.05)


def test_unknown_kernel_is_refused_by_name():
    with pytest.raises(InputError, match="bone"):
        filtered_backprojection(np.zeros((4, 13), np.float32), (8, 8), 1.0, "bone")
