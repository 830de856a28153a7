"""Zero-shot Noise2Noise (Mansour and Heckel, CVPR 2023): a tiny network, taught on two diagonal means of 2 x 2 pixels.

d1(x) and d2(x), half as large as x, hold the means of the two diagonals of every cell of 2 x 2 pixels. With D = x + s f the
denoiser,

    loss = mean |D(d1) - d2|^2 / 2 + mean |D(d2) - d1|^2 / 2
         + mean |D(d1) - d1(D(x))|^2 / 2 + mean |D(d2) - d2(D(x))|^2 / 2

The noise of neighboring pixels has to be independent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods.base import Budget, Tensors
from demottle.methods.registry import name_of
from demottle.methods.rivals.plain_network import VIEWS, PlainNetwork
from demottle.methods.rivals.teaching import Batches, Ground, RivalSettings, restore_plain, teach
from demottle.networks.tiny_residual import TinyResidual
from demottle.noise.fingerprint import Fingerprint

NAME = name_of(__name__)


@dataclass(frozen=True)
class ZsN2NSettings(RivalSettings):
    """Settings of the method.

    Attributes:
        channels: channels of the tiny network, a single number.
        patch, batch, rate: as `RivalSettings`.
    """

    channels: tuple[int, ...] = (48,)
    batch: int = 4

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        if len(self.channels) != 1:
            raise InputError(f"channels is {list(self.channels)}; the tiny network has a single number of them.")

    def network(self) -> nn.Module:
        """Return a new network."""
        return TinyResidual(VIEWS, self.channels[0])


Settings = ZsN2NSettings


def fit(
    image: Image,
    settings: ZsN2NSettings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> PlainNetwork:
    """Fit a network on the scan.

    Raises:
        UnsuitableError: where the noise level is not known.
    """
    return teach(NAME, image, settings, fingerprint, Lesson, seed=seed, budget=budget, listener=listener)


def restore(settings: ZsN2NSettings, fitted: Mapping[str, Any], tensors: Tensors) -> PlainNetwork:
    """Rebuild a saved network."""
    return restore_plain(NAME, settings, fitted, tensors)


class Lesson:
    """Draws patches and computes the loss."""

    def __init__(self, ground: Ground) -> None:
        """Start."""
        self._ground = ground
        self._batches = Batches(ground)

    def loss(self, student: nn.Module) -> Tensor:
        """Draw a batch and return its loss, in units of the noise variance."""
        image, body = self._batches.draw()
        one, two = diagonals(image)
        inside = functional.avg_pool2d(body, 2)
        from_one, from_two = student(one), student(two)
        whole_one, whole_two = diagonals(student(image))
        errors = (
            (from_one - two) ** 2 + (from_two - one) ** 2 + (from_one - whole_one) ** 2 + (from_two - whole_two) ** 2
        )
        out: Tensor = (errors * inside).mean() / 2 / self._ground.level**2
        return out


def diagonals(image: Tensor) -> tuple[Tensor, Tensor]:
    """Means of the two diagonals of every cell of 2 x 2 pixels; (batch, 1, rows / 2, columns / 2) each."""
    cells = functional.pixel_unshuffle(image, 2)
    return (cells[:, 1:2] + cells[:, 2:3]) / 2, (cells[:, :1] + cells[:, 3:]) / 2
