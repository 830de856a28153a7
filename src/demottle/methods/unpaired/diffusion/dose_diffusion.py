"""dose-diffusion: one network for every dose, learned from full-dose scans alone (after Kim, Kim, Baek, PMB 2025, and CoreDiff).

Noise like that of the full-dose scans is put on them, as much as a lower dose has, and a network that is told how much learns to
take it off. A scan's dose is measured by its noise. It is taken to full dose, or to any dose that is asked for, in passes without
random numbers (`walk`); what comes out has that dose's noise in the scan's own grain.

Ours: nearly all of the form. Of the first source only the abstract was seen, of CoreDiff the program was read, none was copied.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import nn

from demottle.errors import InputError, UnsuitableError
from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.learning.data.cohort import Sets
from demottle.learning.run import Run
from demottle.learning.seeding import seeded
from demottle.methods import model_file
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.methods.registry import method, name_of
from demottle.methods.unpaired.beginning import begun, refuse_other_start
from demottle.methods.unpaired.diffusion.dose_diffusion_game import DoseGame, DosePatches, Doses
from demottle.methods.unpaired.diffusion.exposure import Exposure, exposure_of
from demottle.methods.unpaired.diffusion.walk import Calibration, Way, grain_of, walked
from demottle.methods.unpaired.playing import Trial, key_of, played, schedule_of
from demottle.methods.unpaired.simulated_noise import ScanNoises
from demottle.methods.unpaired.trained_network import (
    Box,
    TrainedNetwork,
    refuse_other_units,
    slice_by_slice,
    widened,
)
from demottle.networks.timed_unet import TimedUNet
from demottle.noise import guide
from demottle.noise.body import body_plane
from demottle.noise.level import noise_level
from demottle.physics.low_dose.dose_time import added_noise

NAME = name_of(__name__)
FULL, LEAST, GRAIN = "full_dose_noise", "least_dose", "grain"
"""What a model file says of its doses: noise of full dose in HU, dose at time 1, and the fine grain of unit noise."""
_STRIP = 2**17
"""Pixels that go through the network at once."""
_MOST_TARGET = 1000.0
_JUDGED_DOSE = 0.25
_SKIN = 6  # pixels
_GRAIN_DRAWS = 16


@dataclass(frozen=True)
class DoseDiffusionSettings:
    """Settings of the method.

    Attributes:
        target: dose of the result as a fraction of full dose: 1 has full dose's noise, 0.5 twice its variance, 4 half its
            deviation. Nothing is done to a scan that has so much already. (When applied.)
        passes: of the network on the way there. (When applied.)
        calibrate: measure after each pass how much noise is left, instead of taking it as planned: more noise goes than is
            stated. (When applied.)
        local: follow the noise level from place to place. (When applied.)
        noise: level of the scan's noise in HU; 0: measured. (When applied.)
        channels: channels of the network's first level.
        coarse: standard deviation in pixels of the Gaussian that bypasses the network, so that no faint contrast of that size is
            lost; 0: the whole slice goes through it.
        patch: side of a training patch in pixels, a multiple of 4.
        batch: patches of a step.
        steps: steps of training.
        rate: peak learning rate; constant for the first half, then linear to zero.
        least_dose: lowest dose that is learned, as a fraction of full dose.
        left_out: a range of doses that is not learned, lower first, for experiments; (0, 0): none.
        second: weight of a second pass on the result of the first, as CoreDiff has it; 0: none, and half the time (see the page).
        scale: HU that the network sees as 1.
        averaging: decay of the moving average of the weights per step; 0: the last weights.
        check_every: steps between two looks at noise simulated on held-out scans, which then decides when to end and which
            weights to keep; 0: the last weights.
        patience: looks without improvement before the training ends.
    """

    target: float = 1.0
    passes: int = 3
    calibrate: bool = False
    local: bool = True
    noise: float = 0.0
    channels: int = 64
    coarse: float = 3.0
    patch: int = 128
    batch: int = 16
    steps: int = 100_000
    rate: float = 2e-4
    least_dose: float = 0.05
    left_out: tuple[float, ...] = (0.0, 0.0)
    second: float = 0.0
    scale: float = 50.0
    averaging: float = 0.999
    check_every: int = 0
    patience: int = 10

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.patch < 16 or self.patch % TimedUNet.multiple:
            raise InputError(f"patch is {self.patch}; it has to be a multiple of {TimedUNet.multiple} and at least 16.")
        for name in ("passes", "channels", "batch", "steps", "rate", "scale"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} is {getattr(self, name)}; it has to be positive.")
        for name in ("noise", "coarse", "second", "check_every", "patience"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}; it must not be negative.")
        if not 0 < self.target <= _MOST_TARGET:
            raise InputError(f"target is {self.target}; it has to be above 0 and at most {_MOST_TARGET:g}.")
        if not 0 < self.least_dose < 1:
            raise InputError(f"least_dose is {self.least_dose}; it has to be above 0 and below 1.")
        if not 0 <= self.averaging < 1:
            raise InputError(f"averaging is {self.averaging}; it has to be at least 0 and below 1.")
        if len(self.left_out) != 2 or not 0 <= self.left_out[0] <= self.left_out[1] < 1:
            raise InputError(f"left_out is {self.left_out}; it has to be two doses below 1, the lower one first.")

    @property
    def of_network(self) -> Mapping[str, Any]:
        """The settings that the network's weights depend on."""
        return {"channels": self.channels, "coarse": self.coarse, "scale": self.scale}


Settings = DoseDiffusionSettings


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "small": {"channels": 16, "patch": 48, "batch": 4, "steps": 12_000, "rate": 2e-3, "averaging": 0.99},
}
"""Settings by the machine they are for: "full" for a GPU, "small" for a processor."""


def train(
    sets: Sets,
    settings: DoseDiffusionSettings,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    run: Run | None = None,
    listener: Listener = silent,
    start: Denoiser | None = None,
) -> TrainedNetwork:
    """Train on the full-dose scans of `sets`; low-dose scans are not looked at. `start`: model of this method to begin with.

    Raises:
        UnsuitableError: for images that are not CT in HU, or scans whose noise cannot be measured.
        InputError: for a start of another method or other network settings.
    """
    refuse_other_units(NAME, sets)
    refuse_other_start(NAME, settings, start)
    sets, budget, run = sets.of_full_dose, budget or Budget(), run or Run()
    noises = ScanNoises(
        sets.full.scans,
        settings.patch + settings.patch % 2,
        "The noise of the full-dose scans cannot be measured, so no dose below theirs can be simulated; use scans with flat soft "
        "tissue.",
    )
    full = float(np.median([level for _, level in noises.every()]))
    told = {**_noise_told(full, settings), GRAIN: _grain(noises)}
    game = DoseGame(
        DosePatches(sets.full, settings.patch, _derive(settings), noises, settings.scale),
        seeded(lambda: begun(TimedUNet(settings.channels), start), seed),
        Doses(full / settings.scale, settings.least_dose, (settings.left_out[0], settings.left_out[1])),
        batch=settings.batch,
        rate=settings.rate,
        second=settings.second,
    )
    return played(
        game,
        lambda learned, fitted: DoseDenoiser(settings, {**fitted, **told}, learned),
        sets,
        schedule_of(settings, budget, run),
        key=key_of(NAME, settings, sets, budget, start),
        seed=seed,
        run=run,
        listener=listener,
        start=start,
        trial=Trial(full * float(added_noise(_JUDGED_DOSE)), lambda denoiser: _guessing(denoiser, _JUDGED_DOSE)),
    )


def restore(settings: DoseDiffusionSettings, fitted: Mapping[str, Any], tensors: Tensors) -> "DoseDenoiser":
    """Rebuild a saved network."""
    with torch.device("meta"):  # no memory for what a damaged file claims: its tensors have to fit first
        network = TimedUNet(settings.channels)
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}, assign=True)
    return DoseDenoiser(settings, fitted, network)


class DoseDenoiser(TrainedNetwork):
    """A trained network, and the way from a scan's dose to another."""

    network: TimedUNet

    def __init__(self, settings: DoseDiffusionSettings, fitted: Mapping[str, Any], network: nn.Module) -> None:
        """Keep settings and network."""
        super().__init__(NAME, asdict(settings), fitted, network)
        self._settings = settings
        self._full, self._least, self._grain = (float(fitted[name]) for name in (FULL, LEAST, GRAIN))
        if not all(isfinite(value) and value > 0 for value in (self._full, self._least, self._grain)):
            raise ValueError("noise, dose and grain have to be positive")

    @property
    def model_hash(self) -> str:
        """SHA-256 over method, settings and weights, without what may be chosen anew whenever the model is applied."""
        kept = {name: value for name, value in self.settings.items() if name not in method(NAME).when_applied}
        return model_file.hash_of(self.method, kept, self.tensors())

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Take every slice to the wanted dose; a scan that has it already is handed back as it is.

        Raises:
            UnsuitableError: where the scan's noise cannot be measured.
        """
        return self._applied(image, listener, None)

    def with_spread(self, image: Image, listener: Listener = silent) -> tuple[Image, Image]:
        """Return the denoised image, and the standard deviation over the passes of what full dose was thought to be.

        Raises:
            UnsuitableError: where the scan's noise cannot be measured.
            InputError: for a single pass, which has no spread.
        """
        if self._settings.passes < 2:
            raise InputError("A single pass has no spread; use 2 passes or more (passes=3).")
        spread = np.zeros(image.shape, np.float32)
        denoised = self._applied(image, listener, spread)
        spread *= denoised.voxels != image.voxels  # none where nothing may be changed
        return denoised, image.with_voxels(spread)

    def plane(self, plane: Voxels, box: Box | None = None) -> Voxels:
        """Take one slice in HU to the wanted dose, its noise measured on it alone; only what lies in `box` is wanted."""
        level = self._settings.noise or noise_level(Image(plane[None], (1.0, 1.0, 1.0), "CT", "HU"))
        exposure = Exposure.even((self._full / level) ** 2 if isfinite(level) and level > 0 else 1.0)
        return self.taken(plane, box, exposure, 0)[0]

    def taken(
        self, plane: Voxels, box: Box | None, exposure: Exposure, index: int, *, guess: bool = False
    ) -> tuple[Voxels, Voxels]:
        """Take a slice to the wanted dose.

        Args:
            plane: the slice in HU (rows, columns).
            box: what of it is wanted; None: all.
            exposure: how noisy the scan is.
            index: number of the slice.
            guess: give the network's first guess at full dose instead, the best for the error.

        Returns:
            The slice, and the standard deviation over the passes of what full dose was thought to be, both (rows, columns).
        """
        settings = self._settings
        spread = np.zeros_like(plane)
        if exposure.dose >= min(settings.target, 1.0):
            return plane, spread
        wide = self._wide(box or (slice(0, plane.shape[0]), slice(0, plane.shape[1])), plane.shape)
        x = (_band(plane, settings.coarse)[wide] / settings.scale).astype(np.float32)
        relative = exposure.coarse(index, wide)
        full = self._full / settings.scale

        def estimate(x: Voxels, dose: float) -> Voxels:
            return self._estimate(x, np.asarray(relative * np.float32(full * float(added_noise(dose))), np.float32))

        guesses: list[Voxels] = []
        if guess:
            end = estimate(x, exposure.dose)
        else:
            way = Way(exposure.dose, settings.target, settings.passes, self._least)
            end, guesses = walked(x, way, estimate, self._calibration(plane, wide, exposure, index))
        change = np.zeros_like(plane)
        change[wide] = (end - x) * settings.scale
        if len(guesses) > 1:
            spread[wide] = np.std(guesses, axis=0) * settings.scale
        return np.asarray(plane + _band(change, settings.coarse), np.float32), spread

    def _applied(self, image: Image, listener: Listener, spread: Voxels | None) -> Image:
        settings = self._settings
        exposure = exposure_of(image, self._full, settings.noise, settings.local)
        if exposure is None:
            raise UnsuitableError("The noise of the scan cannot be measured; give it in HU (noise=...).")
        if exposure.dose >= min(settings.target, 1.0):
            return image

        def made(index: int, plane: Voxels, box: Box) -> Voxels:
            clean, deviation = self.taken(plane, box, exposure, index)
            if spread is not None:
                spread[index][box] = deviation[box]
            return clean

        return slice_by_slice(image, made, listener)

    def _wide(self, box: Box, shape: tuple[int, ...]) -> Box:
        """A box with all around it that what is in it depends on, on the raster of the network, counted from the first pixel."""
        around = self._settings.passes * TimedUNet.reach + guide.reach(self._settings.coarse)
        rows, columns = widened(box, around, shape)
        many = TimedUNet.multiple
        return slice(rows.start // many * many, rows.stop), slice(columns.start // many * many, columns.stop)

    def _calibration(self, plane: Voxels, wide: Box, exposure: Exposure, index: int) -> Calibration | None:
        settings = self._settings
        if not settings.calibrate or settings.passes < 2:
            return None
        body = guide.erode(body_plane(guide.smooth(plane), "HU"), _SKIN)[wide]
        return Calibration(body, exposure.fine(index, wide), self._full / settings.scale, self._grain)

    def _estimate(self, x: Voxels, s: Voxels) -> Voxels:
        """R of a part of a slice (rows, columns), strip by strip; `s` on every fourth row and column, or (1, 1)."""
        rows, columns = x.shape
        many, reach = TimedUNet.multiple, TimedUNet.reach
        padded = np.pad(x, ((0, -rows % many), (0, -columns % many)), mode="edge")
        height = max(reach, _STRIP // padded.shape[1] // many * many)
        made = []
        for first in range(0, padded.shape[0], height):
            start, stop = max(0, first - reach), min(padded.shape[0], first + height + reach)
            level = s if s.size == 1 else s[start // many : stop // many]
            strip = self._through(padded[start:stop], level)
            made.append(strip[first - start : first - start + height])
        return np.concatenate(made)[:rows, :columns]

    def _through(self, x: Voxels, s: Voxels) -> Voxels:
        noisy, level = (torch.from_numpy(np.ascontiguousarray(part))[None, None].to(self.device) for part in (x, s))
        noisy = noisy.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.low_precision):
            made = self.network(noisy, level)
        out: Voxels = made.float()[0, 0].cpu().numpy()
        return out


def _band(plane: Voxels, coarse: float) -> Voxels:
    """What the network sees of a slice: all that a wide Gaussian does not pass."""
    return plane - guide.smooth(plane, coarse) if coarse else plane


def _derive(settings: DoseDiffusionSettings) -> tuple[str, Callable[[Voxels], Voxels]] | None:
    coarse = settings.coarse
    return (f"less-gaussian-{coarse:g}", lambda plane: _band(plane, coarse)) if coarse else None


def _guessing(denoiser: TrainedNetwork, dose: float) -> Callable[[Voxels], Voxels]:
    assert isinstance(denoiser, DoseDenoiser)
    return lambda plane: denoiser.taken(plane, None, Exposure.even(dose), 0, guess=True)[0]


def _noise_told(full: float, settings: DoseDiffusionSettings) -> dict[str, Any]:
    """What the model file says of its noise: it is for the doses from the least to full dose."""
    strongest = full / float(np.sqrt(settings.least_dose))
    return {FULL: full, LEAST: settings.least_dose, "noise_level": full, "noise_range": (full, strongest)}


def _grain(noises: ScanNoises) -> float:
    random = np.random.default_rng(0)
    drawn = [plane for source, _ in noises.every() for plane in source.draw(_GRAIN_DRAWS, random)]
    found = [grain_of(plane, np.ones(plane.shape, np.bool_)) for plane in drawn]
    return float(np.mean(found))
