import pytest
import torch

from demottle.losses.edge_preserving import edge_preserving, haar_bands


def test_a_constant_has_no_edges_and_a_step_is_in_the_band_across_it() -> None:
    image = torch.zeros(1, 1, 8, 8)
    assert not haar_bands(image + 7).any()
    image[..., 4:] = 3
    across, down, diagonal = haar_bands(image)[0]
    assert float(across.abs().max()) == 3
    assert not down.any()
    assert not diagonal.any()


def test_white_noise_keeps_its_deviation_in_every_band() -> None:
    noise = torch.randn(1, 1, 200, 200, generator=torch.Generator().manual_seed(0))
    assert haar_bands(noise).std((0, 2, 3)).tolist() == pytest.approx([1, 1, 1], abs=0.02)


def test_a_blurred_edge_costs_and_a_shifted_level_does_not() -> None:
    target = torch.zeros(1, 1, 8, 8)
    target[..., 4:] = 1
    blurred = target.clone()
    blurred[..., 3:5] = 0.5
    one = torch.ones_like(target)
    assert edge_preserving(target + 5, target, one) < 1e-6
    assert edge_preserving(blurred, target, one) > 0.01
    assert edge_preserving(blurred, target, 0 * one) == 0
