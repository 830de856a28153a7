"""The network that is told how strong the noise is."""

import pytest
import torch

from demottle.networks.timed_unet import TimedUNet


def random_network(channels: int = 4) -> TimedUNet:
    network = TimedUNet(channels).eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2, generator=generator)
    return network


def test_it_begins_as_the_identity_and_is_it_where_there_is_no_noise() -> None:
    x = torch.randn(2, 1, 16, 24)
    assert torch.equal(TimedUNet(4)(x, torch.full((2, 1, 1, 1), 0.7)), x)
    with torch.inference_mode():
        assert torch.equal(random_network()(x, torch.zeros(2, 1, 1, 1)), x)
        assert not torch.equal(random_network()(x, torch.full((2, 1, 1, 1), 0.7)), x)


def test_it_looks_no_farther_than_it_says() -> None:
    network, side = random_network(), 128
    x = torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(1))
    other = x.clone()
    other[..., 64, 64] += 100
    with torch.inference_mode():
        s = torch.full((1, 1, 1, 1), 0.7)
        changed = (network(x, s) != network(other, s))[0, 0].nonzero()
    assert (changed - 64).abs().max() <= network.reach
    assert (changed - 64).abs().max() > network.reach // 2


def test_a_map_of_even_noise_says_what_one_number_says() -> None:
    network, x = random_network(), torch.randn(1, 1, 32, 48)
    with torch.inference_mode():
        one = network(x, torch.full((1, 1, 1, 1), 0.7))
        uneven = torch.full((1, 1, 8, 12), 0.7)
        assert network(x, uneven) == pytest.approx(one, abs=1e-5)
        uneven[..., 6:] = 0.0
        half = network(x, uneven)
    assert torch.equal(half[..., 32:], x[..., 32:])
    assert (half - x)[..., :16].abs().max() > 0.01
