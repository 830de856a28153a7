import base64

import cv2
import numpy as np
import pytest
from tests.quality.phantoms import body, ct, noise

from demottle.image import Image
from demottle.report.planes import Coding, box_of, coding_of, encoded, plane_sets


def decoded(text: str) -> np.ndarray:
    """Codes from an encoded plane, as the page decodes them."""
    stacked = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_UNCHANGED).astype(int)
    high, low = np.split(stacked, 2)
    return high * 256 + low


def test_values_travel_to_within_half_a_step() -> None:
    coding = Coding(-1400, 1.5)
    plane = np.random.default_rng(0).uniform(-1300, 2900, (30, 41)).astype(np.float32)
    back = coding.offset + coding.step * decoded(encoded(coding.codes(plane)))
    assert np.abs(back - plane).max() <= 0.75 + 1e-3


@pytest.mark.parametrize("sigma", [2.0, 15.0, 80.0, float("nan")])
def test_ct_steps_are_fine_against_noise_and_window(sigma: float) -> None:
    step = coding_of(ct(body(2)), sigma).step
    assert step <= 2
    assert not step > sigma / 3
    assert coding_of(ct(body(2)), sigma).codes(np.array([[-1024.0, 3000.0]], np.float32)).tolist()[0][1] < 65535


def test_values_outside_the_range_and_nan_do_not_wrap_around() -> None:
    codes = Coding(-1400, 1).codes(np.array([[-5000.0, 1e6, np.nan]], np.float32))
    assert codes.tolist() == [[0, 65535, 0]]


def test_three_planes_have_the_proportions_of_the_patient_and_the_head_on_top() -> None:
    voxels = np.full((20, 60, 80), 50, np.float32)
    voxels[-1] = 1000
    image = ct(voxels, (5.0, 1.0, 1.5))
    axial, coronal, sagittal = plane_sets(image, image, Coding(-1400, 1))
    assert axial["aspect"] == pytest.approx(80 * 1.5 / 60)
    assert coronal["aspect"] == pytest.approx(80 * 1.5 / (20 * 5))
    assert sagittal["aspect"] == pytest.approx(60 * 1.0 / (20 * 5))
    rows = decoded(coronal["slices"][0]["before"])
    assert rows[0].min() == 2400
    assert rows[1:].max() == 1450


def test_the_box_holds_the_patient_and_leaves_out_the_air() -> None:
    voxels = np.full((4, 128, 128), -1000, np.float32)
    voxels[:, 40:90, 30:100] = 40
    box = box_of(ct(voxels, (3, 1, 1)))
    assert (box.rows[0], box.columns[0]) == pytest.approx((32, 22), abs=3)
    assert box.rows[0] <= 40 and box.rows[1] >= 90 and box.columns[0] <= 30 and box.columns[1] >= 100


def test_a_long_series_is_thinned_to_a_page_that_can_be_opened() -> None:
    long = Image(np.broadcast_to(np.float32(40), (400, 512, 512)), (1, 0.7, 0.7), "CT", "HU")
    sets = plane_sets(long, long, Coding(-1400, 1))
    assert sum(s["width"] * s["height"] * len(s["slices"]) for s in sets) <= 6_600_000
    assert len(sets) == 3 and all(len(s["slices"]) >= 4 for s in sets)


def test_a_few_slices_and_frames_have_one_plane() -> None:
    few = ct(body(3) + noise((3, 192, 192)))
    assert [s["name"] for s in plane_sets(few, few, Coding(-1400, 1))] == ["axial"]
    frames = Image(body(20), (0.066, 0.3, 0.3), "XA")
    (only,) = plane_sets(frames, frames, Coding(-1400, 1))
    assert only["name"] == "frames"
    assert only["slices"][0]["label"] == "frame 1 of 20"


def test_what_is_noisy_travels_in_coarser_steps_and_gains_hardly_any_noise() -> None:
    fine, sigma = Coding(-1400, 1.0), 20.0
    coarse = fine.coarser(sigma)
    plane = np.random.default_rng(0).normal(40, sigma, (200, 200)).astype(np.float32)
    back = coarse.offset + coarse.step * coarse.codes(plane)
    assert back.std() == pytest.approx(plane.std(), rel=5e-3) and abs(back.mean() - plane.mean()) < 0.05
    assert len(encoded(coarse.codes(plane))) < 0.8 * len(encoded(fine.codes(plane)))
    assert fine.coarser(float("nan")) == fine and fine.coarser(1.0) == fine


@pytest.mark.parametrize("truth", [False, True])
def test_noise_that_does_not_compress_costs_slices_and_never_the_size_of_the_page(
    monkeypatch: pytest.MonkeyPatch, truth: bool
) -> None:
    monkeypatch.setattr("demottle.report.planes._BYTES", 300_000)
    loud = ct(np.random.default_rng(0).normal(0, 300, (24, 96, 96)).astype(np.float32))
    sets = plane_sets(loud, loud, coding_of(loud, 5.0), loud if truth else None)
    names = ("before", "after", "truth")[: 3 if truth else 2]
    size = sum(len(one[name]) for found in sets for one in found["slices"] for name in names)
    assert 150_000 < size < 320_000
