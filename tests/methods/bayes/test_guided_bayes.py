"""The cubes make what was learned nearer to the truth, without letting slices share noise; and CT keeps faint discs."""

import numpy as np
import pytest

from demottle.benchmark.discs import disc_figures, place_discs, put_in
from demottle.denoise import denoise
from demottle.errors import InputError
from demottle.image import Image
from demottle.methods.bayes.guided_bayes import Settings
from demottle.physics.ct_noise import independent_noise, mix_slices
from demottle.physics.phantom import body_phantom

QUICK = {"patch": 64}


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


def test_nearer_to_the_truth_than_what_was_learned_and_slices_hardly_share_more(scan: tuple[Image, Image]) -> None:
    truth, noisy = scan
    learned = denoise(noisy, method="matched-neighbors", settings=QUICK, steps=2)
    both, kept, look = (
        denoise(noisy, method="guided-bayes", settings={**QUICK, "step": 5, **more}, steps=2)
        for more in ({}, {"kept": 1.0}, {"look": 0.5})
    )
    assert error(both.image, truth) < 0.97 * error(learned.image, truth)
    assert both.check.leak is not None and learned.check.leak is not None
    assert both.check.leak.gain < learned.check.leak.gain + 0.12
    soft = (learned.image.voxels > -150) & (learned.image.voxels < 200)
    assert np.abs(kept.image.voxels - learned.image.voxels)[soft].mean() < 0.5
    assert error(look.image, truth) < error(both.image, truth)


def test_nl_bayes_puts_the_contrast_of_a_lesion_back(plain: Image, scan: tuple[Image, Image]) -> None:
    truth, noisy = scan
    clean = denoise(noisy, method="nl-bayes", settings={"step": 4}).image
    left = disc_figures(clean.voxels, truth, plain, place_discs(plain, seed=7))["contrast_large"]
    assert left is not None and 0.85 < left < 1.15  # 0.6 to 0.75 of it without


@pytest.mark.parametrize("wrong", [{"kept": 1.5}, {"look": -0.1}, {"step": 6}, {"similar": 0}, {"patch": 17}])
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Settings(**wrong)
