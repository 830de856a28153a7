"""The map of the local noise level follows the noise, not the anatomy."""

import numpy as np
import pytest

from demottle.image import Image
from demottle.noise.correlation import slice_correlation
from demottle.noise.fingerprint import measure
from demottle.noise.level import noise_level
from demottle.noise.local import noise_map
from demottle.physics.ct_noise import independent_noise, mix_slices
from demottle.physics.phantom import body_phantom


def test_level_of_uniform_noise() -> None:
    tissue = np.random.default_rng(0).normal(40, 17, (4, 128, 128)).astype(np.float32)
    assert noise_level(Image(tissue, (3, 1, 1), "CT", "HU")) == pytest.approx(17, rel=0.02)


def test_map_follows_a_gradient_of_the_level() -> None:
    random = np.random.default_rng(1)
    level = np.linspace(10, 40, 192, dtype=np.float32)[None, None, :]
    tissue = 40 + level * random.standard_normal((6, 192, 192), dtype=np.float32)
    image = Image(tissue, (3, 1, 1), "CT", "HU")
    plane = noise_map(image, slice_correlation(image), noise_level(image)).plane(3)
    got = plane[20:-20, 20:-20].mean(axis=0)
    assert got == pytest.approx(level[0, 0, 20:-20], rel=0.12)


def test_map_of_a_scan_is_the_noise_that_was_added() -> None:
    truth = body_phantom(slices=12, size=320, spacing=(3.0, 1.1, 1.1), seed=2)
    noise = mix_slices(independent_noise(truth, 30.0, seed=3), 0.3)
    image = truth.with_voxels(truth.voxels + noise)
    local = noise_map(image, slice_correlation(image), noise_level(image))
    body = (truth.voxels > -100) & (truth.voxels < 150)
    measured = np.stack([local.plane(i) for i in range(12)])[body]
    assert np.sqrt((measured**2).mean()) == pytest.approx(noise[body].std(), rel=0.06)


def test_fingerprint_is_plain_json() -> None:
    import json

    truth = body_phantom(slices=6, size=128, spacing=(3.0, 2.8, 2.8), seed=0)
    noise = mix_slices(independent_noise(truth, 30.0, seed=0), 0.2)
    text = json.dumps(measure(truth.with_voxels(truth.voxels + noise)).to_dict(), allow_nan=False)
    assert "slice_correlation" in text


def test_an_image_without_tissue_is_described_not_refused() -> None:
    air = np.random.default_rng(0).normal(-1000, 10, (4, 64, 64)).astype(np.float32)
    fingerprint = measure(Image(air, (3, 1, 1), "CT", "HU"))
    assert np.isnan(fingerprint.noise_level)
    assert any("flat soft tissue" in warning for warning in fingerprint.warnings)
