"""Noise2Void (Krull, Buchholz and Jug, CVPR 2019): learn from the noisy slices alone by hiding pixels.

One pixel in 64 is hidden: it takes the value of another one at most two pixels away, and the network has to say what was there.
It can guess the tissue, but not the noise, as long as the noise of one pixel knows nothing of the next.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods.base import Budget, Tensors
from demottle.methods.registry import name_of
from demottle.methods.rivals.blind_spot import BlindSpotLesson
from demottle.methods.rivals.plain_network import PlainNetwork
from demottle.methods.rivals.teaching import Ground, RivalSettings, restore_plain, teach
from demottle.noise.fingerprint import Fingerprint

NAME = name_of(__name__)
_REACH = 2  # a window of 5 x 5


@dataclass(frozen=True)
class Noise2VoidSettings(RivalSettings):
    """Settings of the method.

    Attributes:
        share: share of the pixels of a patch that are hidden; 64 of 64 x 64 in the paper.
        channels, patch, batch, rate: as `RivalSettings`.
    """

    share: float = 1 / 64

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        if not 0 < self.share <= 0.5:
            raise InputError(f"share is {self.share}; it has to be above 0 and at most 0.5.")


Settings = Noise2VoidSettings


def fit(
    image: Image,
    settings: Noise2VoidSettings,
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

    def lesson(ground: Ground) -> BlindSpotLesson:
        return BlindSpotLesson(ground, settings.share, [(0, 0)], 1, _REACH)

    return teach(NAME, image, settings, fingerprint, lesson, seed=seed, budget=budget, listener=listener)


def restore(settings: Noise2VoidSettings, fitted: Mapping[str, Any], tensors: Tensors) -> PlainNetwork:
    """Rebuild a saved network."""
    return restore_plain(NAME, settings, fitted, tensors)
