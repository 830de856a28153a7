"""PDML: patch-wise deep metric learning for unpaired low-dose CT (Jung, Lee, You, Ye, MICCAI 2022, arXiv 2207.02377).

Only the high band h of a slice goes through the generator G; the rest, and with it CT numbers at the scale of organs, is
passed on: `result = slice + P (G(h) - h)`, where P takes the high band again, so that an offset of G is not passed on (an
addition of ours). G is taught by a discriminator that knows full-dose slices of other patients, by leaving full-dose slices alone
(identity), and by a metric loss on its own features.

Ours, and part of the presets "full" and "small": a generator with plain weights that adds to its input, a start on noise
simulated on full-dose slices, and that noise as a further loss of the game. The preset "paper" is the paper's method alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.learning.data.cohort import Sets
from demottle.learning.data.sampling import Derive, UnpairedPatches
from demottle.learning.players import Share
from demottle.learning.run import Run
from demottle.learning.seeding import seeded
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.methods.registry import name_of
from demottle.methods.unpaired.beginning import begun, refuse_other_start
from demottle.methods.unpaired.pdml_game import MetricGame, Weights
from demottle.methods.unpaired.playing import WARM_UP_PART, key_of, part_before, played, schedule_of
from demottle.methods.unpaired.simulated_noise import NoisyPatches, SimulatedNoise
from demottle.methods.unpaired.trained_network import Box, TrainedNetwork, refuse_other_units, widened
from demottle.methods.unpaired.warm_up import Start, warmed
from demottle.methods.unpaired.watched_game import Draw
from demottle.methods.unpaired.wavelet_band import KEY, MOST_LEVELS, WAVELET, high_band, refuse_other_levels
from demottle.networks.patch_discriminator import PatchDiscriminator
from demottle.networks.residual_dense import ResidualDense, normalized, plain_weights

NAME = name_of(__name__)
_MOST_BLOCKS = 64
_OF_NETWORK = ("levels", "features", "growth", "blocks", "shared", "spectral", "residual", "skip", "scale")
REACH = 20
"""Pixels around the body that are computed too."""
_STRIP, _STRIP_ON_GPU = 2**16, 2**20
"""Pixels that go through the network at once: on a processor few enough for its cache, which makes it twice as fast."""


@dataclass(frozen=True)
class PdmlSettings:
    """Settings of PDML; the defaults are the paper's and its program's, except where it says "ours" (preset "paper": without).

    Attributes:
        levels: levels of the wavelet decomposition whose approximation bypasses the network; 0: the whole slice goes through it.
        reproject: take the high band of what the generator makes (ours).
        features, growth, blocks: features, growth and blocks of the generator.
        shared: its blocks are one and the same.
        spectral: its convolutions are spectrally normalized, as in the paper (ours: not).
        residual: part of what a block computes that is added to its input; 0.1 in the paper.
        skip: the generator adds to its input (ours).
        width: channels of the discriminator's first layer.
        patch: side of a training patch in pixels, a multiple of 8.
        margin: pixels that patches keep from the border of a slice.
        batch: patches of a step.
        steps: steps of training.
        rate: rate of learning; constant for the first half, then linear to zero.
        warm_up: steps before these in which the generator learns to remove noise simulated on full-dose slices (ours, `warm_up`).
        warm_rate: rate of learning in them.
        simulated: weight of the same loss in the game (ours).
        adversarial, identity, metric: weights of the paper's losses.
        contrast: what pulls places together: "metric" (tau 0.15, 128 places) or "nce" (tau 0.07, 256 places).
        scale: HU that the network sees as 1.
        averaging: decay of the moving average of the weights per step; 0: the last weights (ours: the paper keeps the
            weights that do best on pairs).
        check_every: steps between two looks at a criterion that needs no pairs (`learning.validation`), which then decides
            when to end and which weights to keep; 0: the last weights.
        patience: looks without improvement before the training ends.
    """

    levels: int = 6
    reproject: bool = True
    features: int = 32
    growth: int = 8
    blocks: int = 3
    shared: bool = False
    spectral: bool = False
    residual: float = 0.5
    skip: bool = True
    width: int = 32
    patch: int = 128
    margin: int = 30
    batch: int = 8
    steps: int = 78_000
    rate: float = 2e-4
    warm_up: int = 8000
    warm_rate: float = 1e-3
    simulated: float = 10.0
    adversarial: float = 0.1
    identity: float = 1.0
    metric: float = 0.01
    contrast: str = "metric"
    scale: float = 50.0
    averaging: float = 0.999
    check_every: int = 0
    patience: int = 10

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.patch < 16 or self.patch % 8:
            raise InputError(f"patch is {self.patch}; it has to be a multiple of 8 and at least 16.")
        if self.contrast not in ("metric", "nce"):
            raise InputError(f'contrast is "{self.contrast}"; it has to be "metric" or "nce".')
        for name in (
            "features",
            "growth",
            "blocks",
            "width",
            "batch",
            "steps",
            "rate",
            "warm_rate",
            "residual",
            "scale",
        ):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} is {getattr(self, name)}; it has to be positive.")
        if self.levels > MOST_LEVELS:
            raise InputError(f"levels is {self.levels}; more than {MOST_LEVELS} are not possible.")
        if self.blocks > _MOST_BLOCKS:
            raise InputError(f"blocks is {self.blocks}; more than {_MOST_BLOCKS} are not possible.")
        for name in ("levels", "margin", "adversarial", "identity", "metric", "simulated", "warm_up", "check_every"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}; it must not be negative.")
        if not 0 <= self.averaging < 1:
            raise InputError(f"averaging is {self.averaging}; it has to be at least 0 and below 1.")

    @property
    def of_network(self) -> Mapping[str, Any]:
        """The settings that the generator's weights depend on."""
        return {name: getattr(self, name) for name in _OF_NETWORK}


Settings = PdmlSettings


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "small": {
        "features": 16,
        "width": 8,
        "patch": 48,
        "margin": 8,
        "batch": 4,
        "steps": 800,
        "rate": 5e-4,
        "warm_up": 2000,
        "averaging": 0.99,
    },
    "paper": {
        "shared": True,
        "spectral": True,
        "residual": 0.1,
        "skip": False,
        "warm_up": 0,
        "simulated": 0.0,
        "adversarial": 1.0,
        "identity": 5.0,
        "metric": 0.1,
        "scale": 2000.0,
    },
}
"""Settings by the machine they are for, "full" for a GPU and "small" for a processor; "paper": as published, for a GPU.

At 50 HU as 1 noise is about 1 to the networks: in few steps a discriminator hardly sees noise of 0.02. The paper's weights of
identity and metric, which both ask for the input back, undo at that scale what the start on simulated noise has gained
(docs/decisions/0020-unpaired-earlier-settings.md).
"""


def train(
    sets: Sets,
    settings: PdmlSettings,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    run: Run | None = None,
    listener: Listener = silent,
    start: Denoiser | None = None,
) -> TrainedNetwork:
    """Train on unpaired sets; `start`: model of this method whose weights it begins with.

    Raises:
        UnsuitableError: for images that are not CT in HU.
        InputError: for a start of another method or other network settings.
    """
    refuse_other_units(NAME, sets)
    refuse_other_start(NAME, settings, start)
    budget, run = budget or Budget(), run or Run()
    key = key_of(NAME, settings, sets, budget, start)
    generator: nn.Module = seeded(lambda: begun_network(settings, start), seed)
    noisy = band_patches(NoisyPatches, sets, settings) if settings.warm_up or settings.simulated else None
    if settings.warm_up and noisy:
        schedule, budget = part_before(settings.warm_up, settings, budget, run, WARM_UP_PART)
        part = Start(settings.batch, settings.warm_rate, schedule)
        generator = warmed(generator, noisy, part, seed=seed, run=run, key=key, listener=listener)
    game = MetricGame(
        draw=band_patches(UnpairedPatches, sets, settings),
        generator=cast(ResidualDense, generator),
        discriminator=lambda: PatchDiscriminator(settings.width),
        weights=Weights(settings.adversarial, settings.identity, settings.metric, settings.contrast),
        batch=settings.batch,
        rate=settings.rate,
        seed=seed,
        simulated=SimulatedNoise(noisy, settings.simulated) if settings.simulated and noisy else None,
    )
    return played(
        game,
        lambda learned, fitted: MetricDenoiser(settings, with_levels(settings, fitted), plain_of(settings, learned)),
        sets,
        schedule_of(settings, budget, run),
        key=key,
        seed=seed,
        run=run,
        listener=listener,
        start=start,
    )


def band_patches(patches: Callable[[Sets, int, int, Derive | None], Draw], sets: Sets, settings: PdmlSettings) -> Draw:
    """Draw patches (`UnpairedPatches`, `PairedPatches`, `NoisyPatches`) of the band that the network sees, as it sees it."""
    levels = settings.levels
    derive = (f"{WAVELET}-{levels}-mirrored", lambda plane: high_band(plane, levels)) if levels else None
    draw = patches(sets, settings.patch, settings.margin, derive)
    offset = _offset(settings)

    def scaled(share: Share) -> tuple[torch.Tensor, torch.Tensor]:
        low, full = draw(share)
        return (low + offset) / settings.scale, (full + offset) / settings.scale

    return scaled


def with_levels(settings: PdmlSettings, fitted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add to what was fitted how many wavelet levels the slices had."""
    return {**fitted, KEY: settings.levels}


def _offset(settings: PdmlSettings) -> float:
    return 0.0 if settings.levels else 1000.0  # a band has no offset


def restore(settings: PdmlSettings, fitted: Mapping[str, Any], tensors: Tensors) -> "MetricDenoiser":
    """Rebuild a saved network."""
    with torch.device("meta"):  # no memory for what a damaged file claims: its tensors have to fit first
        network = network_of(settings, normalized=False)
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}, assign=True)
    return MetricDenoiser(settings, fitted, network)


class MetricDenoiser(TrainedNetwork):
    """A trained generator with the wavelet band around it."""

    network: ResidualDense

    def __init__(self, settings: PdmlSettings, fitted: Mapping[str, Any], network: ResidualDense) -> None:
        """Keep settings and network (with plain weights)."""
        super().__init__(NAME, asdict(settings), fitted, network)
        self._settings = settings

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Denoise every slice by itself.

        Raises:
            UnsuitableError: for slices with other wavelet levels than those it was trained on.
        """
        refuse_other_levels(self._settings.levels, self.fitted, image.shape)
        return super().__call__(image, listener)

    def plane(self, plane: Voxels, box: Box | None = None) -> Voxels:
        """Denoise one slice in HU; outside of `box` and some pixels around it nothing changes."""
        settings = self._settings
        band = high_band(plane, settings.levels)
        wide = widened(box or (slice(0, plane.shape[0]), slice(0, plane.shape[1])), REACH, plane.shape)
        change = np.zeros_like(plane)
        with torch.inference_mode():
            change[wide] = self._made(band, wide) - band[wide]
        if settings.reproject:
            change = high_band(change, settings.levels)
        return np.asarray(plane + change, np.float32)

    def _made(self, band: Voxels, box: Box) -> Voxels:
        """What the generator makes of a band (rows, columns) within a box, in HU, a strip of rows after the other."""
        offset, scale, reach = _offset(self._settings), self._settings.scale, self.network.reach
        rows, columns = box
        # As the convolutions continue a patch they were trained on; read-only views of the band elsewhere.
        around = np.pad(band, reach, mode="edge")[:, columns.start : columns.stop + 2 * reach]
        strip_of = _STRIP if self.device.type == "cpu" else _STRIP_ON_GPU
        height = max(reach, strip_of // around.shape[1])
        made = []
        for first in range(rows.start, rows.stop, height):
            strip = around[first : min(first + height, rows.stop) + 2 * reach]
            x = (torch.from_numpy(np.array(strip))[None, None].to(self.device) + offset) / scale
            x = x.contiguous(memory_format=torch.channels_last)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.low_precision):
                features = self.network.inner_features(x)
            # The last layer in full precision: bfloat16 has steps of 2 HU at 500 HU.
            out = self.network.inner_output(features.float())
            if self.network.skip:
                out = out + x[..., reach:-reach, reach:-reach]
            made.append((out * scale - offset)[0, 0].cpu().numpy())
        return np.concatenate(made)


def plain_of(settings: PdmlSettings, generator: nn.Module) -> ResidualDense:
    """Return a trained generator with plain weights, normalization carried out."""
    network = network_of(settings, normalized=False)
    network.load_state_dict(plain_weights(generator))
    return network


def begun_network(settings: PdmlSettings, start: Denoiser | None) -> ResidualDense:
    """Build the generator as it learns, with the weights of a model where there is one."""
    if start is None:
        return network_of(settings, normalized=settings.spectral)
    network = begun(network_of(settings, normalized=False), start)
    return normalized(network) if settings.spectral else network


def network_of(settings: PdmlSettings, normalized: bool) -> ResidualDense:
    """Build the generator, as it learns or with the plain weights of a model file."""
    return ResidualDense(
        settings.features,
        settings.growth,
        settings.blocks,
        settings.shared,
        normalized,
        settings.residual,
        settings.skip,
    )
