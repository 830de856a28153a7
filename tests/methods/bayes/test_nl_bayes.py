"""Heads in MR: better than slice by slice, without sharing noise between slices; and what it is chosen for."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.methods.bayes import guided_bayes
from demottle.methods.bayes.nl_bayes import NlBayesSettings
from demottle.noise.fingerprint import measure
from demottle.physics.mr.noise import rician_scan
from demottle.physics.phantoms.brain import brain_phantom
from demottle.pipeline.plan import make_plan
from demottle.pipeline.run import denoise
from demottle.pipeline.settings import check_settings


def test_a_head_is_nearer_to_its_truth_than_by_slices_and_its_slices_do_not_share_noise() -> None:
    truth = brain_phantom(8, 144, (3.0, 1.5, 1.5), seed=3).image
    scan = rician_scan(truth, 7.0, seed=3)
    head = truth.voxels > 0

    def error(image: Image) -> float:
        return float(np.sqrt(np.mean((image.voxels - truth.voxels)[head] ** 2)))

    result = denoise(scan)
    assert result.plan.method == "nl-bayes"
    slice_by_slice = denoise(scan, method="nlm").image
    assert error(result.image) < 0.9 * error(slice_by_slice) < 0.9 * error(scan)
    assert result.check.leak is not None and not result.check.leak.noticeable


def test_mr_is_given_to_it_and_ct_is_not() -> None:
    truth = brain_phantom(8, 144, (3.0, 1.5, 1.5), seed=3).image
    assert make_plan(measure(rician_scan(truth, 7.0, seed=3))).method == "nl-bayes"
    ct = Image(np.random.default_rng(1).normal(40, 20, (6, 96, 96)).astype(np.float32), (3.0, 1.0, 1.0), "CT", "HU")
    assert make_plan(measure(ct)).method != "nl-bayes"


def test_its_settings_can_be_given_without_its_name() -> None:
    check_settings(None, {"passes": 1})
    with pytest.raises(InputError, match="no setting"):
        check_settings(None, {"pass": 1})


@pytest.mark.parametrize("slices", [1, 2, 3, 4])
def test_few_slices_are_no_obstacle(slices: int) -> None:
    flat = np.full((slices, 64, 64), 400.0, np.float32)
    flat[:, 20:40, 20:40] = 700.0
    scan = Image(flat + np.random.default_rng(2).normal(0, 20, flat.shape).astype(np.float32), (3.0, 1.0, 1.0), "MR")
    out = denoise(scan, method="nl-bayes").image.voxels
    assert np.isfinite(out).all()
    assert np.std(out - flat) < 0.5 * np.std(scan.voxels - flat)


@pytest.mark.parametrize(
    "wrong",
    [{"side": 0}, {"similar": 0}, {"step": 6}, {"side": 5, "depth": 21}, {"search_slices": -1}, {"threshold": 0.0}],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        NlBayesSettings(**wrong)


@pytest.mark.parametrize("side", [3, 4])
def test_cubes_smaller_than_the_usual_step_of_the_guide_are_taken(side: int) -> None:
    settings = NlBayesSettings(side=side, step=3)
    assert settings.guide_step > settings.side
    assert guided_bayes.GuidedBayesSettings(side=side, step=3).of_cubes().side == side
