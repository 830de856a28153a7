"""What a wire loses of its contrast is seen, however faint it is; noise that has nothing to do with it is not."""

import numpy as np
import pytest
import torch
from torch import Tensor

from demottle.learning.data.faint_wires import faint_wires
from demottle.losses.wire_contrast import contrast_lost


@pytest.fixture
def wires() -> Tensor:
    return torch.from_numpy(faint_wires(4, 64, np.random.default_rng(0)))[:, None]


def test_nothing_lost_is_zero_and_the_share_lost_counts_squared(wires: Tensor) -> None:
    assert contrast_lost(torch.zeros_like(wires), wires) == 0
    whole, half = (float(contrast_lost(-share * wires, wires)) for share in (1.0, 0.5))
    assert half == pytest.approx(whole / 4)
    assert whole == pytest.approx(float((wires**2).clamp(max=1).mean()), rel=0.1)


def test_a_faint_wire_counts_as_much_as_a_deep_one(wires: Tensor) -> None:
    one = wires / wires.abs().amax(dim=(-1, -2), keepdim=True)
    deep, faint = (
        float(contrast_lost(-depth * one, depth * one)) / float((depth * one).square().clamp(max=1).mean())
        for depth in (4.0, 1.0)
    )
    assert 0.75 * deep < faint <= deep


def test_noise_as_strong_as_the_wire_hardly_counts(wires: Tensor) -> None:
    noise = torch.randn(wires.shape, generator=torch.Generator().manual_seed(0))
    assert float(contrast_lost(noise * wires.abs().max() / 2, wires)) < float(contrast_lost(-wires, wires)) / 2


def test_it_teaches_a_network_to_keep_the_wire(wires: Tensor) -> None:
    kept = torch.zeros(1, requires_grad=True)
    contrast_lost(kept * wires - wires, wires).backward()
    assert kept.grad is not None and float(kept.grad) < 0
