"""CUT's game on toy patches: turns, places, repeatability."""

import math

import pytest
import torch
from torch import Tensor

from demottle.learning.players import Share
from demottle.learning.schedule import LinearSchedule
from demottle.learning.seeding import seeded
from demottle.learning.training import train
from demottle.methods.unpaired.cut_game import CutGame, CutWeights
from demottle.networks.attention_unet import AttentionUNet
from demottle.networks.patch_gan import PatchGAN
from demottle.networks.projection_heads import ProjectionHeads


def patches(share: Share) -> tuple[Tensor, Tensor]:
    drawn = [torch.from_numpy(random.random((2, 1, 32, 32))).float() for random in share.random()]
    return torch.stack([d[0] for d in drawn]), torch.stack([d[1] for d in drawn])


def game(contrast: float = 1.0) -> CutGame:
    return seeded(
        lambda: CutGame(
            patches,
            lambda: AttentionUNet((4, 8), 1),
            lambda: ProjectionHeads((4, 8), 16),
            lambda: PatchGAN(4),
            CutWeights(contrast=contrast, places=20),
            batch=2,
        ),
        0,
    )


def test_the_identity_makes_the_contrast_easier_than_chance() -> None:
    playing = game()
    losses = playing.losses("generator", playing.draw(Share(0, 0, range(2), torch.device("cpu"))))
    assert 0 < losses["contrast"].item() < math.log(20)
    assert losses["adversarial"].item() > 0


@pytest.mark.parametrize("items", [range(2), range(1)])
def test_places_lie_inside_and_do_not_depend_on_who_draws(items: range) -> None:
    playing = game()
    turn = playing.draw(Share(0, 3, items, torch.device("cpu")))
    features = [torch.zeros(2 * len(items), 4, 8, 8), torch.zeros(2 * len(items), 8, 4, 4)]
    many, few = playing._places(features, turn.random)
    assert (tuple(many.shape), tuple(few.shape)) == ((2 * len(items), 20), (2 * len(items), 16))
    assert many.max() < 64 and sorted(few[0].tolist()) == list(range(16))
    whole = playing._places(features, playing.draw(Share(0, 3, range(2), torch.device("cpu"))).random)
    assert torch.equal(many[0], whole[0][0])


def test_same_seed_same_bits_and_both_players_move() -> None:
    first, second = (train(game(), LinearSchedule(2)) for _ in range(2))
    for name in ("generator", "discriminator"):
        one, other = (list(t.networks[name].state_dict().values()) for t in (first, second))
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
        start = list(game().players[name].network.state_dict().values())
        assert any(not torch.equal(a, b) for a, b in zip(one, start, strict=True))
