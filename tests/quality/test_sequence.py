"""Quality of sequences: errors against a truth by time, space and motion; lag and edge width of filters whose answer is known."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.sequence.curve import NoiseCurve
from demottle.physics.fluoroscopy.acquisition import Exposure, acquire
from demottle.physics.fluoroscopy.edge import moving_edge
from demottle.quality.sequence.response import edge_width, response_at, response_of
from demottle.quality.sequence.truth import flicker, sequence_errors

SPACING = (1 / 15, 0.4, 0.4)


def recursive(image: Image, weight: float = 0.2) -> Image:
    out = image.voxels.copy()
    for index in range(1, len(out)):
        out[index] = weight * image.voxels[index] + (1 - weight) * out[index - 1]
    return image.with_voxels(out)


@pytest.fixture(scope="module")
def truth() -> Image:
    return Image(np.full((40, 64, 64), 100, np.float32), SPACING, "XA")


def noisy(truth: Image, sigma: float = 10.0) -> Image:
    noise = np.random.default_rng(1).normal(0, sigma, truth.shape)
    return truth.with_voxels((truth.voxels + noise).astype(np.float32))


def test_psnr_names_its_range_and_white_noise_is_the_same_over_time_and_space(truth: Image) -> None:
    found = sequence_errors(noisy(truth), truth, (0, 200))
    assert found.psnr == pytest.approx(20 * np.log10(200 / 10), abs=0.05)
    assert found.temporal == pytest.approx(10, rel=0.03) and found.spatial == pytest.approx(10, rel=0.03)
    assert found.bias == pytest.approx(0, abs=0.1)
    assert found.flicker == pytest.approx(10 / 32, rel=0.3)


def test_a_fixed_pattern_is_spatial_noise_and_a_changing_brightness_is_flicker(truth: Image) -> None:
    pattern = np.random.default_rng(2).normal(0, 5, (1, 64, 64)).astype(np.float32)
    fixed = sequence_errors(truth.with_voxels(truth.voxels + pattern), truth, (0, 200))
    assert fixed.temporal == pytest.approx(0, abs=1e-3) and fixed.spatial == pytest.approx(5, rel=0.05)
    beat = (3 * np.sin(np.arange(40)))[:, None, None].astype(np.float32)
    swinging = sequence_errors(truth.with_voxels(truth.voxels + beat), truth, (0, 200))
    assert swinging.flicker == pytest.approx(3 / np.sqrt(2), rel=0.1) and swinging.spatial == pytest.approx(0, abs=1e-3)
    assert flicker(truth.voxels) == 0


def test_motion_is_told_apart_from_rest_and_skipped_frames_do_not_count(truth: Image) -> None:
    voxels = noisy(truth).voxels.copy()
    moving = np.zeros(truth.shape, np.bool_)
    moving[:, :20] = True
    voxels[moving] += 50
    voxels[:5] = 1e6
    found = sequence_errors(truth.with_voxels(voxels), truth, (0, 200), moving, skip=5)
    assert found.psnr_still == pytest.approx(26.0, abs=0.1)
    assert found.psnr_moving == pytest.approx(20 * np.log10(200 / np.hypot(50, 10)), abs=0.1)


def test_other_shapes_are_refused(truth: Image) -> None:
    with pytest.raises(InputError, match="have to be the same"):
        sequence_errors(truth, Image(truth.voxels[:3].copy(), SPACING, "XA"))
    with pytest.raises(InputError, match="leaves none"):
        sequence_errors(truth, truth, skip=40)


@pytest.mark.parametrize("speed", [0.0, 2.0, 5.0, 10.0])
def test_an_edge_is_as_wide_as_its_blur_at_every_speed(speed: float) -> None:
    scene = moving_edge(speed)
    sharp = acquire(scene.image, Exposure(50, scatter=0, blur=0))
    assert (
        edge_width(sharp.clean.voxels, sharp.clean.voxels, scene) < 1.6
    )  # one pixel wide, and bins that average over 1.25
    blurred = acquire(scene.image, Exposure(50, scatter=0, blur=1.5))
    wide = edge_width(blurred.clean.voxels, blurred.clean.voxels, scene)
    assert wide == pytest.approx(2.563 * np.sqrt(1.5**2 + 1 / 12 + 1.25**2 / 12), rel=0.06)
    noise = edge_width(blurred.noisy.voxels, blurred.clean.voxels, scene)
    assert noise == pytest.approx(wide, rel=0.15)


def test_the_recursive_filter_lags_as_its_formula_says_and_smears_a_moving_edge() -> None:
    found = response_of(recursive, Exposure(100), speeds=(0.0, 5.0), seed=2)
    assert found.lag_first == pytest.approx(0.8, abs=0.02)
    assert found.lag_tenth == pytest.approx(0.8**10, abs=0.02)
    expected = 5 * np.log(9) / -np.log(0.8)  # an exponential tail, 10 to 90 %
    assert found.widths[1][1] == pytest.approx(expected, rel=0.2)
    assert found.widening > 5
    nothing = response_of(lambda image: image, Exposure(100), speeds=(0.0, 10.0), seed=2)
    assert abs(nothing.lag_first) < 1e-6 and nothing.widening == pytest.approx(1, abs=0.15)
    assert nothing.widths == nothing.widths_before


def test_a_filter_is_tested_with_the_noise_of_the_run_itself() -> None:
    like = Image(np.zeros((2, 8, 8), np.float32), SPACING, "XA")
    curve = NoiseCurve(np.array([100.0, 900.0]), np.array([20.0, 60.0]), 4.0, 0.0)
    found = response_at(recursive, like, curve, speeds=(0.0, 5.0))
    assert found.lag_first == pytest.approx(0.8, abs=0.02)
    assert found.widening > 5 and found.widths_before[1][1] < 3
    flat = NoiseCurve(np.array([100.0]), np.array([20.0]), 0.0, 400.0)
    assert response_at(lambda image: image, like, flat, speeds=(0.0, 2.0)).widening == pytest.approx(1, abs=0.3)


def test_an_edge_that_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="more than 12 frames"):
        moving_edge(5.0, frames=10)
