"""The losses of NS-N2N and the bounded square."""

import pytest
import torch

from demottle.losses.neighbors import bounded_square, continuity, matched_error, regional_consistency


def test_only_matched_pixels_count() -> None:
    output, target = torch.zeros(1, 1, 2, 2), torch.tensor([[[[1.0, 5.0], [2.0, 7.0]]]])
    weight = torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]])
    assert matched_error(output, target, weight).item() == pytest.approx((1 + 4) / 2)
    assert matched_error(output, target, 0 * weight).item() == 0
    assert regional_consistency(output, target, weight) == matched_error(output, target, weight)


def test_continuity_of_anything_linear_is_zero() -> None:
    x, y = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8)
    assert continuity(3 * (x + y) / 2, 3 * x, 3 * y).item() == pytest.approx(0, abs=1e-12)


def test_bounded_square_is_square_then_straight() -> None:
    limit = torch.tensor(2.0)
    error = torch.tensor([-1.0, 2.0, 10.0], requires_grad=True)
    loss = bounded_square(error, limit)
    assert loss.tolist() == pytest.approx([1, 4, 36])
    loss.sum().backward()
    assert error.grad is not None and error.grad.tolist() == pytest.approx([-2, 4, 4])
