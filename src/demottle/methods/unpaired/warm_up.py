"""A start that knows noise (ours): before the game, a generator learns to take simulated noise off full-dose patches.

Against a discriminator a generator needs very many steps until it removes noise at all. Here it first lowers
`mean |G(y + n) - y|`, y full dose, n noise with the spectrum of the low-dose scans and up to their strength. No pairs are
needed for that: it is what the criterion without pairs (`learning.validation`) judges by. The same term can stay in the game
after it (`simulated_noise`), so that the game does not undo what was gained.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn

from demottle.events import Listener, Stage
from demottle.learning.observing import watching_part
from demottle.learning.players import Game, Player, Share
from demottle.learning.run import Run
from demottle.learning.schedule import LinearSchedule
from demottle.learning.training import train
from demottle.methods.unpaired.pdml_game import exact_norms
from demottle.methods.unpaired.simulated_noise import SimulatedNoise
from demottle.methods.unpaired.watched_game import Draw


class WarmUpGame(Game[tuple[Tensor, Tensor]]):
    """One player, the generator to be."""

    def __init__(self, draw: Draw, generator: nn.Module, batch: int, rate: float) -> None:
        """Prepare; `draw` gives patches with and without noise, scaled."""
        self._noise, self.batch = SimulatedNoise(draw, 1.0), batch
        self.players = {"generator": Player(generator, rate, averaged=True, largest_gradient=1.0)}

    def draw(self, share: Share) -> tuple[Tensor, Tensor]:
        """Draw patches."""
        return self._noise.draw(share)

    def losses(self, player: str, batch: tuple[Tensor, Tensor]) -> Mapping[str, Tensor]:
        """Return the mean absolute error."""
        generator = self.players[player].network
        with exact_norms(generator):
            return {"simulated noise": self._noise.loss(generator, batch)}


@dataclass(frozen=True)
class Start:
    """How a start goes: items of a step, peak learning rate, and how long."""

    batch: int
    rate: float
    schedule: LinearSchedule


def warmed(
    generator: nn.Module, draw: Draw, start: Start, *, seed: int, run: Run, key: str, listener: Listener
) -> nn.Module:
    """Train a generator on simulated noise and return it; progress is reported as stage "warm-up"."""
    trained = train(
        WarmUpGame(draw, generator, start.batch, start.rate),
        start.schedule,
        seed=seed,
        device=run.device,
        saved=run.saved("warm-up"),
        key=key,
        listener=lambda event: listener(replace(event, stage=Stage.WARM_UP)),
        observers=watching_part(run.observers, "warm-up"),
        stop=run.stop,
    )
    return trained.networks["generator"].train()
