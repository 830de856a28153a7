"""Noise2Sim (Niu et al., IEEE TMI 2022, arXiv 2011.03384), as its authors have it for CT: similar pixels come from other slices.

In every step a slice x meets a random one y up to two slices away. Pixels count where the means of both over 7 x 7 pixels
differ by no more than 30 HU:

    loss = mean over those of |f(x) - y|

The absolute value pays outliers less heed than the square. The noise of x and y has to be independent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.learning.data.patches import Positions, cut_patches, patch_places
from demottle.methods.base import Budget, Tensors
from demottle.methods.one_scan.protection import fill_invalid
from demottle.methods.one_scan.scan_fit import Ground, ScanSettings, fit_on_scan, restore_slice_network
from demottle.methods.one_scan.slice_network import SliceNetwork
from demottle.methods.registry import name_of
from demottle.noise.fingerprint import Fingerprint

NAME = name_of(__name__)


@dataclass(frozen=True)
class Noise2SimSettings(ScanSettings):
    """Settings of the method.

    Attributes:
        neighbor: how many slices away the other one may be.
        window: side in pixels of the mean that is compared, odd.
        tolerance: largest difference of two means that counts as similar, HU (or the image's unit).
        channels, patch, batch, rate, early_stop: as `ScanSettings`; validation: the loss on fixed patches.
    """

    neighbor: int = 2
    window: int = 7
    tolerance: float = 30.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        if self.neighbor < 1 or self.window < 1 or self.window % 2 == 0 or not self.tolerance > 0:
            raise InputError("neighbor has to be at least 1, window an odd number, tolerance positive.")


Settings = Noise2SimSettings


def fit(
    image: Image,
    settings: Noise2SimSettings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> SliceNetwork:
    """Fit a network on the scan.

    Raises:
        UnsuitableError: where the scan cannot be learned from; the sentence says why.
    """

    def lesson(ground: Ground) -> _Lesson:
        return _Lesson(image, ground, settings, seed)

    return fit_on_scan(NAME, image, settings, fingerprint, lesson, seed=seed, budget=budget, listener=listener)


def restore(settings: Noise2SimSettings, fitted: Mapping[str, Any], tensors: Tensors) -> SliceNetwork:
    """Rebuild a saved network."""
    return restore_slice_network(NAME, settings, fitted, tensors)


class _Lesson:
    """Draws patches of a slice and of a random one near it, and computes the loss."""

    def __init__(self, image: Image, ground: Ground, settings: Noise2SimSettings, seed: int) -> None:
        self._ground, self._settings = ground, settings
        self._image = image
        self._random = np.random.default_rng(seed)
        self._places = patch_places(ground.samples.body, ground.patch)
        random = np.random.default_rng(seed + 1)
        validation = self._places.draw(4 * settings.batch, random)
        self._validation = [(places, self._partners(places, random)) for places in np.array_split(validation, 4)]

    def facts(self) -> Mapping[str, Any]:
        """Return for the record how much of the body is similar in the next slice."""
        matched = total = 0
        indices = self._ground.samples.indices
        for n, index in enumerate(indices):
            other = index + 1 if index + 1 < self._image.shape[0] else index - 1
            here, there = self._ground.samples.slices[n], fill_invalid(self._image, other)[self._ground.samples.box]
            similar = np.abs(self._mean(here) - self._mean(there)) <= self._settings.tolerance
            body = self._ground.samples.body[n]
            matched, total = matched + int((similar & body).sum()), total + int(body.sum())
        return {"matched_share_of_body": round(matched / max(total, 1), 4)}

    def loss(self, student: torch.nn.Module) -> Tensor:
        """Draw a batch and return its loss, in units of the noise level."""
        places = self._places.draw(self._settings.batch, self._random)
        turned = [axis for axis in (-1, -2) if self._random.random() < 0.5]
        return self._error(student, places, self._partners(places, self._random), turned)

    def validation(self, student: torch.nn.Module) -> float:
        """The same on fixed patches."""
        with torch.inference_mode():
            return float(np.mean([float(self._error(student, *one, [])) for one in self._validation]))

    def _partners(self, places: Positions, random: np.random.Generator) -> list[int]:
        """For every place the index of another slice; at the ends of the scan those on the other side."""
        last = self._image.shape[0] - 1
        steps = random.integers(1, self._settings.neighbor + 1, len(places)) * random.choice([-1, 1], len(places))
        out = []
        for place, step in zip(places, steps, strict=True):
            index = self._ground.samples.indices[place[0]]
            other = index + int(step)
            out.append(other if 0 <= other <= last else min(max(index - int(step), 0), last))
        return out

    def _error(self, student: torch.nn.Module, places: Positions, partners: list[int], turned: list[int]) -> Tensor:
        ground, size = self._ground, self._ground.patch
        samples = ground.samples
        x, deviation, body = (
            cut_patches(stack, places, size) for stack in (samples.slices, samples.deviation, samples.body)
        )
        others = [fill_invalid(self._image, other)[samples.box] for other in partners]
        near = [
            plane[row : row + size, column : column + size]
            for plane, (_, row, column) in zip(others, places, strict=True)
        ]
        y = torch.from_numpy(np.stack(near).astype(np.float32))[:, None]
        apart = np.stack([self._mean(a) - self._mean(b) for a, b in zip(x[:, 0].numpy(), y[:, 0].numpy(), strict=True)])
        similar = torch.from_numpy(np.abs(apart) <= self._settings.tolerance)[:, None] * body
        x, y, deviation, similar = (part.flip(turned).to(ground.device) for part in (x, y, deviation, similar))
        error = (student(x, deviation) - y).abs() * similar
        out: Tensor = error.sum() / similar.sum().clamp(min=1) / ground.scale.level
        return out

    def _mean(self, plane: Voxels) -> Voxels:
        side = self._settings.window
        return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT_101), np.float32)
