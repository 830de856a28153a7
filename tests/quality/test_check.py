import json
import time
import tracemalloc

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter1d
from tests.quality.phantoms import body, ct, noise

from demottle.errors import InputError
from demottle.events import Progress
from demottle.image import Image
from demottle.noise.fingerprint import measure
from demottle.quality import check

TRUTH = body(20, 256)
GRAIN = noise(TRUTH.shape, 20)
BEFORE = ct(TRUTH + GRAIN)


def test_a_good_result_gives_no_warning_but_of_its_texture() -> None:
    found = check(BEFORE, ct(TRUTH + 0.5 * GRAIN))
    assert found.warnings == ()
    assert found.noise.before == pytest.approx(20, rel=0.1)
    assert found.noise.removed_share == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (TRUTH + 0.5 * GRAIN + 1.6, "CT number of soft tissue moved by +1.6 HU"),
        (TRUTH + 0.97 * GRAIN, "Almost nothing was removed"),
        (TRUTH + 1.3 * GRAIN, "worse than its input"),
        (gaussian_filter(TRUTH + GRAIN, (0, 1.2, 1.2)), "holds edges of"),
        (TRUTH + uniform_filter1d(GRAIN, 3, axis=0), "share more noise"),
        (TRUTH + 0.02 * GRAIN, "artificially smooth"),
    ],
)
def test_what_is_wrong_is_said_in_words(after: np.ndarray, said: str) -> None:
    assert any(said in warning for warning in check(BEFORE, ct(after)).warnings)


def test_the_dictionary_is_plain_json_and_says_what_was_measured() -> None:
    found = json.loads(json.dumps(check(BEFORE, ct(TRUTH + 0.5 * GRAIN)).to_dict(), allow_nan=False))
    assert found["unit"] == "HU"
    assert found["noise"]["after"] == pytest.approx(10, rel=0.1)
    assert {t["name"] for t in found["tissues"]} >= {"air", "fat", "soft tissue"}
    assert len(found["noise_spectra"]["density"]["before"]) == len(found["noise_spectra"]["frequency_per_mm"])


def test_a_fingerprint_saves_the_second_measurement_and_changes_nothing() -> None:
    after = ct(TRUTH + 0.5 * GRAIN)
    assert check(BEFORE, after, measure(BEFORE)).to_dict() == check(BEFORE, after).to_dict()


def test_progress_is_reported_to_the_end() -> None:
    heard: list[Progress] = []
    check(BEFORE, ct(TRUTH), listener=heard.append)
    assert {p.stage for p in heard} == {"check"}
    assert heard[-1].done == heard[-1].total


def test_a_single_slice_an_mr_image_and_an_empty_one_can_be_checked() -> None:
    one = check(ct(BEFORE.voxels[:1]), ct(TRUTH[:1]))
    assert one.leak is None
    assert one.noise.removed_share > 0.9
    mr = Image(BEFORE.voxels + 1000, (3, 0.8, 0.8), "MR")
    assert check(mr, mr.with_voxels(TRUTH + 1000)).tissues
    empty = ct(np.full((4, 64, 64), -1000.0))
    assert any("No flat tissue" in w for w in check(empty, empty).warnings)
    json.dumps(check(empty, empty).to_dict(), allow_nan=False)


def test_images_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(InputError, match="one shape"):
        check(BEFORE, ct(TRUTH[:5]))


@pytest.mark.slow
def test_a_large_series_needs_little_time_and_memory() -> None:
    truth = np.tile(body(8, 512), (32, 1, 1))  # 256 slices of 512 x 512
    before, after = ct(truth + np.tile(noise((8, 512, 512)), (32, 1, 1))), ct(truth)
    tracemalloc.start()
    start = time.perf_counter()
    check(before, after)
    assert time.perf_counter() - start < 60
    assert tracemalloc.get_traced_memory()[1] < 300e6
    tracemalloc.stop()
