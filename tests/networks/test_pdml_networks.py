"""PDML's networks are those of the paper, and what is saved computes the same."""

import pytest
import torch
from torch import nn

from demottle.learning.seeding import seeded
from demottle.networks.patch_discriminator import PatchDiscriminator
from demottle.networks.projection_heads import ProjectionHeads
from demottle.networks.residual_dense import ResidualDense, plain_weights


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_as_many_parameters_as_the_paper_has() -> None:
    assert parameters(ResidualDense()) == 32_833
    assert parameters(ResidualDense(shared=False)) == 95_169
    assert parameters(PatchDiscriminator()) == 401_373


@pytest.mark.parametrize(("features", "growth"), [(8, 2), (16, 4), (32, 8)])
def test_the_generator_begins_near_the_identity(features: int, growth: int) -> None:
    network = seeded(lambda: ResidualDense(features, growth), 0)
    x = torch.randn(1, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        out = network(x)
    assert float((out * x).mean()) == pytest.approx(1, abs=0.05)
    assert float((out - x).std()) < 0.1


def test_plain_weights_compute_the_same() -> None:
    normalized = seeded(lambda: ResidualDense(8, 2), 0)
    x = torch.randn(2, 1, 24, 24, generator=torch.Generator().manual_seed(0))
    normalized(x)  # the norms settle with use
    normalized.eval()
    plain = ResidualDense(8, 2, normalized=False)
    plain.load_state_dict(plain_weights(normalized))
    with torch.no_grad():
        assert torch.allclose(plain(x), normalized(x), atol=1e-6)


def test_the_generator_sees_seventeen_pixels_each_way() -> None:
    network = seeded(lambda: ResidualDense(8, 2, normalized=False), 0)
    x = torch.zeros(1, 1, 81, 81, requires_grad=True)
    network(x)[0, 0, 40, 40].backward()
    assert x.grad is not None
    rows = torch.nonzero(x.grad[0, 0].abs().sum(1)).flatten()
    assert int(rows.min()) == 40 - 17 and int(rows.max()) == 40 + 17


@pytest.mark.parametrize("blocks", [1, 3])
def test_the_inside_needs_no_padding(blocks: int) -> None:
    network = seeded(lambda: ResidualDense(8, 2, blocks), 0)
    network.eval()
    x = torch.randn(1, 1, 48, 60, generator=torch.Generator().manual_seed(0))
    edge = network.reach
    with torch.no_grad():
        inside = network.inner_output(network.inner_features(x))
        assert torch.allclose(inside, network(x)[..., edge:-edge, edge:-edge], atol=1e-5)


def test_shapes() -> None:
    x = torch.zeros(2, 1, 40, 32)
    out, (first, second) = ResidualDense(8, 2).with_features(x)
    assert out.shape == x.shape and first.shape == second.shape == (2, 8, 40, 32)
    assert PatchDiscriminator(4)(x).shape == (2, 1, 5, 4)
    places = (torch.zeros(2, 7, dtype=torch.long), torch.full((2, 7), 39))
    for vectors in ProjectionHeads((8, 8), 16)((first, second), places):
        assert vectors.shape == (2, 7, 16)
        assert torch.allclose(vectors.norm(dim=-1), torch.ones(2, 7), atol=1e-5)
