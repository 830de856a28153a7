"""The networks of UDCA: shapes, beginnings, sizes."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.networks.half_resolution_student import HalfResolutionStudent
from demottle.networks.light_causal_student import LightCausalStudent
from demottle.networks.recurrent_residual_attention_unet import RecurrentResidualAttentionUNet
from demottle.networks.single_frame_unet import SingleFrameUNet

SMALL_TEACHER = RecurrentResidualAttentionUNet(4, (8, 16), stem=2, recurrences=2, norm=False)
NETWORKS = [
    (SMALL_TEACHER, 4),
    (SingleFrameUNet(1, (8, 16, 24)), 1),
    (LightCausalStudent(3), 3),
    (HalfResolutionStudent(3), 3),
]


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(("network", "inputs"), NETWORKS)
def test_keeps_the_shape_and_starts_with_nothing(network: nn.Module, inputs: int) -> None:
    out = network(torch.rand(2, inputs, 24, 40))
    assert out.shape == (2, 1, 24, 40)
    assert not out.any()


@pytest.mark.parametrize(("network", "inputs"), NETWORKS)
def test_every_weight_is_used(network: nn.Module, inputs: int) -> None:
    nn.init.normal_(network.last.weight)
    network(torch.rand(1, inputs, 16, 16)).square().sum().backward()
    unused = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert unused == []


def test_sizes_of_the_paper_and_of_the_light_student() -> None:
    assert parameters(RecurrentResidualAttentionUNet()) == pytest.approx(9.9e6, rel=0.02)
    assert parameters(SingleFrameUNet()) == pytest.approx(4.7e6, rel=0.04)
    assert parameters(LightCausalStudent()) == 28929
    assert parameters(HalfResolutionStudent()) == 33617


def test_the_half_resolution_student_is_what_its_layers_say_at_full_resolution() -> None:
    network = HalfResolutionStudent(3, (8, 16), full=4)
    nn.init.normal_(network.last.weight)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and layer.bias is not None:
            nn.init.normal_(layer.bias)

    def bent(x: Tensor) -> Tensor:
        return functional.leaky_relu(x, 0.1)

    x = torch.randn(2, 3, 20, 28)
    halved = bent(network.enter(functional.pixel_unshuffle(x, 2)))
    h = bent(network.shrink(halved))
    for layer in network.deep:
        h = h + bent(layer(h))
    h = bent(network.join(network.grow(h) + halved))
    h = bent(functional.pixel_shuffle(network.leave(h), 2) + network.at_full(x))
    assert torch.allclose(network(x), network.last(h), atol=1e-4)


def test_a_recurrent_unit_has_one_set_of_weights() -> None:
    once, thrice = (RecurrentResidualAttentionUNet(4, (8, 16), 2, n) for n in (1, 3))
    assert parameters(once) == parameters(thrice)
