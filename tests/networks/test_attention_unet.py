"""The generator: shapes, beginning, gates, and that nothing in it normalizes."""

import pytest
import torch
from torch import nn

from demottle.errors import InputError
from demottle.networks.attention_unet import AttentionGate, AttentionUNet


def stirred(network: nn.Module) -> nn.Module:
    """As if it had learned: no weight is left at zero."""
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network


@pytest.mark.parametrize("blocks", [0, 2])
@pytest.mark.parametrize("attention", [True, False])
def test_untrained_gives_its_input_back(attention: bool, blocks: int) -> None:
    network = AttentionUNet((4, 8, 16), blocks, attention)
    x = torch.rand(2, 1, 24, 32)
    assert torch.equal(network(x), x)
    assert not torch.equal(stirred(network)(x), x)


def test_full_size_has_the_levels_of_the_specification() -> None:
    with torch.device("meta"):  # shapes only
        network = AttentionUNet()
        x = torch.rand(1, 1, 16, 16)
    assert network.multiple == 8
    assert len(network.bottom) == 9
    shapes = [tuple(f.shape) for f in network.features(x)]
    assert shapes == [(1, 64, 16, 16), (1, 128, 8, 8), (1, 256, 4, 4), (1, 512, 2, 2)]


def test_nothing_normalizes() -> None:
    kinds = {type(module).__name__ for module in AttentionUNet((4, 8), 1).modules()}
    assert not {kind for kind in kinds if "Norm" in kind}


def test_a_slice_does_not_depend_on_others_in_its_batch() -> None:
    network = stirred(AttentionUNet((4, 8), 1)).eval()
    x = torch.rand(3, 1, 16, 16)
    with torch.inference_mode():
        assert torch.allclose(network(x)[:1], network(x[:1]), atol=1e-6)


def test_a_closed_gate_lets_nothing_through_and_an_open_one_everything() -> None:
    gate = AttentionGate(4)
    skip, signal = torch.rand(1, 4, 8, 8), torch.rand(1, 4, 8, 8)
    nn.init.zeros_(gate.weight.weight)
    for bias, factor in ((-50.0, 0.0), (50.0, 1.0)):
        nn.init.constant_(gate.weight.bias, bias)
        assert torch.allclose(gate(skip, signal), factor * skip, atol=1e-6)


def test_the_gate_listens_to_the_decoder() -> None:
    gate = stirred(AttentionGate(4))
    skip = torch.rand(1, 4, 8, 8)
    assert not torch.allclose(gate(skip, torch.zeros_like(skip)), gate(skip, torch.full_like(skip, 5)))


def test_impossible_sizes() -> None:
    with pytest.raises(InputError, match="cannot be built"):
        AttentionUNet((4,))
