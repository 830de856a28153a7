"""Neighboring Slice Noise2Noise (NS-N2N), as published: arXiv 2411.10831.

Each slice predicts the next one and the other way round, where a strong low-pass of both says that they show the same
tissue. Three losses, each with its weight: reconstruction, regional consistency, inter-slice continuity. The method assumes
that the noise of neighboring slices is independent; `demottle inspect` measures whether it is. `matched-neighbors` is the
same idea without that assumption.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import torch
from skimage.restoration import denoise_nl_means
from torch import Tensor

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.learning.data.patches import Positions, cut_patches, patch_places
from demottle.losses.neighbors import continuity, matched_error, regional_consistency
from demottle.methods.base import Budget, Tensors
from demottle.methods.one_scan.protection import fill_invalid
from demottle.methods.one_scan.scan_fit import Ground, ScanSettings, fit_on_scan, restore_slice_network
from demottle.methods.one_scan.slice_network import SliceNetwork
from demottle.methods.registry import name_of
from demottle.noise import guide
from demottle.noise.fingerprint import Fingerprint

NAME = name_of(__name__)


@dataclass(frozen=True)
class NsN2NSettings(ScanSettings):
    """Settings of the method.

    Attributes:
        guide: low-pass for the mask: "gaussian" (2 pixels), or "nlm" (non-local means, then a 5 x 5 median) as published,
            which is some hundred times slower.
        tolerance: largest difference of two guides that counts as matched, HU (or the image's unit). The paper's 0.015 of
            the normalized range is 25 HU for a range of 1,667 HU.
        use_mask: compare only matched pixels; without, all pixels of the body.
        consistency: weight of regional consistency; 0 switches it off.
        continuity: weight of inter-slice continuity; 0 switches it off.
        channels, patch, batch, rate, early_stop: as `ScanSettings`; validation: the reconstruction error on fixed patches.
    """

    guide: Literal["gaussian", "nlm"] = "gaussian"
    tolerance: float = 25.0
    use_mask: bool = True
    consistency: float = 0.5
    continuity: float = 1.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        if self.guide not in ("gaussian", "nlm"):
            raise InputError(f'guide is "{self.guide}"; it has to be "gaussian" or "nlm".')
        if not self.tolerance > 0 or min(self.consistency, self.continuity) < 0:
            raise InputError("tolerance has to be positive, consistency and continuity cannot be negative.")


Settings = NsN2NSettings


def fit(
    image: Image,
    settings: NsN2NSettings,
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


def restore(settings: NsN2NSettings, fitted: Mapping[str, Any], tensors: Tensors) -> SliceNetwork:
    """Rebuild a saved network."""
    return restore_slice_network(NAME, settings, fitted, tensors)


class _Lesson:
    """Draws patches of a slice and the next one, and computes the three losses."""

    def __init__(self, image: Image, ground: Ground, settings: NsN2NSettings, seed: int) -> None:
        samples = self._samples = ground.samples
        self._settings, self._patch, self._level, self._device = (
            settings,
            ground.patch,
            ground.scale.level,
            ground.device,
        )
        last = image.shape[0] - 1
        partners = [index + 1 if index < last else index - 1 for index in samples.indices]
        self._next = np.stack([fill_invalid(image, index)[samples.box] for index in partners])
        self._matched = np.stack([self._match(a, b) for a, b in zip(samples.slices, self._next, strict=True)])
        self._random = np.random.default_rng(seed)
        self._places = patch_places(samples.body, ground.patch)
        self._validation = self._places.draw(4 * settings.batch, np.random.default_rng(seed + 1))

    def facts(self) -> Mapping[str, Any]:
        """Return for the record how much of the body has a match."""
        return {"matched_share_of_body": round(float(self._matched[self._samples.body].mean()), 4)}

    def loss(self, student: torch.nn.Module) -> Tensor:
        """Draw a batch and return the weighted sum of the losses, in units of the noise variance."""
        settings = self._settings
        x, y, deviation, weight = self._patches(self._places.draw(settings.batch, self._random))
        from_x, from_y = student(x, deviation), student(y, deviation)
        loss = (matched_error(from_x, y, weight) + matched_error(from_y, x, weight)) / 2
        if settings.consistency:
            loss = loss + settings.consistency * regional_consistency(from_x, from_y, weight)
        if settings.continuity:
            # The mean of two slices with independent noise is less noisy by the root of two.
            from_mean = student((x + y) / 2, deviation / 2**0.5)
            loss = loss + settings.continuity * continuity(from_mean, from_x, from_y)
        out: Tensor = loss / self._level**2
        return out

    def validation(self, student: torch.nn.Module) -> float:
        """Reconstruction error on fixed patches, in units of the noise variance."""
        total = 0.0
        with torch.inference_mode():
            for places in np.array_split(self._validation, 4):
                x, y, deviation, weight = self._patches(places)
                total += float(matched_error(student(x, deviation), y, weight)) / 4
        return total / self._level**2

    def _match(self, here: Voxels, there: Voxels) -> np.ndarray[Any, np.dtype[np.bool_]]:
        if not self._settings.use_mask:
            return np.ones(here.shape, np.bool_)
        a, b = (self._low_pass(plane) for plane in (here, there))
        return np.asarray(np.abs(a - b) <= self._settings.tolerance)

    def _low_pass(self, plane: Voxels) -> Voxels:
        if self._settings.guide == "gaussian":
            return guide.smooth(plane)
        smooth = denoise_nl_means(
            plane, patch_size=5, patch_distance=7, h=0.8 * self._level, sigma=self._level, fast_mode=True
        )
        return np.asarray(cv2.medianBlur(smooth.astype(np.float32), 5), np.float32)

    def _patches(self, places: Positions) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        samples = self._samples
        stacks = (samples.slices, self._next, samples.deviation, self._matched & samples.body)
        x, y, deviation, weight = (cut_patches(stack, places, self._patch).to(self._device) for stack in stacks)
        return x, y, deviation, weight
