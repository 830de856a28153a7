import json

import numpy as np
import pytest
from tests.quality.phantoms import body, ct, noise

from demottle.errors import InputError
from demottle.quality import against_truth


def test_a_result_nearer_to_the_truth_scores_better_and_its_bias_is_seen() -> None:
    truth = body(4)
    grain = noise(truth.shape)
    found = against_truth(ct(truth + grain), ct(truth + grain / 4 + 2), ct(truth))
    assert found.before.rmse == pytest.approx(20, rel=0.02)
    assert found.after.rmse == pytest.approx(np.hypot(5, 2), rel=0.02)
    assert found.after.bias == pytest.approx(2, abs=0.05)
    assert found.after.psnr == pytest.approx(20 * np.log10(400 / np.hypot(5, 2)), abs=0.2)
    assert found.after.ssim > found.before.ssim
    soft = next(t for t in found.after.tissues if t.name == "soft tissue")
    assert soft.shift == pytest.approx(2, abs=0.2)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_mask_and_invalid_voxels_limit_where_errors_count() -> None:
    truth = body(4)
    wrong = truth.copy()
    wrong[:, :50] += 300
    mask = np.zeros(truth.shape, bool)
    mask[:, 60:] = True
    found = against_truth(ct(wrong), ct(truth), ct(truth), mask)
    assert found.before.rmse == 0
    assert found.voxels == mask.sum()


def test_a_truth_of_another_shape_is_refused() -> None:
    with pytest.raises(InputError, match="one shape"):
        against_truth(ct(body(4)), ct(body(4)), ct(body(5)))


def test_likenesses_need_slices_of_48_pixels() -> None:
    random = np.random.default_rng(0)
    for side, measured in ((48, True), (47, False)):
        truth = random.normal(40, 40, (2, side, side))
        found = against_truth(ct(truth + random.normal(0, 9, truth.shape)), ct(truth), ct(truth))
        assert np.isfinite([found.before.vif, found.before.gmsd]).all() == measured
        assert np.isfinite([found.before.rmse, found.before.ssim]).all()


def test_a_score_that_does_not_exist_is_named() -> None:
    truth = body(4)
    found = against_truth(ct(truth + 1), ct(truth), ct(truth)).before
    assert found["rmse"] == found.rmse
    with pytest.raises(AttributeError, match="no score 'mse'; there are rmse, bias, psnr"):
        _ = found.mse
