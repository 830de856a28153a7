"""What methods that learn one network from the scan itself have in common: the way from a scan to a `SliceNetwork`."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage
from demottle.image import Image, Voxels
from demottle.learning.history import History
from demottle.learning.one_network import learn
from demottle.learning.schedule import CosineSchedule
from demottle.learning.seeding import seeded
from demottle.methods.base import Budget, Tensors
from demottle.methods.one_scan.kept_share import keep_what_the_scan_says
from demottle.methods.one_scan.scan_noise import ScanNoise
from demottle.methods.one_scan.scan_samples import (
    ScanSamples,
    default_steps,
    learnable_spectrum,
    patch_that_fits,
    scan_samples,
)
from demottle.methods.one_scan.slice_network import (
    Normalized,
    Scale,
    SliceNetwork,
    inputs_of,
    load_weights,
    scale_of,
    summary,
)
from demottle.networks.half_resolution_unet import HalfResolutionUNet
from demottle.networks.start_network import fill_from_start
from demottle.networks.windowed_wiener import WindowedWiener
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.synthesis import NoiseSource

_GENTLER = 0.3
"""Learning rate from the shipped weights on, as a share of that from random ones: they are near the goal."""
NOT_WORTH_IT = "not begun: so little tissue would teach the shipped weights nothing"

_TOO_FEW_TO_EXAMINE = 3
"""Slices of CT: on a single one of shoulders the validation refused weights that were 3 dB better than learning without them."""


@dataclass(frozen=True, kw_only=True)
class ScanSettings:
    """Settings that every method of this kind has.

    Attributes:
        channels: channels of the network, from half resolution downward.
        patch, batch: side of a patch in pixels, patches per step.
        rate: peak learning rate.
        start: begin with weights that were trained on simulations and come with demottle, in place of random ones, where
            the scan's own validation says that they help.
        start_kept: shares, 0 to 1, of the shipped weights in the mean of those and the learned ones, which is the network that is
            used (after Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022). Of several the scan chooses
            (`kept_share`).
        early_stop: end when the error on the validation no longer falls.
        spare_steps: from the shipped weights, learn less from a scan of little tissue, where it brings little.
    """

    channels: tuple[int, ...] = (64, 128, 256)
    patch: int = 128
    batch: int = 8
    rate: float = 1e-3
    start: bool = False
    start_kept: tuple[float, ...] = (0.75, 1.0)
    early_stop: bool = True
    spare_steps: bool = False

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        refuse_unlearnable(self.batch, self.channels, self.rate)
        if not self.start_kept or not all(0 <= share <= 1 for share in self.start_kept):
            raise InputError(f"start_kept is {self.start_kept}; it takes shares between 0 and 1.")
        if self.patch < 32 or self.patch % 2 ** len(self.channels):
            raise InputError(
                f"patch is {self.patch}; it has to be a multiple of {2 ** len(self.channels)} and at least 32."
            )


def refuse_unlearnable(batch: int, channels: Sequence[int], rate: float) -> None:
    """Refuse settings of a network with which nothing is learned.

    Raises:
        InputError: names the setting, its value and what it has to be.
    """
    if batch < 1:
        raise InputError(f"batch is {batch}; it has to be at least 1.")
    if not channels or min(channels) < 1:
        raise InputError(f"channels is {list(channels)}; each level of the network needs at least 1.")
    if not rate > 0:
        raise InputError(f"rate is {rate}; it has to be positive.")


class Lesson(Protocol):
    """What a network is taught."""

    def loss(self, student: nn.Module) -> Tensor:
        """Draw the next batch and return its loss."""

    def validation(self, student: nn.Module) -> float:
        """Return the error on what is always the same."""

    def facts(self) -> Mapping[str, Any]:
        """Return what belongs on record, as plain values."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What a lesson is made from.

    Attributes:
        samples: slices of the scan, cut to the body.
        spectrum: noise power spectrum (n, n), FFT order.
        scale: scale of the network's values.
        patch: side of a patch in pixels; smaller than asked for where the slices are.
        device: where the network is.
        draw_noise: makes `noise`, when it is first asked for.
    """

    samples: ScanSamples
    spectrum: Voxels
    scale: Scale
    patch: int
    device: torch.device
    draw_noise: Callable[[], ScanNoise]

    @cached_property
    def noise(self) -> ScanNoise:
        """Noise like the scan's own."""
        return self.draw_noise()


def fit_on_scan(
    name: str,
    image: Image,
    settings: ScanSettings,
    fingerprint: Fingerprint,
    lesson_on: Callable[[Ground], Lesson],
    *,
    slices: int = 1,
    fewest: int = 3,
    seed: int,
    budget: Budget | None,
    listener: Listener,
) -> SliceNetwork:
    """Make the samples, let `lesson_on` make a lesson from them, teach a network, and return it ready for use.

    Args:
        name: name of the method.
        image, fingerprint: the scan and what was measured on it.
        settings: settings of the method.
        lesson_on: the method itself.
        slices: how many the network sees at once, the one to denoise in the middle; an odd number.
        fewest: slices that the method can learn from.
        seed: seed of the network's first weights.
        budget: how long it may take; None: the scan decides.
        listener: told of the stages "prepare" and "learn".

    Raises:
        UnsuitableError: where the scan cannot be learned from; the sentence says why.
        InputError: where a slice is smaller than a patch can be.
    """
    spectrum = learnable_spectrum(name, image, fingerprint, fewest)
    listener(Progress(Stage.PREPARE, 0, 1))
    patch = patch_that_fits(settings.patch, 2 ** len(settings.channels), image)
    samples = scan_samples(image, fingerprint.correlation, fingerprint.noise_level, patch, slices)
    scale = scale_of(image, fingerprint)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def draw_noise() -> ScanNoise:
        return ScanNoise(image, samples, fingerprint.correlation, NoiseSource(spectrum, patch), slices)

    ground = Ground(samples, spectrum, scale, patch, device, draw_noise)
    lesson = lesson_on(ground)
    network = seeded(lambda: HalfResolutionUNet(inputs_of(slices), settings.channels), seed)
    student = Normalized(network, WindowedWiener(spectrum), scale, network.multiple).to(device)
    started = settings.start and _begin(student, lesson, image)
    listener(Progress(Stage.PREPARE, 1, 1))
    budget = budget or Budget()
    steps = budget.steps
    if steps is None:
        steps = default_steps(samples, patch, settings.batch, started, device.type == "cuda", settings.spare_steps)
    learned, history, kept = student, History(ended=NOT_WORTH_IT, each=[]), 1.0
    if steps > 0 or budget.steps is not None:
        learned, history, kept = _learned(student, lesson, settings, started, steps, budget, ground, seed, listener)
    told = {"slices_seen": slices, "start_network": started, "start_share_kept": kept}
    fitted = {**summary(image, fingerprint, scale), **told, **history.summary(), **lesson.facts()}
    return SliceNetwork(name, asdict(settings), fitted, learned.network, spectrum)


def _learned(
    student: Normalized,
    lesson: Lesson,
    settings: ScanSettings,
    started: bool,
    steps: int,
    budget: Budget,
    ground: Ground,
    seed: int,
    listener: Listener,
) -> tuple[Normalized, History, float]:
    """Learn, more gently where the shipped weights are the start; also which share of these is kept."""
    begun = copy.deepcopy(student.network.state_dict())
    schedule = CosineSchedule(steps=steps, minutes=budget.minutes, check_every=50 if settings.early_stop else 0)
    rate = settings.rate * (_GENTLER if started else 1)
    learned, history = learn(student, lesson.loss, schedule, rate=rate, criterion=lesson.validation, listener=listener)
    if not started:
        return learned, history, 0.0
    shares, samples, patch = settings.start_kept, ground.samples, ground.patch
    kept = keep_what_the_scan_says(learned, begun, learned.network, shares, samples, ground.noise, patch, seed)
    return learned, history, kept


def _begin(student: Normalized, lesson: Lesson, image: Image) -> bool:
    """Begin with the shipped weights, unless the scan's own validation says that the filter alone does better."""
    if image.unit == "HU" and image.shape[0] <= _TOO_FEW_TO_EXAMINE:
        return fill_from_start(student.network)
    untrained, filter_alone = copy.deepcopy(student.network.state_dict()), lesson.validation(student)
    if not fill_from_start(student.network):
        return False
    if lesson.validation(student) < filter_alone:
        return True
    student.network.load_state_dict(untrained)
    return False


def restore_slice_network(
    name: str, settings: ScanSettings, fitted: Mapping[str, Any], tensors: Tensors
) -> SliceNetwork:
    """Rebuild a saved network."""
    network = load_weights(HalfResolutionUNet(inputs_of(int(fitted.get("slices_seen", 1))), settings.channels), tensors)
    return SliceNetwork(name, asdict(settings), fitted, network, tensors["noise.spectrum"])
