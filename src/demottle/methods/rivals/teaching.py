"""The way from a scan to a `PlainNetwork`, the same for every rival: samples, network, budget, learning loop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from demottle.errors import InputError, UnsuitableError
from demottle.events import Listener, Progress, Stage
from demottle.image import Image
from demottle.learning.data.patches import PatchPlaces, cut_patches, patch_places
from demottle.learning.device import best_device
from demottle.learning.one_network import learn
from demottle.learning.schedule import CosineSchedule
from demottle.learning.seeding import seeded
from demottle.methods.base import Budget, Tensors
from demottle.methods.one_scan.scan_fit import refuse_unlearnable
from demottle.methods.one_scan.scan_samples import ScanSamples, default_steps, patch_that_fits, scan_samples
from demottle.methods.one_scan.slice_network import load_weights, scale_of
from demottle.methods.rivals.plain_network import VIEWS, Plain, PlainNetwork
from demottle.networks.half_resolution_unet import HalfResolutionUNet
from demottle.noise.fingerprint import Fingerprint


@dataclass(frozen=True, kw_only=True)
class RivalSettings:
    """Settings that every rival that learns has; the defaults are those of demottle's own methods.

    Attributes:
        channels: channels of the network, from half resolution downward.
        patch, batch: side of a patch in pixels, patches per step.
        rate: peak learning rate.
    """

    channels: tuple[int, ...] = (64, 128, 256)
    patch: int = 128
    batch: int = 8
    rate: float = 1e-3

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        refuse_unlearnable(self.batch, self.channels, self.rate)
        if self.patch < 32 or self.patch % (2 * self.multiple):
            raise InputError(f"patch is {self.patch}; it has to be a multiple of {2 * self.multiple} and at least 32.")

    @property
    def multiple(self) -> int:
        """What the sides of a network's input have to be divisible by."""
        return 1 << len(self.channels)

    def network(self) -> nn.Module:
        """Return a new network."""
        return HalfResolutionUNet(VIEWS, self.channels)


class Lesson(Protocol):
    """What a network is taught."""

    def loss(self, student: nn.Module) -> Tensor:
        """Draw the next batch and return its loss, in units of the noise variance."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What a lesson is made from.

    Attributes:
        samples: slices of the scan, cut to the body.
        level: level of the noise, in the image's unit.
        patch, batch: side of a patch (it may be smaller than asked for), patches per step.
        steps: how many are planned; minutes may end them earlier.
        seed: seed of random draws.
        device: where the network is.
    """

    samples: ScanSamples
    level: float
    patch: int
    batch: int
    steps: int
    seed: int
    device: torch.device


class Batches:
    """Draws patches of the slices and of the body, mirrored at random; float32 (batch, 1, patch, patch)."""

    def __init__(self, ground: Ground) -> None:
        """Start the generator."""
        self._ground = ground
        self.random = np.random.default_rng(ground.seed)
        self._places: PatchPlaces = patch_places(ground.samples.body, ground.patch)

    def draw(self) -> tuple[Tensor, Tensor]:
        """Return the next patches, and 1 where they show the body."""
        ground, places = self._ground, self._places.draw(self._ground.batch, self.random)
        turned = [axis for axis in (-1, -2) if self.random.random() < 0.5]
        image, body = (
            cut_patches(stack, places, ground.patch).flip(turned).to(ground.device)
            for stack in (ground.samples.slices, ground.samples.body)
        )
        return image, body


def teach(
    name: str,
    image: Image,
    settings: RivalSettings,
    fingerprint: Fingerprint,
    lesson_on: Callable[[Ground], Lesson],
    *,
    seed: int,
    budget: Budget | None,
    listener: Listener,
    facts: Mapping[str, Any] | None = None,
) -> PlainNetwork:
    """Make samples, let `lesson_on` make a lesson from them, teach a network, and return it ready for use.

    `facts` are what the method itself wants on record, as plain values.

    Raises:
        UnsuitableError: where the noise level is not known.
        InputError: where a slice is smaller than a patch can be.
    """
    level = fingerprint.noise_level
    if not (np.isfinite(level) and level > 0):
        raise UnsuitableError(f"{name} needs a measurable noise level, which this image does not offer.")
    listener(Progress(Stage.PREPARE, 0, 1))
    patch = patch_that_fits(settings.patch, 2 * settings.multiple, image)
    samples = scan_samples(image, fingerprint.correlation, level, patch)
    budget = budget or Budget()
    steps = default_steps(samples, patch, settings.batch) if budget.steps is None else budget.steps
    scale = scale_of(image, fingerprint)
    device = best_device()
    lesson = lesson_on(Ground(samples, level, patch, settings.batch, steps, seed, device))
    student = Plain(seeded(settings.network, seed), scale.centre, scale.width, level).to(device)
    listener(Progress(Stage.PREPARE, 1, 1))
    schedule = CosineSchedule(steps, minutes=budget.minutes)
    learned, history = learn(student, lesson.loss, schedule, rate=settings.rate, listener=listener)
    fitted: dict[str, Any] = {
        "modality": image.modality,
        "unit": image.unit,
        "spacing_mm": list(image.spacing),
        "noise_level": level,
        "spectrum_mean_per_mm": None if fingerprint.spectrum is None else fingerprint.spectrum.mean,
        "centre": scale.centre,
        "width": scale.width,
        **history.summary(),
        **(facts or {}),
    }
    return PlainNetwork(name, settings, fitted, learned.network)


def restore_plain(name: str, settings: RivalSettings, fitted: Mapping[str, Any], tensors: Tensors) -> PlainNetwork:
    """Rebuild a saved network."""
    return PlainNetwork(name, settings, fitted, load_weights(settings.network(), tensors))
