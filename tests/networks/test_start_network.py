"""The shipped weights: they fit the default network, and a wider one that sees more slices answers as the narrow one does."""

import torch

from demottle.methods.one_scan.slice_network import inputs_of
from demottle.networks.half_resolution_unet import HalfResolutionUNet
from demottle.networks.start_network import fill_from_start


def test_they_fill_the_default_network() -> None:
    network = HalfResolutionUNet(inputs_of(1))
    inputs = torch.randn(1, inputs_of(1), 32, 32, generator=torch.Generator().manual_seed(0))
    assert not network(inputs).any()  # a new one answers 0
    assert fill_from_start(network)
    with torch.inference_mode():
        assert float(network(inputs).std()) > 0.01


def test_more_slices_have_no_say_at_first() -> None:
    one, three = HalfResolutionUNet(inputs_of(1)), HalfResolutionUNet(inputs_of(3))
    assert fill_from_start(one)
    assert fill_from_start(three)
    inputs = torch.randn(1, inputs_of(3), 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(one(inputs[:, : inputs_of(1)]), three(inputs), atol=1e-5)


def test_another_architecture_is_left_as_it_was() -> None:
    network = HalfResolutionUNet(inputs_of(1), (16, 32))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert not fill_from_start(network)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
