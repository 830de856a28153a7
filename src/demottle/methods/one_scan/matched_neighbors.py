"""Matched neighbors: the method demottle uses by default. It learns from the noisy scan alone.

Like NS-N2N (arXiv 2411.10831) it makes neighboring slices the targets of a network, where they show the same tissue. What
is different, each switchable:

- *Decorrelated targets.* Slice `y` shares noise with slice `x` (correlation rho). A network trained on `y` hands the share
  rho of the noise back. The target `(y - rho x) / (1 - rho)` has noise uncorrelated with x's and, where matched, the clean
  slice as its mean; its noise variance is larger by `(1 + rho) / (1 - rho)`, so it weighs as much less.
- *All neighbors at once.* A pixel's target is the weighted mean of its matches in several slices, which has less noise and
  costs the network nothing.
- *Recorruption.* In some patches the slice is its own target (after Pang et al., Recorrupted-to-Recorrupted, CVPR 2021):
  with z like the scan's noise, `x + a z` and `x - z / a` have independent noise. There edges match perfectly, which they
  hardly ever do in a neighbor. z is taken from the scan itself (`scan_noise`), so that streaks stay streaks.
- *Random structures*, added to slice and target alike, are edges of known shape and contrast.
- *Fusion*, on request: denoised neighbors have a say in the result where they agree (`slice_fusion`), as far as the scan
  itself says that this pays.
- *Slices without neighbors*, single ones above all, teach themselves alone: every patch is recorrupted, with noise that is drawn
  from the measured spectrum at the local level.
- *Local noise.* Everything the network sees is in units of the local noise level (`slice_network`), and so is the tolerance
  of the matching.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from demottle.errors import InputError, UnsuitableError, counted
from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.learning.data.patches import Positions, cut_patches, patch_places
from demottle.learning.data.structures import random_structures
from demottle.losses.neighbors import bounded_square, matched_error
from demottle.methods.base import Budget, Tensors
from demottle.methods.one_scan.neighbor_targets import matched_targets
from demottle.methods.one_scan.scan_fit import Ground, ScanSettings, fit_on_scan, restore_slice_network
from demottle.methods.one_scan.slice_network import SliceNetwork
from demottle.methods.registry import name_of
from demottle.noise.fingerprint import Fingerprint

NAME = name_of(__name__)
_FEWEST_SLICES = 1
_FEWEST_TO_HOLD_OUT = 20
_EXAMINED = 16  # patches


@dataclass(frozen=True)
class MatchedNeighborsSettings(ScanSettings):
    """Settings of the method.

    Attributes:
        slices: how many the network sees at once, an odd number.
        reach: how many slices away targets may lie, in both directions.
        decorrelate: correct targets for the noise they share with the slice.
        tolerance: largest difference of two guides that counts as the same tissue, in units of the local noise
            level. 0.7 is 25 HU at 36 HU of noise.
        guide_sigma: width of the guide's Gaussian, pixels.
        recorruption: the factor a; 0 switches recorruption off, and pixels without a match teach nothing.
        recorrupted_share: share of a batch that is recorrupted.
        surely_matched: difference of two guides, in units of the local noise level, up to which a neighbor is the better
            target; where neither is, recorruption teaches in full, where one is, by half.
        structured_share: share of a batch to which random structures are added, in slice and target alike.
        fuse: let neighboring slices speak in the result where they agree, as far as the scan says that it pays. Off by
            default: slices then share what is left of the noise.
        outlier: errors beyond this many standard deviations of the target's noise count linearly: they are matches that
            are none.
        channels, patch, batch, rate, start, start_kept, early_stop: as `ScanSettings`; validation: the error on slices held out.
    """

    slices: int = 1
    reach: int = 1
    decorrelate: bool = True
    tolerance: float = 0.7
    guide_sigma: float = 2.0
    recorruption: float = 0.5
    recorrupted_share: float = 0.25
    surely_matched: float = 0.35
    structured_share: float = 0.25
    fuse: bool = False
    outlier: float = 4.0
    batch: int = 2
    start: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        if self.slices < 1 or self.slices % 2 == 0:
            raise InputError(
                f"slices is {self.slices}; it has to be an odd number: the slice itself and those around it."
            )
        if self.reach < 1:
            raise InputError(f"reach is {self.reach}; it has to be at least 1.")
        if not min(self.tolerance, self.guide_sigma, self.outlier) > 0:
            raise InputError("tolerance, guide_sigma and outlier have to be positive.")
        if self.recorruption < 0 or self.surely_matched < 0:
            raise InputError("recorruption and surely_matched cannot be negative.")
        if not (0 <= self.recorrupted_share <= 1 and 0 <= self.structured_share <= 1):
            raise InputError("recorrupted_share and structured_share have to lie between 0 and 1.")


Settings = MatchedNeighborsSettings


def fit(
    image: Image,
    settings: MatchedNeighborsSettings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> SliceNetwork:
    """Fit a network on the scan.

    Raises:
        UnsuitableError: where the scan cannot be learned from; the sentence says why.
        InputError: where a slice is smaller than a patch, or there are fewer slices than the network is to see.
    """
    if image.shape[0] <= settings.slices // 2:
        raise InputError(
            f"slices is {settings.slices}, but the image has {counted(image.shape[0], 'slice')}; use slices=1 for it."
        )

    def lesson(ground: Ground) -> Lesson:
        return Lesson(image, ground, settings, fingerprint, seed)

    network = fit_on_scan(
        NAME,
        image,
        settings,
        fingerprint,
        lesson,
        slices=settings.slices,
        fewest=_FEWEST_SLICES,
        seed=seed,
        budget=budget,
        listener=listener,
    )
    if settings.fuse:
        network.weigh_neighbors(image, fingerprint, seed, listener)
    return network


def restore(settings: MatchedNeighborsSettings, fitted: Mapping[str, Any], tensors: Tensors) -> SliceNetwork:
    """Rebuild a saved network."""
    return restore_slice_network(NAME, settings, fitted, tensors)


class Lesson:
    """Draws batches from the samples and computes the loss; every draw comes from one seeded generator."""

    def __init__(
        self, image: Image, ground: Ground, settings: MatchedNeighborsSettings, fingerprint: Fingerprint, seed: int
    ) -> None:
        """Make targets; set one sample in ten aside (where there are enough) to tell when learning no longer pays."""
        self._samples, self._settings, self._device = ground.samples, settings, ground.device
        self._level, self._patch = ground.scale.level, ground.patch
        correlation = fingerprint.correlation

        def match(tolerance: float) -> tuple[Voxels, Voxels]:
            return matched_targets(
                image,
                ground.samples,
                correlation,
                reach=settings.reach,
                decorrelate=settings.decorrelate,
                tolerance=tolerance,
                guide_sigma=settings.guide_sigma,
            )

        self._targets, self._weights = match(settings.tolerance)
        sure = match(settings.surely_matched)[1]
        self._unsure = 1 - sure / max(float(sure.max()), 1e-6)
        self._noise = ground.noise
        self._alone = not self._weights.any()  # no slice has a neighbor to learn from
        if self._alone and not settings.recorruption > 0:
            raise UnsuitableError("No slice has a neighbor to learn from, and with recorruption=0 none teaches itself.")
        self._random = np.random.default_rng(seed)
        body = ground.samples.body
        aside = np.zeros(len(body), np.bool_)
        if len(aside) >= _FEWEST_TO_HOLD_OUT:
            aside[5::10] = True
        self._places = patch_places(body & ~aside[:, None, None], ground.patch)
        held_out = patch_places(body & (aside if aside.any() else ~aside)[:, None, None], ground.patch)
        examined = np.random.default_rng(seed + 1)
        self._validation = held_out.draw(_EXAMINED, examined)
        self._added = self._noise.draw_stack(self._validation, self._patch, examined) if self._alone else None

    def facts(self) -> Mapping[str, Any]:
        """Return for the record how much of the body has a match."""
        return {"matched_share_of_body": round(float((self._weights > 0)[self._samples.body].mean()), 4)}

    def loss(self, student: torch.nn.Module) -> Tensor:
        """Draw a batch and return its loss, in units of the noise variance."""
        settings = self._settings
        places = self._places.draw(settings.batch, self._random)
        image, deviation, target, weight = self._patches(places)
        body = self._cut(self._samples.body, places)
        middle = image.shape[1] // 2
        # Mirrored at random: on a short scan the network would otherwise learn the neighbors' noise by heart.
        turned = [axis for axis in (-1, -2) if self._random.random() < 0.5]
        if middle and self._random.random() < 0.5:
            image = image.flip(1)
        image, deviation, target, weight, body = (
            part.flip(turned) for part in (image, deviation, target, weight, body)
        )
        spread = weight.clamp(min=1e-3) ** -0.5  # of the target's noise, in units of the local noise level
        corrupted = 0
        if settings.recorruption > 0:
            corrupted = settings.batch if self._alone else self._of_the_batch(settings.recorrupted_share)
        if corrupted:
            extra = self._noise.draw_stack(places[:corrupted], self._patch, self._random)
            noise = torch.from_numpy(extra).to(self._device).flip(turned)
            noise = noise * deviation[:corrupted]
            free = self._cut(self._unsure, places[:corrupted]).flip(turned) * body[:corrupted]
            own = (image[:corrupted] - noise / settings.recorruption)[:, middle : middle + 1]
            target = torch.cat([own, target[corrupted:]])
            weight = torch.cat([free, weight[corrupted:]])
            image = torch.cat([image[:corrupted] + settings.recorruption * noise, image[corrupted:]])
            spread = torch.cat([torch.full_like(free, (1 + settings.recorruption**-2) ** 0.5), spread[corrupted:]])
        structured = self._of_the_batch(settings.structured_share)
        if structured:
            drawn = torch.from_numpy(random_structures(structured, self._patch, self._random))[:, None]
            added = functional.pad(
                drawn.to(self._device) * deviation[-structured:], (0, 0, 0, 0, 0, 0, len(image) - structured, 0)
            )
            image, target = image + added, target + added
        error = (student(image, deviation) - target) / deviation
        loss: Tensor = (
            weight * bounded_square(error, settings.outlier * spread) * deviation**2
        ).mean() / self._level**2
        return loss

    def validation(self, student: torch.nn.Module) -> float:
        """Matched error on the patches set aside, in units of the noise variance; of slices alone that of recorrupted ones."""
        total = 0.0
        with torch.inference_mode():
            for some in np.array_split(np.arange(len(self._validation)), 4):
                places = self._validation[some]
                image, deviation, target, weight = self._patches(places)
                if self._added is not None:
                    noise = torch.from_numpy(self._added[some]).to(self._device) * deviation
                    middle, factor = image.shape[1] // 2, self._settings.recorruption
                    target = (image - noise / factor)[:, middle : middle + 1]
                    image, weight = image + factor * noise, self._cut(self._samples.body, places)
                total += float(matched_error(student(image, deviation), target, weight)) / 4
        return total / self._level**2

    def _of_the_batch(self, share: float) -> int:
        """A share of the batch in whole patches; of a fraction left over, chance decides, so that the share holds on average."""
        whole, fraction = divmod(share * self._settings.batch, 1)
        return int(whole) + int(fraction > 0 and self._random.random() < fraction)

    def _patches(self, places: Positions) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        samples = self._samples
        weight = self._cut(self._weights, places) * self._cut(samples.body, places)
        return (
            torch.cat([self._cut(stack, places) for stack in samples.stacks], dim=1),
            self._cut(samples.deviation, places),
            self._cut(self._targets, places),
            weight,
        )

    def _cut(self, stack: np.ndarray[Any, Any], places: Positions) -> Tensor:
        return cut_patches(stack, places, self._patch).to(self._device)
