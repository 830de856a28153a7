"""The cubes make what was learned nearer to the truth, without letting slices share noise; and CT keeps faint discs."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from demottle.benchmark.suites.discs import disc_figures, place_discs, put_in
from demottle.errors import InputError
from demottle.image import Image
from demottle.methods import Budget
from demottle.methods.bayes import guided_bayes
from demottle.methods.bayes.guided_bayes import GuidedBayesSettings, fit, soft_around
from demottle.noise.fingerprint import measure
from demottle.physics.ct.ct_noise import independent_noise, mix_slices, simulate_noise
from demottle.physics.phantoms.phantom import body_phantom
from demottle.physics.phantoms.regions.texture import random_field
from demottle.pipeline.result import VolumeResult as Result
from demottle.pipeline.run import denoise

QUICK = {"patch": 64}
ROW = 50.0  # pixels: the middle of the bone


@pytest.fixture(scope="module")
def plain() -> Image:
    return body_phantom(slices=9, size=160, spacing=(3.0, 2.2, 2.2), seed=7)


@pytest.fixture(scope="module")
def scan(plain: Image) -> tuple[Image, Image]:
    """Truth with discs, and the same with noise."""
    truth = put_in(plain, place_discs(plain, seed=7))
    return truth, truth.with_voxels(truth.voxels + mix_slices(independent_noise(truth, 40.0, seed=8), 0.12))


def error(image: Image, truth: Image) -> float:
    tissue = (truth.voxels > -150) & (truth.voxels < 200)
    return float(np.sqrt(np.mean((image.voxels - truth.voxels)[tissue] ** 2)))


def shared(result: Result) -> float:
    """Noise that a slice of the result shares with the next, over the variance of the scan's noise: what can be seen of it."""
    leak, noise = result.check.leak, result.check.noise
    assert leak is not None
    return leak.after.at(1) * (noise.after / noise.before) ** 2


@pytest.mark.slow
def test_nearer_to_the_truth_than_what_was_learned_and_slices_hardly_share_more(scan: tuple[Image, Image]) -> None:
    truth, noisy = scan
    learned = denoise(noisy, method="matched-neighbors", settings=QUICK, steps=2)
    both, kept, alone = (
        denoise(noisy, method="guided-bayes", settings={**QUICK, "step": 5, **more}, steps=2)
        for more in ({}, {"kept": 1.0}, {"look": 0.0})
    )
    assert error(both.image, truth) < 0.9 * error(learned.image, truth)
    assert shared(both) < 0.1
    soft = (learned.image.voxels > -150) & (learned.image.voxels < 200)
    # What is coarse is put back from the scan, so only what is finer than that (2.5 pixels) is alike.
    apart = kept.image.voxels - learned.image.voxels
    assert np.abs(apart - gaussian_filter(apart, (0, 1.5, 1.5)))[soft].mean() < 0.5
    assert error(both.image, truth) < error(alone.image, truth)


@pytest.mark.slow
def test_nl_bayes_puts_the_contrast_of_a_lesion_back(plain: Image, scan: tuple[Image, Image]) -> None:
    truth, noisy = scan
    clean = denoise(noisy, method="nl-bayes", settings={"step": 4}).image
    left = disc_figures(clean.voxels, truth, plain, place_discs(plain, seed=7))["contrast_large"]
    assert left is not None and 0.85 < left < 1.15  # 0.6 to 0.75 of it without


def test_what_noisy_cubes_have_in_common_keeps_faint_contrast(plain: Image, scan: tuple[Image, Image]) -> None:
    truth, noisy = scan
    discs, left = place_discs(plain, seed=7), []
    network = fit(noisy, GuidedBayesSettings(patch=64), measure(noisy), budget=Budget(steps=1))
    for shrink in (0.5, 1e9):
        network._settings = replace(network._settings, shrink=shrink)
        left.append(disc_figures(network(noisy).voxels, truth, plain, discs)["contrast_faint"])
    assert left[0] > left[1] + 0.05


@pytest.mark.parametrize(
    "wrong",
    [
        {"shrink": -0.1},
        {"shrink": float("inf")},
        {"kept": 1.5},
        {"look": -0.1},
        {"coarse": 2.0},
        {"coarse_sigma": 0.0},
        {"step": 6},
        {"similar": 0},
        {"patch": 17},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        GuidedBayesSettings(**wrong)


@pytest.mark.slow
def test_a_scan_a_few_slices_at_a_time_is_denoised_as_in_one_go(
    scan: tuple[Image, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, noisy = scan
    fitted = fit(noisy, GuidedBayesSettings(patch=64, step=5), measure(noisy), budget=Budget(steps=1))
    whole = fitted(noisy).voxels
    monkeypatch.setattr(guided_bayes, "_SLAB", 4)
    assert np.array_equal(fitted(noisy).voxels, whole)


def test_the_network_guides_in_soft_tissue_and_not_beside_bone_and_air() -> None:
    plane = np.full((96, 96), 40, np.float32)
    plane[:, :20], plane[:, 76:] = -1000, 900
    trust = soft_around(plane)
    assert (trust[:, 35:62] > 0.99).all()
    assert (trust[:, :22] < 0.1).all() and (trust[:, 74:] < 0.1).all()


@pytest.fixture(scope="module")
def bone() -> tuple[Image, Image, Image]:
    """A block of trabecular bone in a thick cortex in muscle: truth, truth without trabeculae, and the scan."""
    body, far = (np.hypot(*np.meshgrid(np.arange(160) - 79.5, np.arange(160) - row)) for row in (79.5, ROW))
    smooth = np.select([far < 26, far < 31, body < 74], [650.0, 1400.0, 60.0], -1000.0)
    smooth = np.stack([gaussian_filter(smooth, 0.7)] * 9).astype(np.float32)
    spacing = (1.0, 0.8, 0.8)
    grain = random_field(smooth.shape, spacing, 2.4, 5)
    grain *= np.float32(120 / grain.std()) * (far < 25)
    image = Image(smooth + grain, spacing, "CT", "HU")
    noise = simulate_noise(image, 50.0, 0.2, "standard", seed=6, region=image.voxels > 0)
    return image, Image(smooth, spacing, "CT", "HU"), image.with_voxels(np.rint(image.voxels + noise))


def test_noise_in_bone_falls_its_grain_stays_and_no_voxel_is_left_as_it_was(bone: tuple[Image, Image, Image]) -> None:
    truth, smooth, noisy = bone
    clean = denoise(noisy, method="guided-bayes", settings=QUICK, steps=1).image.voxels
    dense = truth.voxels > 500
    before, after = (np.sqrt(np.mean((v - truth.voxels)[dense] ** 2)) for v in (noisy.voxels, clean))
    assert after < 0.85 * before
    assert (clean == noisy.voxels)[dense].mean() < 0.01
    # A ring of zeros around the cortex would show in what was removed there.
    far = np.hypot(*np.meshgrid(np.arange(160) - 79.5, np.arange(160) - ROW))
    removed, noise = clean - noisy.voxels, noisy.voxels - truth.voxels
    for inner in range(2, 38, 3):
        ring = (far >= inner) & (far < inner + 3)
        assert removed[:, ring].std() > 0.25 * noise[:, ring].std()
    box = (slice(2, 7), slice(int(ROW) - 17, int(ROW) + 17), slice(63, 97))
    grain, left = (v[box] - smooth.voxels[box] for v in (truth.voxels, clean))
    assert band_power(left) > 0.9 * band_power(grain)
    assert np.vdot(left, grain) / np.vdot(grain, grain) > 0.85  # it is the grain itself, not other
    assert abs(removed[box].mean()) < 2


def band_power(planes: np.ndarray) -> float:
    """Power between 0.1 and 0.35 per mm, where the trabeculae of the test have theirs."""
    window = np.outer(np.hanning(planes.shape[1]), np.hanning(planes.shape[2]))
    power = np.abs(np.fft.fft2((planes - planes.mean()) * window)) ** 2
    frequency = np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(planes.shape[1], 0.8)]))
    return float(power[:, (frequency > 0.1) & (frequency < 0.35)].sum())
