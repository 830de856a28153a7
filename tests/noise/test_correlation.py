"""The slice-to-slice correlation decides how a scan may be learned from, so it has to be right."""

import numpy as np
import pytest

from demottle.image import Image
from demottle.noise.correlation import known_correlation, slice_correlation
from demottle.physics.ct.ct_noise import independent_noise, mix_slices
from demottle.physics.phantoms.phantom import body_phantom


@pytest.fixture(scope="module")
def scan() -> tuple[Image, np.ndarray]:
    truth = body_phantom(slices=20, size=192, spacing=(3.0, 1.9, 1.9), seed=3)
    return truth, independent_noise(truth, 35.0, seed=1)


@pytest.mark.parametrize("rho", [0.0, 0.12, 0.25, 0.45, 0.6])
def test_correlation_is_right_on_anatomy_that_changes(scan: tuple[Image, np.ndarray], rho: float) -> None:
    truth, noise = scan
    image = truth.with_voxels(np.rint(truth.voxels + mix_slices(noise, rho)))
    assert slice_correlation(image).at(1) == pytest.approx(rho, abs=0.03)


def test_lag_beyond_the_mixing_is_free(scan: tuple[Image, np.ndarray]) -> None:
    truth, noise = scan
    image = truth.with_voxels(truth.voxels + mix_slices(noise, 0.12))
    assert slice_correlation(image).first_free_lag() == 2


def test_a_single_slice_has_no_correlation(scan: tuple[Image, np.ndarray]) -> None:
    truth, noise = scan
    one = Image(truth.voxels[:1] + noise[1:2], truth.spacing, "CT", "HU")
    assert slice_correlation(one).rho == ()


def test_identical_slices_share_everything(scan: tuple[Image, np.ndarray]) -> None:
    truth, noise = scan
    same = np.repeat(truth.voxels[:1] + noise[:1], 10, axis=0)
    assert slice_correlation(Image(same, truth.spacing, "CT", "HU")).rho[0] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("side", "known"), [(22, False), (32, True)], ids=["14 x 14 pixels", "24 x 24 pixels"])
def test_of_three_hundred_flat_pixels_the_correlation_is_known_roughly(side: int, known: bool) -> None:
    """Between 300 and 2000 pixels it is told, within 0.15; below it is not."""
    found = []
    for seed in range(4):
        voxels = np.random.default_rng(seed).normal(-1000, 5, (4, 96, 96))
        voxels[:, 30 : 30 + side, 30 : 30 + side] += 1050
        image = Image(voxels.astype(np.float32), (3, 1, 1), "CT", "HU")
        measured = slice_correlation(image)
        assert np.isnan(measured.at(1))
        found.append(known_correlation(image, measured).at(1))
    assert np.isfinite(found).all() == known
    if known:
        assert np.abs(found).max() < 0.15


def test_air_alone_gives_no_number() -> None:
    air = np.random.default_rng(0).normal(-1000, 10, (6, 64, 64)).astype(np.float32)
    assert np.isnan(slice_correlation(Image(air, (3, 1, 1), "CT", "HU")).at(1))
