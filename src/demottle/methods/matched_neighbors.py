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
- *Local noise.* Everything the network sees is in units of the local noise level (`slice_network`), and so is the tolerance
  of the matching.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from demottle.errors import InputError
from demottle.events import Listener, Progress, silent
from demottle.image import Image, Voxels
from demottle.learning.loop import Schedule, learn
from demottle.learning.patches import Positions, cut_patches, patch_places
from demottle.learning.seeding import seeded
from demottle.learning.structures import random_structures
from demottle.losses.neighbors import bounded_square, matched_error
from demottle.methods.base import Budget, Tensors
from demottle.methods.neighbor_targets import matched_targets
from demottle.methods.scan_noise import ScanNoise
from demottle.methods.scan_samples import ScanSamples, default_steps, learnable_spectrum, patch_that_fits, scan_samples
from demottle.methods.slice_network import INPUTS, Normalized, SliceNetwork, load_weights, scale_of, summary
from demottle.networks.half_resolution_unet import HalfResolutionUNet
from demottle.networks.windowed_wiener import WindowedWiener
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.synthesis import NoiseSource

NAME = "matched-neighbors"
_FEWEST_TO_HOLD_OUT = 20


@dataclass(frozen=True)
class Settings:
    """Settings of the method.

    Attributes:
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
        channels: of the network, from half resolution downward.
        patch, batch: side of a patch in pixels, patches per step.
        outlier: errors beyond this many standard deviations of the target's noise count linearly: they are matches that
            are none.
        rate: peak learning rate.
        early_stop: end when the error on held-out slices no longer falls.
    """

    reach: int = 1
    decorrelate: bool = True
    tolerance: float = 0.7
    guide_sigma: float = 2.0
    recorruption: float = 0.5
    recorrupted_share: float = 0.25
    surely_matched: float = 0.35
    structured_share: float = 0.25
    fuse: bool = False
    channels: tuple[int, ...] = (64, 128, 256)
    patch: int = 128
    batch: int = 8
    outlier: float = 4.0
    rate: float = 1e-3
    early_stop: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.reach < 1 or self.batch < 1 or not self.channels:
            raise InputError("reach, batch and the number of channels have to be at least 1.")
        if self.patch < 32 or self.patch % 2 ** len(self.channels):
            raise InputError(
                f"patch is {self.patch}; it has to be a multiple of {2 ** len(self.channels)}, at least 32."
            )
        if min(self.tolerance, self.guide_sigma, self.rate, self.outlier) <= 0:
            raise InputError("tolerance, guide_sigma, rate and outlier have to be positive.")
        if self.recorruption < 0 or not 0 <= self.recorrupted_share <= 1:
            raise InputError("recorruption cannot be negative, and recorrupted_share has to lie between 0 and 1.")


def fit(
    image: Image,
    settings: Settings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> SliceNetwork:
    """Fit a network on the scan.

    Raises:
        UnsuitableError: where the scan cannot be learned from; the sentence says why.
        InputError: where a slice is smaller than a patch.
    """
    spectrum = learnable_spectrum(NAME, image, fingerprint)
    listener(Progress("prepare", 0, 1))
    settings = replace(settings, patch=patch_that_fits(settings.patch, 2 ** len(settings.channels), image))
    samples = scan_samples(image, fingerprint.correlation, fingerprint.noise_level, settings.patch)

    def match(tolerance: float) -> tuple[Voxels, Voxels]:
        return matched_targets(
            image,
            samples,
            fingerprint.correlation,
            reach=settings.reach,
            decorrelate=settings.decorrelate,
            tolerance=tolerance,
            guide_sigma=settings.guide_sigma,
        )

    targets, weights = match(settings.tolerance)
    sure = match(settings.surely_matched)[1]
    unsure = 1 - sure / max(float(sure.max()), 1e-6)
    scale = scale_of(image, fingerprint)
    noise = ScanNoise(image, samples, fingerprint.correlation, NoiseSource(spectrum, settings.patch))
    lesson = Lesson(samples, targets, weights, unsure, settings, noise, scale.level, seed)
    network = seeded(lambda: HalfResolutionUNet(INPUTS, settings.channels), seed)
    student = Normalized(network, WindowedWiener(spectrum), scale, network.multiple)
    student.to(lesson.device)
    listener(Progress("prepare", 1, 1))
    budget = budget or Budget()
    schedule = Schedule(
        steps=default_steps(samples, settings.patch, settings.batch) if budget.steps is None else budget.steps,
        minutes=budget.minutes,
        rate=settings.rate,
        check_every=50 if settings.early_stop else 0,
    )
    learned, history = learn(student, lesson.loss, schedule, criterion=lesson.held_out_error, listener=listener)
    fitted = {
        **summary(image, fingerprint, scale),
        **history.summary(),
        "matched_share_of_body": round(float((weights > 0)[samples.body].mean()), 4),
    }
    fitted_network = SliceNetwork(NAME, asdict(settings), fitted, learned.network, spectrum)
    if settings.fuse:
        fitted_network.weigh_neighbors(image, fingerprint, seed, listener)
    return fitted_network


def restore(settings: Settings, fitted: Mapping[str, Any], tensors: Tensors) -> SliceNetwork:
    """Rebuild a saved network."""
    network = load_weights(HalfResolutionUNet(INPUTS, settings.channels), tensors)
    return SliceNetwork(NAME, asdict(settings), fitted, network, tensors["noise.spectrum"])


class Lesson:
    """Draws batches from the samples and computes the loss; every draw comes from one seeded generator."""

    def __init__(
        self,
        samples: ScanSamples,
        targets: Voxels,
        weights: Voxels,
        unsure: Voxels,
        settings: Settings,
        source: ScanNoise,
        level: float,
        seed: int,
    ) -> None:
        """Set one sample in ten aside (where there are enough) to tell when learning no longer pays."""
        self._samples, self._targets, self._weights, self._unsure = samples, targets, weights, unsure
        self._settings, self._source, self._level = settings, source, level
        self._random = np.random.default_rng(seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        aside = np.zeros(len(samples.slices), np.bool_)
        if len(aside) >= _FEWEST_TO_HOLD_OUT:
            aside[5::10] = True
        self._places = patch_places(samples.body & ~aside[:, None, None], settings.patch)
        held_out = patch_places(samples.body & (aside if aside.any() else ~aside)[:, None, None], settings.patch)
        self._exam = held_out.draw(4 * settings.batch, np.random.default_rng(seed + 1))

    def loss(self, student: torch.nn.Module) -> Tensor:
        """Draw a batch and return its loss, in units of the noise variance."""
        settings = self._settings
        places = self._places.draw(settings.batch, self._random)
        image, deviation, target, weight = self._patches(places)
        body = self._cut(self._samples.body, places)
        # Mirrored at random: on a short scan the network would otherwise learn the neighbors' noise by heart.
        turned = [axis for axis in (-1, -2) if self._random.random() < 0.5]
        image, deviation, target, weight, body = (
            part.flip(turned) for part in (image, deviation, target, weight, body)
        )
        spread = weight.clamp(min=1e-3) ** -0.5  # of the target's noise, in units of the local noise level
        corrupted = round(settings.recorrupted_share * settings.batch) if settings.recorruption > 0 else 0
        if corrupted:
            extra = self._source.draw(places[:corrupted], settings.patch, self._random)
            noise = torch.from_numpy(extra)[:, None].to(self.device).flip(turned)
            noise = noise * deviation[:corrupted]
            free = self._cut(self._unsure, places[:corrupted]).flip(turned) * body[:corrupted]
            own = image[:corrupted] - noise / settings.recorruption
            target = torch.cat([own, target[corrupted:]])
            weight = torch.cat([free, weight[corrupted:]])
            image = torch.cat([image[:corrupted] + settings.recorruption * noise, image[corrupted:]])
            spread = torch.cat([torch.full_like(free, (1 + settings.recorruption**-2) ** 0.5), spread[corrupted:]])
        structured = round(settings.structured_share * settings.batch)
        if structured:
            drawn = torch.from_numpy(random_structures(structured, settings.patch, self._random))[:, None]
            added = functional.pad(
                drawn.to(self.device) * deviation[-structured:], (0, 0, 0, 0, 0, 0, len(image) - structured, 0)
            )
            image, target = image + added, target + added
        error = (student(image, deviation) - target) / deviation
        loss: Tensor = (
            weight * bounded_square(error, settings.outlier * spread) * deviation**2
        ).mean() / self._level**2
        return loss

    def held_out_error(self, student: torch.nn.Module) -> float:
        """Matched error on the patches set aside, in units of the noise variance."""
        total = 0.0
        with torch.inference_mode():
            for places in np.array_split(self._exam, 4):
                image, deviation, target, weight = self._patches(places)
                total += float(matched_error(student(image, deviation), target, weight)) / 4
        return total / self._level**2

    def _patches(self, places: Positions) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        samples = self._samples
        weight = self._cut(self._weights, places) * self._cut(samples.body, places)
        return (
            self._cut(samples.slices, places),
            self._cut(samples.deviation, places),
            self._cut(self._targets, places),
            weight,
        )

    def _cut(self, stack: np.ndarray[Any, Any], places: Positions) -> Tensor:
        return cut_patches(stack, places, self._settings.patch).to(self.device)
