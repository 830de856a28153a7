"""Figures of discs: known answers on a phantom that is known exactly."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from demottle.benchmark.suites.discs import Placed, disc_figures, place_discs, put_in
from demottle.image import Image


@pytest.fixture(scope="module")
def plain() -> Image:
    """Soft tissue everywhere, in the middle of a range that counts as such."""
    return Image(np.full((9, 160, 160), 50, np.float32), (3.0, 1.5, 1.5), "CT", "HU")


@pytest.fixture(scope="module")
def placed(plain: Image) -> Placed:
    return place_discs(plain, seed=0)


def test_discs_do_not_touch_and_half_of_the_faint_places_are_empty(plain: Image, placed: Placed) -> None:
    assert len(placed.edges) == 6 and len(placed.small) >= 4
    assert abs(len(placed.faint) - len(placed.empty)) <= 1 and len(placed.faint) >= 8
    added = put_in(plain, placed).voxels - plain.voxels
    assert added.max() == pytest.approx(35, rel=0.02)  # where discs overlap they add up
    for z, row, column in placed.empty:
        assert abs(added[int(z), int(row) - 2 : int(row) + 3, int(column) - 2 : int(column) + 3]).max() < 1e-3


def test_the_truth_itself_keeps_everything(plain: Image, placed: Placed) -> None:
    truth = put_in(plain, placed)
    found = disc_figures(truth.voxels, truth, plain, placed)
    assert [found[name] for name in ("contrast_large", "contrast_faint", "contrast_small", "f50")] == pytest.approx(
        [1] * 4
    )


def test_half_of_the_contrast_is_half_and_blur_lowers_f50(plain: Image, placed: Placed) -> None:
    truth = put_in(plain, placed)
    halved = plain.voxels + 0.5 * (truth.voxels - plain.voxels)
    found = disc_figures(halved, truth, plain, placed)
    assert [found[name] for name in ("contrast_large", "contrast_faint", "f50")] == pytest.approx([0.5, 0.5, 1.0])
    blurred = np.stack([cv2.GaussianBlur(plane, (0, 0), 1.0) for plane in truth.voxels])
    f50 = disc_figures(blurred, truth, plain, placed)["f50"]
    assert f50 is not None and 0.3 < f50 < 0.9


def test_detectability_falls_with_noise_and_is_nothing_without_discs(plain: Image, placed: Placed) -> None:
    truth, random = put_in(plain, placed), np.random.default_rng(0)
    noise = random.standard_normal(truth.shape).astype(np.float32)

    def dprime(voxels: np.ndarray) -> float:
        found = disc_figures(voxels, truth, plain, placed)["dprime"]
        assert found is not None
        return found

    assert dprime(truth.voxels + 20 * noise) > 1.5 * dprime(truth.voxels + 60 * noise) > 0
    assert dprime(plain.voxels + 20 * noise) < 1.5


def test_anatomy_behind_a_disc_does_not_count(placed: Placed, plain: Image) -> None:
    slope = np.linspace(0, 60, 160, dtype=np.float32)[None, None] + np.zeros(plain.shape, np.float32)
    sloped = replace(plain, voxels=plain.voxels + slope)
    truth = put_in(sloped, placed)
    assert disc_figures(truth.voxels, truth, sloped, placed)["contrast_faint"] == pytest.approx(1)


def test_without_discs_nothing_is_told(plain: Image) -> None:
    assert set(disc_figures(plain.voxels, plain, plain, Placed()).values()) == {None}
