"""The low-contrast phantom against the public one whose layout it has."""

import os
from pathlib import Path

import numpy as np
import pytest

from demottle.physics.phantoms.catalog import build

SIZE = 256


@pytest.mark.real_data
def test_it_is_the_public_truth_within_its_rounding():
    """The public image was painted at 4 x 4 points per pixel and rounded to whole HU; ours is exact."""
    folder = os.environ.get("DEMOTTLE_REAL_DATA")
    if not folder:
        pytest.skip("DEMOTTLE_REAL_DATA is not set")
    stored = np.fromfile(Path(folder) / "low-contrast-phantom" / "ground_truth.raw", "<u2")
    public = stored.reshape(SIZE, SIZE).astype(np.float64) - 1000
    pixel = 165 / SIZE
    scene = build("low-contrast", 1, SIZE, (3, pixel, pixel))
    difference = scene.image.voxels[0] - public
    rows, columns = np.indices(public.shape)
    within = np.hypot(rows - 127.5, columns - 127.5) < 110
    assert np.abs(difference[within]).max() < 1.2  # an edge pixel of the 14 HU disc: 1/16 of it, and rounding
    assert np.abs(difference).max() < 120  # rim of the body, 1000 HU
    assert (scene.image.voxels[0] + 1000).sum() == pytest.approx((public + 1000).sum(), rel=2e-4)
    for disc in scene.structures[1:]:
        row, column, radius = disc.in_slice(0, scene.image.spacing)
        near = np.hypot(rows - row, columns - column) < radius + 2
        weight = public[near] / public[near].sum()
        assert (rows[near] * weight).sum() == pytest.approx(row, abs=0.1)
        assert (columns[near] * weight).sum() == pytest.approx(column, abs=0.1)
        core = np.hypot(rows - row, columns - column) < radius - 1
        assert (public[core] == disc.insert.contrast).all()
        assert public[near].sum() / disc.insert.contrast == pytest.approx(np.pi * radius**2, rel=0.025)
