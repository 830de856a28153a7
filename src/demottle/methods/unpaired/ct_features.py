"""Where the perceptual loss's features come from: a CT autoencoder trained on the spot, or a VGG-19 that the user has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.events import Listener, Stage, silent
from demottle.learning.observing import Observer
from demottle.learning.players import Game, Player, Share
from demottle.learning.schedule import LinearSchedule
from demottle.learning.seeding import seeded
from demottle.learning.training import train
from demottle.losses.perceptual import frozen
from demottle.networks.ct_autoencoder import CTAutoencoder

_RATE = 1e-3


class AutoencoderGame(Game[Tensor]):
    """One player, an autoencoder that lowers `mean (D(E(y)) - y)^2` on full-dose patches y."""

    def __init__(self, draw: Callable[[Share], Tensor], network: CTAutoencoder, batch: int) -> None:
        """Prepare; `draw` gives full-dose patches (items, 1, rows, columns), scaled."""
        self._draw, self.batch = draw, batch
        # Longer gradients come from bone at the beginning, and once left a dead network behind.
        self.players = {"autoencoder": Player(network, _RATE, (0.9, 0.999), largest_gradient=1.0)}

    def draw(self, share: Share) -> Tensor:
        """Draw patches."""
        return self._draw(share)

    def losses(self, player: str, batch: Tensor) -> Mapping[str, Tensor]:
        """Return the mean squared error."""
        return {"squared error": functional.mse_loss(self.players[player].network(batch), batch)}


def learned_features(
    draw: Callable[[Share], Tensor],
    channels: int,
    batch: int,
    schedule: LinearSchedule,
    *,
    seed: int,
    saved: Path | None = None,
    key: str = "",
    listener: Listener = silent,
    observers: Sequence[Observer] = (),
    stop: Callable[[], bool] | None = None,
    device: torch.device | None = None,
) -> nn.Module:
    """Train a CT autoencoder on full-dose patches and return it frozen; arguments as of `learning.training.train`.

    Progress is reported as stage "features".
    """
    game = AutoencoderGame(draw, seeded(lambda: CTAutoencoder(channels), seed), batch)
    trained = train(
        game,
        schedule,
        seed=seed,
        saved=saved,
        key=key,
        device=device,
        listener=lambda event: listener(replace(event, stage=Stage.FEATURES)),
        observers=observers,
        stop=stop,
    )
    return frozen(trained.networks["autoencoder"])
