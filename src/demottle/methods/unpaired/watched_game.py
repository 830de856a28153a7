"""A game whose generator can be judged and shown while it learns."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TypeVar

from torch import Tensor, nn

from demottle.image import Voxels
from demottle.learning.players import Game, Share

B = TypeVar("B")
Draw = Callable[[Share], tuple[Tensor, Tensor]]
"""Low-dose and full-dose patches, (items, 1, rows, columns) each, as networks see them."""


class WatchedGame(Game[B]):
    """A game with room for someone who judges the generator without pairs, and someone who draws what it makes.

    Attributes:
        validator: returns a figure for a generator, lower is better; None: no criterion.
        shower: returns pictures; None: no pictures.
    """

    validator: Callable[[nn.Module], float] | None = None
    shower: Callable[[nn.Module], Mapping[str, Voxels]] | None = None

    @abstractmethod
    def generator_of(self, networks: Mapping[str, nn.Module]) -> nn.Module:
        """Return the generator from low to full dose out of the players' networks."""

    def validation(self, networks: Mapping[str, nn.Module]) -> float | None:
        """Return the noise measure of the validation scans, where it is due."""
        return None if self.validator is None else self.validator(self.generator_of(networks))

    def pictures(self, networks: Mapping[str, nn.Module]) -> Mapping[str, Voxels]:
        """Return sample pictures, where they are due."""
        return {} if self.shower is None else self.shower(self.generator_of(networks))
