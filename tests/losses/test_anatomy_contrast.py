"""Contrast of patches and pixels: which places are alike, what is 0, and where gradients go; SSIM against another program's."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from demottle.losses.anatomy_contrast import at_places, averaged_around, most_alike, patch_level, pixel_level
from demottle.losses.structural_similarity import structure_lost


def test_places_of_the_same_tissue_are_alike_and_those_beyond_an_edge_are_not() -> None:
    features = torch.zeros(1, 2, 9, 9)
    features[:, 0, :, :5], features[:, 1, :, 5:] = 1.0, 1.0  # two tissues side by side
    beside = torch.tensor([[4 * 9 + 4]])  # the last column of the first
    alike = most_alike(features, beside, 3)
    assert alike.shape == (1, 1, 4) and (alike % 9 <= 4).all() and (alike != 40).all()
    assert averaged_around(features, beside, alike)[0, 0].tolist() == [1.0, 0.0]


def test_places_at_the_border_have_neighbors_inside() -> None:
    features = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    corners = torch.tensor([[0, 15], [3, 12]])
    alike = most_alike(features, corners, 7)
    assert alike.shape == (2, 2, 24) and alike.min() >= 0 and alike.max() < 16
    assert torch.equal(at_places(features, corners)[1, 0], features[1, :, 0, 3])


def test_equal_vectors_cost_nothing_at_the_patch_level_and_opposite_ones_four() -> None:
    q = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    assert float(patch_level(q, 3 * q)) == pytest.approx(0, abs=1e-6)
    assert float(patch_level(q, -q)) == pytest.approx(4, abs=1e-6)


def test_the_pixel_level_is_the_cross_entropy_of_finding_the_place_again() -> None:
    q = torch.tensor([[[2.0, 0.0]]], requires_grad=True)
    k = torch.tensor([[[5.0, 0.0]]], requires_grad=True)
    negatives = torch.tensor([[[[0.0, 1.0], [0.0, 7.0], [-1.0, 0.0]]]])
    expected = -math.log(math.e / (math.e + 2 + 1 / math.e))
    loss = pixel_level(q, k, negatives)
    assert float(loss.detach()) == pytest.approx(expected, abs=1e-6)
    torch.autograd.backward(loss)
    assert q.grad is not None and k.grad is None  # the reference is not drawn toward the result


def test_structure_lost_is_one_less_ssim() -> None:
    random = np.random.default_rng(0)
    x = random.normal(0.4, 0.2, (40, 50)).astype(np.float32)
    y = (x + random.normal(0.1, 0.1, x.shape)).astype(np.float32)
    _, whole = structural_similarity(  # type: ignore[no-untyped-call]
        x.astype(float), y.astype(float), win_size=11, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, data_range=1.0, full=True,
    )  # fmt: skip
    lost = structure_lost(torch.from_numpy(x)[None, None], torch.from_numpy(y)[None, None])
    assert float(lost) == pytest.approx(1 - whole[5:-5, 5:-5].mean(), abs=1e-4)
    assert float(structure_lost(torch.ones(1, 1, 16, 16), torch.ones(1, 1, 16, 16))) == pytest.approx(0, abs=1e-6)
