"""Complex series: nearer to the truth, noise and phase right, given noise believed, and the rules of random matrices kept."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from demottle.image import Image
from demottle.io.files.nifti_frames import frames_of, gaps, volumes_of
from demottle.methods.low_rank.blocks import axis_of, sides_for
from demottle.methods.low_rank.nordic import Nordic, NordicSettings
from demottle.methods.low_rank.phase import turning
from demottle.methods.low_rank.random_matrix import hard, largest_of_noise, noise_variance, optimal
from demottle.methods.low_rank.stack import stack_of
from demottle.physics.mr.series import MrSeries, diffusion_series, functional_series


def stacked(values):
    return frames_of(np.ascontiguousarray(values.transpose(3, 2, 1, 0), np.float32))


def image_of(series: MrSeries, phase: bool = True) -> Image:
    frames = stacked(np.abs(series.noisy))
    valid = gaps(frames.shape, series.truth.shape[1])
    angle = stacked(np.angle(series.noisy)) if phase else None
    return Image(frames, (2, 3, 3), "MR", valid=valid, sequence=True, phase=angle)


def volumes(frames, slices):
    return volumes_of(np.atleast_3d(frames.T).T, slices).transpose(3, 2, 1, 0)


@cache
def fmri() -> MrSeries:
    return functional_series(volumes=40, slices=5, size=40, seed=1)


@cache
def diffusion() -> MrSeries:
    return diffusion_series(directions=34, slices=4, size=40, seed=1)


def run(image: Image, **settings):
    return Nordic(NordicSettings(**settings), {})(image)


def rmse(series: MrSeries, image: Image) -> float:
    out = volumes(image.voxels, series.truth.shape[1])
    return float(np.sqrt(np.mean((out - np.abs(series.truth))[:, series.head] ** 2)))


@pytest.mark.parametrize(("simulated", "share"), [(fmri, 0.3), (diffusion, 0.45)])
def test_a_complex_series_comes_much_nearer_to_its_truth_in_magnitude_and_phase(simulated, share):
    series = simulated()
    image = image_of(series)
    out = run(image)
    assert rmse(series, out) < share * rmse(series, image)
    wrong = [
        np.abs(np.angle(np.exp(1j * (volumes(angle, len(series.head)) - np.angle(series.truth)))))[
            :, series.head
        ].mean()
        for angle in (image.phase, out.phase)
    ]
    assert wrong[1] < 0.5 * wrong[0]


def test_the_noise_map_is_measured_within_a_few_percent():
    series = fmri()
    found = volumes(run(image_of(series)).maps["noise"], 5)[0] / series.noise_map
    assert found[series.head].mean() == pytest.approx(1, abs=0.02)
    assert found[series.head].std() < 0.06
    magnitudes = volumes(run(image_of(series, phase=False)).maps["noise"], 5)[0] / series.noise_map
    assert magnitudes[series.head].mean() == pytest.approx(1, abs=0.05)


def test_magnitudes_alone_lose_noise_and_bias():
    series = diffusion()
    image = image_of(series, phase=False)
    out = run(image)
    assert rmse(series, out) < 0.5 * rmse(series, image)
    weak = series.head & (np.abs(series.truth).mean(axis=0) < 2 * series.noise_map)
    bias = [(volumes(i.voxels, 4) - np.abs(series.truth))[:, weak].mean() for i in (image, out)]
    assert abs(bias[1]) < 0.35 * bias[0]


def test_noise_that_is_given_is_believed():
    series = fmri()
    given = stacked(series.noise_map[None])[0]
    image = image_of(series)
    told = run(replace(image, maps={"noise": given}))
    np.testing.assert_array_equal(told.maps["noise"], given)
    shaped = run(replace(image, maps={"gfactor": given / given.max()})).maps["noise"]
    shown = given > 0
    np.testing.assert_allclose(shaped[shown], given[shown], rtol=0.03)
    assert rmse(series, told) == pytest.approx(rmse(series, run(image)), rel=0.05)
    assert run(image, noise=50.0).maps["noise"][0].max() == 50


def test_pure_noise_leaves_nothing_and_a_noiseless_series_stays():
    rng = np.random.default_rng(0)
    shape = 24, 40, 40
    noise = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)
    out = run(Image(np.abs(noise), (2, 3, 3), "MR", sequence=True, phase=np.angle(noise)), demodulate=False)
    assert np.sqrt(np.mean(out.voxels**2)) < 0.25 * np.sqrt(np.mean(np.abs(noise) ** 2))
    series = fmri()
    clean = replace(series, noisy=series.truth)
    assert rmse(clean, run(image_of(clean), noise=0.01)) < 0.05


@pytest.mark.parametrize("phase", [True, False])
def test_what_was_not_measured_stays_and_spreads_nowhere(phase):
    image = image_of(fmri(), phase)
    voxels, valid = image.voxels.copy(), image.valid.copy()
    voxels[:, 10:14, 10:14], valid[:, 10:14, 10:14] = np.nan, False
    voxels[:, 20:30] = 0
    out = run(replace(image, voxels=voxels, valid=valid))
    assert np.isnan(out.voxels[:, 10:14, 10:14]).all() and (out.voxels[:, 20:30] == 0).all()
    assert np.isfinite(out.voxels[valid]).all()
    assert (out.voxels[:, 15:20][valid[:, 15:20]] != voxels[:, 15:20][valid[:, 15:20]]).all()


def test_more_removed_components_where_less_is_going_on_and_air_keeps_none():
    series = fmri()
    kept = volumes(run(image_of(series)).maps["components"], 5)[0]
    air = np.abs(series.truth).max(axis=0) == 0
    air[:, 6:-6, 6:-6] = False
    assert kept[air].mean() < 0.5 * kept[series.head].mean()


def test_what_turns_is_found_and_what_stays_is_not_asked_of_it():
    series = diffusion()
    phasors = turning(series.noisy[:, 2])
    left = series.truth[:, 2] * phasors.conj()
    steady = np.abs(left.mean(axis=0)) / np.abs(left).mean(axis=0).clip(1e-6)
    assert np.median(steady[series.head[2]]) > 0.98


def test_slices_of_a_frame_are_found_and_a_shutter_is_no_gap():
    image = image_of(fmri())
    assert stack_of(image).shape == (5, 40, 40)
    valid = np.ones((3, 40, 40), np.bool_)
    valid[:, :6] = False
    assert stack_of(Image(np.ones((3, 40, 40), np.float32), (1, 1, 1), "XA", valid=valid)).shape == (1, 40, 40)


def test_random_matrices():
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(200, 120, 30))
    values = np.linalg.eigvalsh(noise.transpose(0, 2, 1) @ noise)
    rows = np.full(200, 120.0)
    assert largest_of_noise(rows[0], 30) == pytest.approx(values[:, -1].mean(), rel=0.01)
    assert hard(values, rows).sum(axis=1).mean() < 0.7
    assert optimal(values, rows).sum(axis=1).mean() < 0.05
    variance, kept = noise_variance(values, rows)
    assert variance.mean() == pytest.approx(1, abs=0.01) and kept.mean() < 0.2
    signal = 3 * np.einsum("ni,nj->nij", rng.normal(size=(200, 120)), rng.normal(size=(200, 30)))
    seen = noise + signal
    values, vectors = np.linalg.eigh(seen.transpose(0, 2, 1) @ seen)
    variance, kept = noise_variance(values, rows)
    assert variance.mean() == pytest.approx(1, abs=0.01) and np.median(kept) == 1
    errors = []
    for factor in (optimal(values, rows), hard(values, rows)):
        errors.append(np.mean((seen @ ((vectors * factor[:, None]) @ vectors.transpose(0, 2, 1)) - signal) ** 2))
    assert errors[0] < errors[1] < 0.1


@pytest.mark.parametrize("length", [1, 2, 5, 9, 10, 11, 64])
@pytest.mark.parametrize("side", [1, 3, 8])
@pytest.mark.parametrize("span", [1, 2, 3])
def test_blocks_cover_an_axis_and_patches_cover_all_blocks(length, side, span):
    axis = axis_of(length, side, span)
    assert axis.edges[0] == 0 and axis.edges[-1] == length and min(np.diff(axis.edges)) >= 1
    assert axis.patches >= 1


def test_patches_have_about_as_many_voxels_as_asked_in_thin_volumes_too():
    assert sides_for((60, 90, 90), 1000) == (10, 10, 10)
    assert np.prod(sides_for((1, 90, 90), 1000)) == pytest.approx(1000, rel=0.05)
    assert np.prod(sides_for((3, 20, 90), 1000)) == pytest.approx(1000, rel=0.1)
