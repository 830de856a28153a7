"""What noisy cubes have in common comes back where the guide lost it, and chance does not."""

import pytest
import torch
from torch import Tensor

from demottle.methods.bayes.group_mean import Precision, mean_of, sizes

VOXELS, CUBES, GROUPS = 27, 60, 400
NOISE = torch.eye(VOXELS)


def groups(contrast: float) -> tuple[Tensor, Tensor, Tensor]:
    """Noisy cubes that a step of this height crosses, a guide that sees nothing, and equal counts."""
    step = torch.where(torch.arange(VOXELS) < VOXELS // 2, 0.0, contrast)
    drawn = torch.randn(GROUPS, CUBES, VOXELS, generator=torch.Generator().manual_seed(1))
    return drawn + step, torch.zeros_like(drawn), torch.ones(GROUPS, CUBES, 1)


def found(contrast: float, shrink: float) -> Tensor:
    x, g, count = groups(contrast)
    usual = float(sizes(*groups(0.0), NOISE).median())
    return mean_of(x, g, count / count.sum(1, keepdim=True), Precision(NOISE, shrink, usual))[:, 0]


def test_independent_cubes_have_the_size_of_chance() -> None:
    assert float(sizes(*groups(0.0), NOISE).mean()) == pytest.approx(1, rel=0.02)


def test_chance_is_shrunk_and_a_step_of_half_the_noise_comes_back() -> None:
    averaged, left = CUBES**-0.5, found(0.0, 1.0)
    assert float(left.std()) < 0.2 * averaged
    step = found(0.5, 1.0)
    assert float((step[:, -1] - step[:, 0]).mean()) == pytest.approx(0.5, rel=0.15)


def test_nothing_is_believed_where_all_of_it_is_taken_off_and_everything_where_nothing_is() -> None:
    assert torch.equal(found(0.5, 1e9), torch.zeros(GROUPS, VOXELS))
    x, _, _ = groups(0.5)
    assert torch.allclose(found(0.5, 0.0), x.mean(1), atol=1e-6)


def test_a_guide_that_is_the_scan_itself_is_its_own_mean() -> None:
    x, _, count = groups(0.5)
    usual = float(sizes(x, x, count, NOISE).median())
    assert usual == 0
    assert torch.allclose(mean_of(x, x, count / CUBES, Precision(NOISE, 0.5, usual))[:, 0], x.mean(1), atol=1e-6)
