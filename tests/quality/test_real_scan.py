"""The verdicts on a real abdomen CT, where the noise is not simulated and anatomy is not round."""

import os
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from demottle.image import Image
from demottle.quality import check

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def scan() -> Image:
    folder = os.environ.get("DEMOTTLE_REAL_DATA")
    if not folder:
        pytest.skip("DEMOTTLE_REAL_DATA is not set")
    found = nibabel.load(Path(folder) / "abdomen-ct" / "ct.nii.gz")
    voxels = np.asarray(found.dataobj, np.float32).transpose(2, 1, 0)
    columns, rows, slices = (float(s) for s in found.header.get_zooms())
    return Image(voxels, (slices, rows, columns), "CT", "HU")


def test_a_gaussian_blur_is_seen_to_soften_edges_and_to_leak_nothing(scan: Image) -> None:
    found = check(scan, scan.with_voxels(np.stack([cv2.GaussianBlur(p, (0, 0), 1.0) for p in scan.voxels])))
    assert found.noise.before == pytest.approx(20, abs=3)
    assert found.edges.correlation > 0.4
    assert found.leak is not None and not found.leak.noticeable
    assert all(abs(t.shift) < 0.5 for t in found.tissues if t.name in ("fat", "fluid", "soft tissue"))


def test_an_average_of_slices_is_seen_to_leak(scan: Image) -> None:
    averaged = scan.voxels.copy()
    averaged[1:-1] = (scan.voxels[:-2] + scan.voxels[1:-1] + scan.voxels[2:]) / 3
    found = check(scan, scan.with_voxels(averaged))
    assert found.leak is not None and found.leak.gain > 0.4


def test_halving_the_noise_of_nothing_else_gives_no_warning(scan: Image) -> None:
    """Noise added to real anatomy, then half of it taken out: nothing a reader has to be warned of."""
    guide = np.stack([cv2.bilateralFilter(p, 9, 60.0, 2.0) for p in scan.voxels])
    grain = np.random.default_rng(0).standard_normal(scan.shape).astype(np.float32)
    grain = np.stack([cv2.GaussianBlur(p, (0, 0), 1.0) for p in grain])
    grain *= 25 / grain.std()
    found = check(scan.with_voxels(guide + grain), scan.with_voxels(guide + grain / 2))
    assert abs(found.edges.correlation) < 0.03
    assert all(t.equivalent for t in found.tissues if t.name in ("air", "fat", "fluid", "soft tissue"))
    assert found.warnings == ()
