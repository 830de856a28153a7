"""Deep Image Prior (Ulyanov, Vedaldi and Lempitsky, CVPR 2018): a network that is made to draw one slice, and stopped in time.

An hourglass f with random weights turns fixed random images z into the slice x: `min over weights of mean |f(z) - x|^2` over the
body. Anatomy is learned before noise; so learning ends, slice by slice, at the first step at which

    mean |f(z) - x|^2 <= s^2,

s the measured noise level (Morozov's discrepancy principle: what is left over is as much as the noise), or after `steps`. The
result is the exponential mean of the last outputs. Every slice is learned anew: this is slow, and nothing is kept for others.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from demottle.errors import InputError, UnsuitableError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.learning.device import best_device
from demottle.learning.seeding import seeded
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.methods.filters.plane_filter import kept, level_of
from demottle.methods.one_scan.calibration import keep_ct_numbers
from demottle.methods.one_scan.protection import changeable, fill_invalid
from demottle.methods.one_scan.scan_samples import box_around
from demottle.methods.one_scan.slice_network import scale_of
from demottle.methods.registry import name_of
from demottle.networks.hourglass import Hourglass
from demottle.noise.fingerprint import Fingerprint

NAME = name_of(__name__)
_FARTHEST = 3.0  # of x, in widths: what lies beyond is bone and metal
_AVERAGING = 0.9  # of the outputs, per step


@dataclass(frozen=True)
class DeepImagePriorSettings:
    """Settings of the method.

    Attributes:
        steps: most steps a slice; a limit on steps given for the whole method counts instead.
        rate: learning rate of Adam.
        inputs: random images that the network begins with.
        channels: channels of the network, from half resolution downward.
        wobble: noise added to the random images in every step, as a share of their deviation.
    """

    steps: int = 1000
    rate: float = 0.01
    inputs: int = 32
    channels: tuple[int, ...] = (32, 32, 64, 64)
    wobble: float = 0.1

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if min(self.steps, self.inputs, len(self.channels), *self.channels) < 1 or not self.rate > 0 or self.wobble < 0:
            raise InputError("steps, inputs and channels have to be at least 1, rate positive, wobble not negative.")


Settings = DeepImagePriorSettings


class DeepImagePrior(Denoiser):
    """The recipe; the learning happens where it is applied. `fitted` holds the seed and the limits."""

    method = NAME

    def __init__(self, settings: DeepImagePriorSettings, fitted: Mapping[str, Any]) -> None:
        """Keep settings and summary."""
        self._settings = settings
        self.settings = asdict(settings)
        self.fitted = dict(fitted)

    def tensors(self) -> Tensors:
        """Return nothing: what is learned serves one slice."""
        return {}

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Learn every slice; the noise level is measured on the image itself."""
        level = level_of(image, self.fitted)
        if level == 0:
            return image  # without noise there is nothing to remove
        out = np.empty(image.shape, np.float32)
        ends = self._ends(image.shape[0])
        for index in range(image.shape[0]):
            listener(Progress(Stage.LEARN, index, image.shape[0], "slice by slice"))
            out[index] = kept(image, index, self._plane(image, index, level, next(ends)))
        listener(Progress(Stage.LEARN, image.shape[0], image.shape[0]))
        keep_ct_numbers(image, out, lambda index: changeable(image, index), listener)
        return image.with_voxels(out)

    def _ends(self, slices: int) -> Any:
        """Yield for every slice when it has to be ready: the time that is left, shared among those that are."""
        minutes = self.fitted.get("most_minutes")
        end = time.monotonic() + 60 * minutes if minutes else np.inf
        for left in range(slices, 0, -1):
            now = time.monotonic()
            yield now + (end - now) / left

    def _plane(self, image: Image, index: int, level: float, end: float) -> Voxels:
        filled, body = fill_invalid(image, index), changeable(image, index) > 0
        if not body.any():
            return filled
        box = box_around(body, 32)
        out = filled.copy()
        drawn = self._drawn(filled[box], body[box], level, end)
        out[box] = np.where(np.abs(self._scaled(filled[box])) < _FARTHEST, drawn, filled[box])
        return out

    def _scaled(self, plane: Voxels) -> Voxels:
        return np.asarray((plane - self.fitted["centre"]) / self.fitted["width"], np.float32)

    def _drawn(self, plane: Voxels, body: NDArray[np.bool_], level: float, end: float) -> Voxels:
        """Learn one slice, cut to the body; returns what the network draws."""
        settings, width = self._settings, float(self.fitted["width"])
        seed, device = int(self.fitted["seed"]), best_device()
        network = seeded(lambda: Hourglass(settings.inputs, settings.channels), seed).to(device)
        rows, columns = plane.shape
        pad = (0, -columns % network.multiple, 0, -rows % network.multiple)
        x, where = (
            functional.pad(torch.from_numpy(part)[None, None].to(device), pad, mode="replicate")
            for part in (self._scaled(plane).clip(-_FARTHEST, _FARTHEST), body.astype(np.float32))
        )
        random = torch.Generator().manual_seed(seed)
        z = torch.rand((1, settings.inputs, *x.shape[-2:]), generator=random).to(device) / 10
        optimizer = torch.optim.Adam(network.parameters(), settings.rate)
        mean: Tensor | None = None
        for step in range(int(self.fitted["most_steps"])):
            wobble = torch.randn(z.shape, generator=random).to(device) * (settings.wobble * 0.1 / 12**0.5)
            answer = network(z + wobble)
            error = ((answer - x) ** 2 * where).sum() / where.sum()
            optimizer.zero_grad(set_to_none=True)
            error.backward()
            optimizer.step()
            mean = (
                answer.detach() if mean is None else mean.lerp(answer.detach(), 1 - min(_AVERAGING, step / (step + 9)))
            )
            if float(error.detach()) <= (level / width) ** 2 or time.monotonic() > end:
                break
        assert mean is not None
        out: Voxels = mean[0, 0, :rows, :columns].cpu().numpy() * width + self.fitted["centre"]
        return out


def fit(
    image: Image,
    settings: DeepImagePriorSettings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> DeepImagePrior:
    """Note seed and limits; every slice is learned when it is denoised.

    A budget's steps are those of one slice, its minutes those of the whole image.

    Raises:
        UnsuitableError: where the noise level is not known: nothing would say when to stop.
    """
    if not (np.isfinite(fingerprint.noise_level) and fingerprint.noise_level > 0):
        raise UnsuitableError(f"{NAME} stops by the noise level, which cannot be measured on this image.")
    budget = budget or Budget()
    scale = scale_of(image, fingerprint)
    fitted = {
        "modality": image.modality,
        "unit": image.unit,
        "spacing_mm": list(image.spacing),
        "noise_level": fingerprint.noise_level,
        "centre": scale.centre,
        "width": scale.width,
        "seed": seed,
        "most_steps": settings.steps if budget.steps is None else budget.steps,
        "most_minutes": budget.minutes,
    }
    return DeepImagePrior(settings, fitted)


def restore(settings: DeepImagePriorSettings, fitted: Mapping[str, Any], tensors: Tensors) -> DeepImagePrior:
    """Rebuild a saved recipe."""
    return DeepImagePrior(settings, fitted)
