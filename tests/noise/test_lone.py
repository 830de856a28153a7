"""A single slice has its own noise spectrum, rough but far from flat."""

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.image import Image
from demottle.noise.fingerprint import measure
from demottle.noise.lone import lone_spectrum
from demottle.noise.spectrum import spectrum_of_noise
from demottle.noise.synthesis import resample_spectrum
from demottle.physics.ct.ct_noise import independent_noise
from demottle.physics.phantoms.phantom import body_phantom
from demottle.pipeline.plan import make_plan


@pytest.fixture(scope="module")
def slice_and_noise() -> tuple[Image, np.ndarray]:
    truth = body_phantom(slices=2, size=320, spacing=(3.0, 1.1, 1.1), seed=4)
    noise = independent_noise(truth, 30.0, seed=5)[:2]
    return Image((truth.voxels + noise)[:1], truth.spacing, "CT", "HU"), noise


def shape_of(density: np.ndarray) -> np.ndarray:
    """Power of the window the filter uses, without the mean, normalized."""
    power = resample_spectrum(density, 16)
    power[0, 0] = 0
    return power / power.mean()


def test_spectrum_of_one_slice_is_near_that_of_its_noise(slice_and_noise: tuple[Image, np.ndarray]) -> None:
    image, noise = slice_and_noise
    inside = np.ascontiguousarray(noise[:, 80:240, 64:256])
    true = spectrum_of_noise(inside, (1.1, 1.1), 32)
    measured = lone_spectrum(image)
    assert measured.mean == pytest.approx(true.mean, rel=0.1)
    assert measured.sigma == pytest.approx(inside.std(), rel=0.2)
    wrong = np.abs(shape_of(measured.density_2d) - shape_of(true.density_2d)).mean()
    assert wrong < 0.35 * np.abs(1 - shape_of(true.density_2d)).mean()  # of what taking it as white is wrong by


def test_the_plan_says_that_it_is_rough(slice_and_noise: tuple[Image, np.ndarray]) -> None:
    plan = make_plan(measure(slice_and_noise[0]))
    assert plan.method == "guided-bayes"
    assert "flattest tissue of the slice itself" in plan.reasons[1]


def test_padding_is_no_tissue() -> None:
    noise = np.random.default_rng(0).normal(40, 10, (1, 160, 160)).astype(np.float32)
    valid = np.zeros(noise.shape, np.bool_)
    valid[:, :, 64:] = True
    assert lone_spectrum(Image(np.where(valid, noise, 0), (3, 1, 1), "CT", "HU", valid=valid)).sigma == pytest.approx(
        10, rel=0.1
    )


def test_a_slice_without_flat_tissue_has_none() -> None:
    air = np.random.default_rng(0).normal(-1000, 10, (1, 64, 64)).astype(np.float32)
    said = (
        r"regions? of \d+ x \d+ pixels in the slice (is|are) flat tissue; a noise spectrum needs at least \d+, "
        r"so none is used\.$"
    )
    with pytest.raises(InputError, match=said):
        lone_spectrum(Image(air, (3, 1, 1), "CT", "HU"))
