"""The picture on the first page: small enough, with its source, and with figures that mean what the caption says."""

from pathlib import Path

import numpy as np
import pytest
from tools.front_picture import PICTURE, SOURCE, detail_left, draw, figures

from demottle.physics.phantoms.phantom import body_phantom

ROOT = Path(__file__).parents[2]


def test_the_picture_is_small_and_says_where_it_is_from() -> None:
    assert PICTURE.stat().st_size < 400_000
    for page, folder in ((ROOT / "README.md", "docs/"), (ROOT / "docs" / "index.md", "")):
        assert f"({folder}pictures/front.png)" in page.read_text()
    for told in ("TCGA-09-2043", "CC BY 3.0"):
        assert told in SOURCE and told in (ROOT / "docs" / "index.md").read_text()


def test_detail_that_is_left_is_measured_through_noise() -> None:
    random = np.random.default_rng(0)
    truth = body_phantom(slices=4, size=96, spacing=(3.0, 2.0, 2.0), seed=1)
    fine = random.normal(0, 8, truth.shape).astype(np.float32)
    grainy, where = truth.with_voxels(truth.voxels + fine), np.ones(truth.shape, np.bool_)
    noisy = grainy.with_voxels(grainy.voxels + random.normal(0, 20, truth.shape).astype(np.float32))
    half = grainy.with_voxels(grainy.voxels / 2)
    assert detail_left(grainy, grainy, where) == pytest.approx(1)
    assert detail_left(half, grainy, where) == pytest.approx(0.5)
    assert detail_left(noisy, grainy, where) == pytest.approx(1, abs=0.02)
    faint_lost = grainy.with_voxels(truth.voxels)  # edges stay, grain goes
    assert detail_left(faint_lost, grainy, where, below=10) < 0.6 < detail_left(faint_lost, grainy, where)


def test_the_caption_holds_the_figures_and_the_picture_the_four_images() -> None:
    truth = body_phantom(slices=4, size=272, spacing=(3.0, 1.4, 1.4), seed=1)
    noisy = truth.with_voxels(truth.voxels + np.random.default_rng(1).normal(0, 20, truth.shape).astype(np.float32))
    told = figures(truth, noisy, truth)
    assert told["noise"] == "20 HU" and told["fine detail"] == "100 -> 100 %" and told["error"].endswith("-> 0.0 HU")
    assert draw(truth, noisy, truth).shape == (20 + 272 + 4 + 272 + 20, 4 * (272 + 4))
