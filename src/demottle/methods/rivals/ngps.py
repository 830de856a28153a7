"""NGPS (arXiv 2606.23200, ECCV 2026): neighboring slices as targets, and where they do not match, similar patches of theirs.

As NS-N2N, a slice x learns from the next one, y, where strong low-passes of both (the guides) differ by no more than a
tolerance. Everywhere else the target is found: the mean of y at the four places, in a window of 15 x 15 pixels, whose guides
over 7 x 7 pixels are nearest to x's. A find counts if it is no worse than 95 % of those over matched tissue.

The losses are those of `ns_n2n`: reconstruction to the completed target, consistency of matched pixels, continuity.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image, Mask, Voxels
from demottle.learning.data.patches import Positions, cut_patches, patch_places
from demottle.losses.neighbors import continuity, matched_error, regional_consistency
from demottle.methods.base import Budget, Tensors
from demottle.methods.one_scan.protection import fill_invalid
from demottle.methods.one_scan.scan_fit import Ground, ScanSettings, fit_on_scan, restore_slice_network
from demottle.methods.one_scan.slice_network import SliceNetwork
from demottle.methods.registry import name_of
from demottle.methods.rivals.patch_search import similar_pixels
from demottle.noise import guide
from demottle.noise.fingerprint import Fingerprint

NAME = name_of(__name__)


@dataclass(frozen=True)
class NgpsSettings(ScanSettings):
    """Settings of the method.

    Attributes:
        tolerance: largest difference of two guides that counts as matched, HU (or the image's unit).
        window: side in pixels of the square that is searched, odd.
        search_patch: side in pixels of the patches that are compared, odd.
        best: places that are averaged.
        accepted: share of the finds over matched tissue that are no worse than the worst find that counts elsewhere.
        consistency, continuity: weights of these losses.
        channels, patch, batch, rate, early_stop: as `ScanSettings`; validation: the reconstruction error on fixed patches.
    """

    tolerance: float = 25.0
    window: int = 15
    search_patch: int = 7
    best: int = 4
    accepted: float = 0.95
    consistency: float = 0.5
    continuity: float = 1.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        if min(self.window, self.search_patch) < 1 or self.window % 2 == 0 or self.search_patch % 2 == 0:
            raise InputError("window and search_patch have to be odd.")
        if not 1 <= self.best <= self.window**2:
            raise InputError(
                f"best is {self.best}; it has to lie between 1 and {self.window**2}, the pixels of the window of {self.window}."
            )
        if not 0 < self.accepted <= 1:
            raise InputError(f"accepted is {self.accepted}; it has to be above 0 and at most 1.")
        if not self.tolerance > 0:
            raise InputError(f"tolerance is {self.tolerance}; it has to be positive.")
        if min(self.consistency, self.continuity) < 0:
            raise InputError("consistency and continuity cannot be negative.")


Settings = NgpsSettings


def fit(
    image: Image,
    settings: NgpsSettings,
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


def restore(settings: NgpsSettings, fitted: Mapping[str, Any], tensors: Tensors) -> SliceNetwork:
    """Rebuild a saved network."""
    return restore_slice_network(NAME, settings, fitted, tensors)


class _Pair:
    """A slice and its neighbor: matched pixels, and completed targets for both with 1 where they count."""

    def __init__(self, own: Voxels, other: Voxels, settings: NgpsSettings) -> None:
        here, there = guide.smooth(own), guide.smooth(other)
        self.matched: Mask = np.abs(here - there) <= settings.tolerance
        self.for_own, self.own_counts = self._completed(here, there, other, settings)
        self.for_other, self.other_counts = self._completed(there, here, own, settings)

    def _completed(self, here: Voxels, there: Voxels, other: Voxels, settings: NgpsSettings) -> tuple[Voxels, Mask]:
        found, cost = similar_pixels(
            here, there, other, window=settings.window, patch=settings.search_patch, best=settings.best
        )
        limit = np.quantile(cost[self.matched], settings.accepted) if self.matched.any() else 0.0
        return np.where(self.matched, other, found), self.matched | (cost <= limit)


class _Lesson:
    """Draws patches of a slice and the next one, and computes the three losses."""

    def __init__(self, image: Image, ground: Ground, settings: NgpsSettings, seed: int) -> None:
        self._ground, self._settings = ground, settings
        samples = ground.samples
        last = image.shape[0] - 1
        partners = [index + 1 if index < last else index - 1 for index in samples.indices]
        self._next = np.stack([fill_invalid(image, index)[samples.box] for index in partners])
        pairs = [_Pair(own, other, settings) for own, other in zip(samples.slices, self._next, strict=True)]
        self._targets = np.stack([pair.for_own for pair in pairs]), np.stack([pair.for_other for pair in pairs])
        self._counts = tuple(
            np.stack([getattr(pair, kind) for pair in pairs]) & samples.body
            for kind in ("own_counts", "other_counts", "matched")
        )
        self._random = np.random.default_rng(seed)
        self._places = patch_places(samples.body, ground.patch)
        self._validation = self._places.draw(4 * settings.batch, np.random.default_rng(seed + 1))

    def facts(self) -> Mapping[str, Any]:
        """Return for the record how much of the body has a match, and how much a target."""
        body = self._ground.samples.body
        own, _, matched = (float(counts[body].mean()) for counts in self._counts)
        return {"matched_share_of_body": round(matched, 4), "share_with_target": round(own, 4)}

    def loss(self, student: torch.nn.Module) -> Tensor:
        """Draw a batch and return the weighted sum of the losses, in units of the noise variance."""
        settings = self._settings
        places = self._places.draw(settings.batch, self._random)
        cut = self._cut(places)
        x, y, deviation = cut(self._ground.samples.slices), cut(self._next), cut(self._ground.samples.deviation)
        own_counts, other_counts, matched = (cut(counts) for counts in self._counts)
        from_x, from_y = student(x, deviation), student(y, deviation)
        loss = matched_error(from_x, cut(self._targets[0]), own_counts) / 2
        loss = loss + matched_error(from_y, cut(self._targets[1]), other_counts) / 2
        if settings.consistency:
            loss = loss + settings.consistency * regional_consistency(from_x, from_y, matched)
        if settings.continuity:
            # The mean of two slices with independent noise is less noisy by the root of two.
            from_mean = student((x + y) / 2, deviation / 2**0.5)
            loss = loss + settings.continuity * continuity(from_mean, from_x, from_y)
        out: Tensor = loss / self._ground.scale.level**2
        return out

    def validation(self, student: torch.nn.Module) -> float:
        """Reconstruction error on fixed patches, in units of the noise variance."""
        total = 0.0
        with torch.inference_mode():
            for places in np.array_split(self._validation, 4):
                cut = self._cut(places)
                answer = student(cut(self._ground.samples.slices), cut(self._ground.samples.deviation))
                total += float(matched_error(answer, cut(self._targets[0]), cut(self._counts[0]))) / 4
        return total / self._ground.scale.level**2

    def _cut(self, places: Positions) -> Any:
        """Return what cuts the patches at some places out of a stack."""
        return lambda stack: cut_patches(stack, places, self._ground.patch).to(self._ground.device)
