"""The CycleGAN's game on toy patches: turns, influence of the perceptual loss, and going on after a kill."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from demottle.events import Progress
from demottle.learning.players import Share
from demottle.learning.schedule import LinearSchedule
from demottle.learning.seeding import seeded
from demottle.learning.training import Trained, train
from demottle.losses.perceptual import frozen
from demottle.methods.unpaired.cycle_game import CycleGame, CycleWeights
from demottle.networks.attention_unet import AttentionUNet
from demottle.networks.ct_autoencoder import CTAutoencoder
from demottle.networks.patch_gan import PatchGAN


def patches(share: Share) -> tuple[Tensor, Tensor]:
    """Smooth blobs; the low-dose side has noise."""
    sides = []
    for purpose, sigma in ((0, 0.05), (1, 0.0)):
        drawn = []
        for random in share.random(purpose):
            coarse = torch.from_numpy(random.random((1, 1, 4, 4), np.float32))
            smooth = nn.functional.interpolate(coarse, size=32, mode="bilinear")
            drawn.append(smooth + sigma * torch.from_numpy(random.standard_normal((1, 1, 32, 32), np.float32)))
        sides.append(torch.cat(drawn))
    return sides[0], sides[1]


def game(share: float = 0.8, seed: int = 0) -> CycleGame:
    return seeded(
        lambda: CycleGame(
            patches,
            lambda: AttentionUNet((4, 8), 1),
            lambda: PatchGAN(4),
            frozen(CTAutoencoder(4)),
            CycleWeights(share=share),
            batch=2,
            pool=4,
        ),
        seed,
    )


def everything() -> Share:
    return Share(seed=0, step=0, items=range(2), device=torch.device("cpu"))


def losses(playing: CycleGame, player: str) -> dict[str, float]:
    return {name: value.item() for name, value in playing.losses(player, playing.draw(everything())).items()}


def test_identity_generators_have_nothing_to_lower_but_the_verdict() -> None:
    found = losses(game(), "generators")
    assert found.pop("adversarial") > 0
    assert found == {"cycle": 0, "identity": 0, "perceptual": 0}


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_the_perceptual_loss_has_the_share_it_was_promised(share: float) -> None:
    """Generators that blur a little are what the weights are measured on, so for them the share is exact."""
    playing = game(share)

    class Blur(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)

    class Same(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x

    turn = playing.draw(everything())
    playing._makers["to_full"], playing._makers["to_low"] = Blur(), Same()
    found = playing.losses("generators", turn)
    # |F(G(a)) - a| and |G(b) - b| are the blur's errors of a and b, in the cycle also |G(F(b)) - b|.
    errors = [nn.functional.l1_loss(Blur()(x), x) for x in (turn.low, turn.full)]
    assert found["cycle"].item() == pytest.approx(10 * sum(e.item() for e in errors), rel=1e-5)
    assert found["identity"].item() == pytest.approx(5 * errors[1].item(), rel=1e-5)
    content = 15 * sum(e.item() for e in errors)
    perceptual = found["perceptual"].item()
    assert perceptual / (perceptual + content) == pytest.approx(share, rel=1e-4)


def test_without_a_share_there_is_no_perceptual_loss() -> None:
    assert set(losses(game(0), "generators")) == {"adversarial", "cycle", "identity"}


def test_each_player_learns_in_its_turn_only() -> None:
    playing = game()
    before = {n: [p.clone() for p in player.network.parameters()] for n, player in playing.players.items()}
    trained = train(playing, LinearSchedule(2))
    for name, player in playing.players.items():
        moved = [not torch.equal(a, b) for a, b in zip(before[name], player.network.parameters(), strict=True)]
        assert any(moved)
    assert {"generators/perceptual", "discriminators/full", "discriminators/low"} <= set(trained.history.losses)


def test_a_kill_changes_no_bit(tmp_path: Path) -> None:
    class Killed(Exception):  # noqa: N818
        pass

    def kill(event: Progress) -> None:
        if event.done == 5:
            raise Killed

    course, saved = LinearSchedule(8, save_every=4), tmp_path / "checkpoint.safetensors"
    whole = train(game(), course)
    with pytest.raises(Killed):
        train(game(), course, saved=saved, listener=kill)
    resumed = train(game(), course, saved=saved)

    def weights(trained: Trained) -> list[Tensor]:
        return [v for network in trained.networks.values() for v in network.state_dict().values()]

    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
