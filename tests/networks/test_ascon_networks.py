"""ASCON's networks have the sizes of the authors' program, begin as the identity, and the target only follows."""

import pytest
import torch

from demottle.errors import InputError
from demottle.networks.anatomy_features import AnatomyFeatures, AnatomyNetworks
from demottle.networks.channel_attention_unet import ChannelAttention, ChannelAttentionUNet


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_as_many_parameters_as_the_authors_layers_have() -> None:
    with torch.device("meta"):
        assert count(ChannelAttentionUNet()) == 4_914_230
        assert count(ChannelAttentionUNet(16, (1, 1, 2, 4))) == 311_956
        anatomy = AnatomyNetworks((64, 128, 256, 256, 512))
    sizes = [count(part) for part in (*anatomy.online.values(), anatomy.predictor)]
    assert [round(size / 1e6, 2) for size in sizes] == [7.82, 0.79, 0.08, 0.53]


def test_an_untrained_generator_is_the_identity_at_any_size_it_takes() -> None:
    x = torch.rand(2, 1, 24, 40)
    assert torch.equal(ChannelAttentionUNet(8, (1, 1, 2, 4))(x), x)


def test_attention_mixes_channels_by_all_that_is_in_view() -> None:
    torch.manual_seed(0)
    attention, x = ChannelAttention(8, 2), torch.randn(1, 8, 16, 16)
    elsewhere = x.clone()
    elsewhere[..., 8:, 8:] *= 30
    with torch.no_grad():
        moved = (attention(elsewhere) - attention(x))[..., :4, :4]
    assert moved.abs().max() > 1e-3  # why slices are computed in tiles
    assert attention(x).shape == x.shape


def test_heads_have_to_divide_the_channels() -> None:
    for heads in ((1, 2, 4, 7), (0, 1, 1, 1), (1, 1, 1)):
        with pytest.raises(InputError, match="heads"):
            ChannelAttentionUNet(8, heads)  # type: ignore[arg-type]


def test_features_at_a_sixteenth_and_at_full_resolution_of_each_patch_by_itself() -> None:
    torch.manual_seed(0)
    features, x = AnatomyFeatures((8, 8, 16, 16, 24)), torch.rand(3, 1, 64, 48)
    with torch.no_grad():
        deep, fine = features(x)
        alone = features(x[1:2])
    assert deep.shape == (3, 24, 4, 3) and fine.shape == (3, 8, 64, 48)
    assert alone[0] == pytest.approx(deep[1:2], abs=1e-5) and alone[1] == pytest.approx(fine[1:2], abs=1e-5)


def test_the_target_goes_a_hundredth_of_the_way() -> None:
    torch.manual_seed(0)
    anatomy = AnatomyNetworks((8, 8, 8, 8, 8), 8, 4)
    before = [parameter.clone() for parameter in anatomy.target.parameters()]
    with torch.no_grad():
        for parameter in anatomy.online.parameters():
            parameter.add_(1.0)
    anatomy.follow(0.99)
    for was, target in zip(before, anatomy.target.parameters(), strict=True):
        assert (target - was).detach() == pytest.approx(torch.full_like(was, 0.01), abs=1e-5)
