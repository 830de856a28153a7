"""Metric and adversarial losses: the formula, and what lowers them."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from demottle.losses.adversarial import judged_as, judges_loss
from demottle.losses.patch_metric import patch_metric, patch_nce


def vectors(seed: int, count: int = 6) -> torch.Tensor:
    return normalize(torch.randn(2, count, 16, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_metric_is_its_formula() -> None:
    q, k = vectors(0), vectors(1)
    n, tau, total = q.shape[1], 0.15, 0.0
    for a, b in zip(q.tolist(), k.tolist(), strict=True):

        def dot(x: list[float], y: list[float]) -> float:
            return math.exp(sum(p * r for p, r in zip(x, y, strict=True)) / tau)

        same = sum(dot(a[i], b[i]) for i in range(n)) / n
        apart = sum(dot(v[i], v[j]) for v in (a, b) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
        total += (apart - same) / n / 2
    assert float(patch_metric(q, k)) == pytest.approx(total, rel=1e-4)


def test_both_pull_the_same_place_together_and_other_places_apart() -> None:
    k = torch.eye(6, 16)[None].repeat(2, 1, 1)
    alike = torch.full_like(k, 0.25)
    for loss in (patch_metric, patch_nce):
        assert loss(k, k) < loss(k.flip(1), k)
        assert loss(k, k) < loss(alike, alike)


def test_gradients_reach_both_sides_of_the_metric_and_one_of_nce() -> None:
    for loss, reaches_k in ((patch_metric, True), (patch_nce, False)):
        q, k = vectors(0).requires_grad_(), vectors(1).requires_grad_()
        loss(q, k).backward()
        assert q.grad is not None
        assert (k.grad is not None) is reaches_k


def test_adversarial() -> None:
    ones, zeros = torch.ones(2, 1, 3, 3), torch.zeros(2, 1, 3, 3)
    assert float(judges_loss(ones, zeros)) == 0 and float(judges_loss(zeros, ones)) == 1
    assert float(judged_as(zeros, 1)) == 1 and float(judged_as(ones, 1)) == 0
