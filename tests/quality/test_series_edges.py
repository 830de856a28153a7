"""Edges in what was removed from a series of MR volumes: found where they are, in whatever volume, and nowhere else."""

import numpy as np
import pytest

from demottle.image import Image
from demottle.io.files.nifti_frames import GAP, frames_of, gaps
from demottle.quality.check.verdicts import edges_verdict
from demottle.quality.sequence.check import check_sequence
from demottle.quality.sequence.series_gate import series_gate
from demottle.quality.sequence.series_slices import series_edges, slices_in_frame
from demottle.quality.verdict import FAILED

SIDE, SLICES, VOLUMES, NOISE = 48, 5, 7, 20.0


def image(volumes: np.ndarray) -> Image:
    """A series of shape (columns, rows, slices, times), as a reader makes it."""
    frames = frames_of(volumes.astype(np.float32))
    return Image(frames, (2.0, 1.5, 1.5), "MR", valid=gaps(frames.shape, volumes.shape[2]), sequence=True)


@pytest.fixture(scope="module")
def anatomy() -> np.ndarray:
    """The first volume bright, the others weighted: the same edges, weaker."""
    y, x = np.mgrid[:SIDE, :SIDE]
    radius = np.hypot(x - 24, y - 24)
    plane = np.where(radius < 20, 250.0, 0) + np.where(radius < 8, 200.0, 0) + 40 * (np.abs(x - 24) < 3)
    weights = np.array([1.0, *[0.4] * (VOLUMES - 1)])
    return plane.T[:, :, None, None] * weights * np.ones((1, 1, SLICES, 1))


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, NOISE, (SIDE, SIDE, SLICES, VOLUMES))


@pytest.mark.parametrize("slices", [1, 2, 5])
def test_the_slices_of_a_frame_are_counted_by_their_gaps(slices: int) -> None:
    found = image(np.ones((20, 24, slices, 3)))
    assert slices_in_frame(found) == slices and found.shape[1] == slices * (24 + GAP) - GAP


@pytest.mark.parametrize("seed", range(6))
def test_pure_noise_holds_no_edges(anatomy: np.ndarray, seed: int) -> None:
    before, after = image(anatomy + noise(seed)), image(anatomy)
    assert edges_verdict(series_edges(before, after)) == "kept"


@pytest.mark.parametrize("seed", range(3))
def test_an_outline_is_found_that_went_from_the_weak_volumes_alone(anatomy: np.ndarray, seed: int) -> None:
    blurred = anatomy.copy()
    weak = blurred[..., 1:]
    weak[1:-1, 1:-1] = sum(np.roll(weak, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1))[1:-1, 1:-1] / 9
    check = check_sequence(image(anatomy + noise(seed)), image(blurred))
    assert check.edges is not None and edges_verdict(check.edges) == "softened"
    assert any("holds edges" in warning for warning in check.warnings)
    failed = [verdict.name for verdict in series_gate(check).verdicts if verdict.status == FAILED]
    assert "edge_loss" in failed


def test_a_mean_that_moved_fails_the_gate(anatomy: np.ndarray) -> None:
    noisy = anatomy + noise(1)
    check = check_sequence(image(noisy), image(anatomy + 0.05 * anatomy.max()))
    failed = {verdict.name for verdict in series_gate(check).verdicts if verdict.status == FAILED}
    assert "mean_signal" in failed


@pytest.mark.parametrize("seed", range(3))
def test_parts_that_are_told_apart_by_their_own_noise_do_not_fail_it(seed: int) -> None:
    """Where all is noise, the dark third is dark by chance and comes back to the mean."""
    noisy = np.abs(200 + 2 * noise(seed))[..., :4]
    assert series_gate(check_sequence(image(noisy), image(np.full_like(noisy, noisy.mean())))).passed


def test_x_ray_frames_have_no_such_test() -> None:
    frames = Image(np.random.default_rng(0).normal(100, 5, (8, 64, 64)), (0.1, 1, 1), "XA")
    assert check_sequence(frames, frames).edges is None


@pytest.mark.parametrize("seed", range(4))
def test_a_small_single_slice_of_mr_is_tested_with_an_error(anatomy: np.ndarray, seed: int) -> None:
    from demottle.quality.check.residual import edge_test

    plane = anatomy[:, :, :1, 0].T
    noisy = plane + noise(seed)[:, :, :1, 0].T
    mean = sum(np.roll(plane, (i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)) / 9
    before, clean, soft = (Image(values.astype(np.float32), (3, 1, 1), "MR") for values in (noisy, plane, mean))
    kept, lost = edge_test(before, clean), edge_test(before, soft)
    assert np.isfinite(kept.error) and edges_verdict(kept) == "kept"
    assert edges_verdict(lost) == "softened"
