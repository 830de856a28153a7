"""Learning of one network, such as from one scan: a game of one player for `learning.training`."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from torch import Tensor, nn

from demottle.events import Listener, Stage, silent
from demottle.learning.history import History
from demottle.learning.players import Game, Player, Share, adamw
from demottle.learning.schedule import Schedule
from demottle.learning.training import train

Network = TypeVar("Network", bound=nn.Module)
_WHO = "network"


def learn(
    network: Network,
    loss_of: Callable[[nn.Module], Tensor],
    schedule: Schedule,
    *,
    rate: float = 1e-3,
    largest_gradient: float = 0.1,
    criterion: Callable[[nn.Module], float] | None = None,
    listener: Listener = silent,
) -> tuple[Network, History]:
    """Train a network and return a copy with averaged weights, and the history.

    Args:
        network: trained in place, where it lies.
        loss_of: draws the next batch, runs the network on it and returns the loss, a scalar tensor.
        schedule: how long and how.
        rate: peak learning rate of AdamW.
        largest_gradient: longer gradients are shortened to this: a patch that fits badly must not undo what was learned.
        criterion: figure to be lowered, measured on the averaged weights for early stopping.
        listener: told after every step.
    """
    player = Player(network, rate, (0.9, 0.99), averaged=True, largest_gradient=largest_gradient, optimizer=adamw(1e-4))
    device = next(network.parameters()).device
    trained = train(_OneNetwork(player, loss_of, criterion), schedule, device=device, listener=listener)
    averaged = trained.networks[_WHO]
    assert isinstance(averaged, type(network))
    return averaged, trained.history


class _OneNetwork(Game[None]):
    """It draws for itself, and its loss is of interest at every step."""

    stage = Stage.LEARN
    reseeded = False
    every_loss = True
    batch = 1

    def __init__(
        self,
        player: Player,
        loss_of: Callable[[nn.Module], Tensor],
        criterion: Callable[[nn.Module], float] | None,
    ) -> None:
        self.players = {_WHO: player}
        self._loss_of, self._criterion = loss_of, criterion

    def draw(self, share: Share) -> None:
        """Nothing: the loss draws its own batch."""

    def losses(self, player: str, batch: None) -> Mapping[str, Tensor]:
        """The one loss."""
        return {"loss": self._loss_of(self.players[_WHO].network)}

    def validation(self, networks: Mapping[str, nn.Module]) -> float | None:
        """The criterion, where there is one."""
        return None if self._criterion is None else self._criterion(networks[_WHO])
