"""ASCON: anatomy-aware supervised contrastive learning (Chen, Gao, Zhang, Shan, MICCAI 2023, arXiv 2307.12225).

A U-Net with attention over channels learns what full dose looks like from low dose: squared error and structural similarity, and
a contrast of features with those of the *reference*, of patches and of pixels (`ascon_game`).

Ours: the pairs. Unless real ones are given (`pairs`), low dose is full dose with noise simulated on it that is like the noise of
low-dose scans of other patients, so that no pairs are needed. And tiles: attention looks at all that is in view, so a slice is
computed in overlapping tiles of the size that was learned, on a raster that does not move with the body.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.learning.data.cohort import Sets
from demottle.learning.data.sampling import PairedPatches
from demottle.learning.run import Run
from demottle.learning.seeding import seeded
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.methods.registry import name_of
from demottle.methods.unpaired.ascon_game import AsconGame, AsconWeights
from demottle.methods.unpaired.beginning import begun, refuse_other_start
from demottle.methods.unpaired.full_band import scaled, to_network
from demottle.methods.unpaired.playing import WARM_UP_PART, key_of, part_before, played, schedule_of
from demottle.methods.unpaired.simulated_noise import NoisyPatches
from demottle.methods.unpaired.trained_network import Box, TrainedNetwork, refuse_other_units
from demottle.methods.unpaired.warm_up import Start, warmed
from demottle.methods.unpaired.watched_game import Draw
from demottle.networks.anatomy_features import AnatomyNetworks
from demottle.networks.channel_attention_unet import ChannelAttentionUNet
from demottle.noise.level import noise_level

NAME = name_of(__name__)
CONTRASTS = ("both", "patch", "pixel")
_LEAST_PATCH, _MULTIPLE = 64, 16
_GROUPED = 8
_LEVELS = 5
_TILES = 8
"""Tiles that go through the network at once."""


@dataclass(frozen=True)
class AsconSettings:
    """Settings of ASCON; the defaults are those of the authors' program, except where it says "ours".

    Attributes:
        pairs: the scans of the two sides are pairs, same names and same slices; else noise is simulated on full dose (ours).
        channels: channels of the generator's first level.
        heads: heads of attention on its levels, from full resolution downward.
        patch: side of a training patch, and of a tile when a scan is denoised; in pixels, a multiple of 16 and at least 64.
        batch: patches of a step.
        steps: steps of training.
        rate: rate of learning of the generator; constant for the first half, then linear to zero.
        warm_up: steps before these in which the generator lowers the mean absolute error alone (ours).
        warm_rate: rate of learning in them.
        error, structure: weights of the mean squared error and of `1 - SSIM`, in units of 3000 HU (ours: the authors' 100 makes
            the error a fiftieth of the other, which hardly sees offsets).
        means: weight of the mean squared error of sums over squares of 8 x 8 pixels, as large as `error` where errors are
            independent and 64 times as large for an offset: it keeps CT numbers (ours).
        share: influence of the contrast: its part of all terms at the start, 0 to below 1; 0: without it (ours: the authors'
            weight of 0.1 is about a tenth of all terms).
        contrast: "both", "patch" or "pixel": which levels it has.
        places: places compared in each patch, at the patch level and at the pixel level.
        feature_channels: channels of the five levels of the features.
        head_width, vector: hidden layer of the heads, and length of the vectors.
        anatomy_rate: rate of learning of the features.
        scale: HU that the networks see as 1: `x = 1/2 + HU / scale` (ours: near the size of noise).
        averaging: decay of the moving average of the weights per step; 0: the last weights (ours).
        check_every: steps between two looks at a criterion that needs no pairs (`learning.validation`), which then decides
            when to end and which weights to keep; 0: the last weights.
        patience: looks without improvement before the training ends.
    """

    pairs: bool = False
    channels: int = 64
    heads: tuple[int, ...] = (1, 2, 4, 8)
    patch: int = 128
    batch: int = 8
    steps: int = 60_000
    rate: float = 2e-4
    warm_up: int = 8000
    warm_rate: float = 2e-4
    error: float = 5000.0
    means: float = 5000.0
    structure: float = 10.0
    share: float = 0.1
    contrast: str = "both"
    places: tuple[int, ...] = (32, 512)
    feature_channels: tuple[int, ...] = (64, 128, 256, 256, 512)
    head_width: int = 1024
    vector: int = 256
    anatomy_rate: float = 2e-4
    scale: float = 200.0
    averaging: float = 0.999
    check_every: int = 0
    patience: int = 10

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.patch < _LEAST_PATCH or self.patch % _MULTIPLE:
            raise InputError(
                f"patch is {self.patch}; it has to be a multiple of {_MULTIPLE} and at least {_LEAST_PATCH}."
            )
        if self.contrast not in CONTRASTS:
            raise InputError(f'contrast is "{self.contrast}"; it has to be one of: {", ".join(CONTRASTS)}.')
        for name in ("batch", "steps", "rate", "warm_rate", "anatomy_rate", "error", "scale", "vector"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} is {getattr(self, name)}; it has to be positive.")
        for name in ("warm_up", "means", "structure", "check_every", "patience"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}; it must not be negative.")
        for name, limit in (("share", self.share), ("averaging", self.averaging)):
            if not 0 <= limit < 1:
                raise InputError(f"{name} is {limit}; it has to be at least 0 and below 1.")
        if len(self.places) != 2 or min(self.places) < 1:
            raise InputError(f"places is {self.places}; it has to be two counts, of patches and of pixels, 1 or more.")
        wide = (*self.feature_channels, self.head_width)
        if len(self.feature_channels) != _LEVELS or any(count < 1 or count % _GROUPED for count in wide):
            raise InputError(
                f"feature_channels is {self.feature_channels} and head_width {self.head_width}; they have to be {_LEVELS} counts "
                f"and one more, all of them multiples of {_GROUPED}."
            )
        with torch.device("meta"):
            self.generator()  # refuses channels and heads that do not go together

    @property
    def of_network(self) -> Mapping[str, Any]:
        """The settings that the generator's weights depend on; they hold for patches of the size they were learned on."""
        return {"channels": self.channels, "heads": tuple(self.heads), "patch": self.patch, "scale": self.scale}

    def generator(self) -> ChannelAttentionUNet:
        """Build the generator."""
        return ChannelAttentionUNet(self.channels, self.heads)  # type: ignore[arg-type]


Settings = AsconSettings


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "small": {
        "channels": 16,
        "heads": (1, 1, 2, 4),
        "patch": 64,
        "batch": 4,
        "steps": 800,
        "warm_up": 2000,
        "warm_rate": 1e-3,
        "places": (8, 128),
        "feature_channels": (16, 32, 64, 64, 128),
        "head_width": 128,
        "vector": 64,
        "averaging": 0.99,
    },
}
"""Settings by the machine they are for: "full" for a GPU, "small" for a processor."""


def train(
    sets: Sets,
    settings: AsconSettings,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    run: Run | None = None,
    listener: Listener = silent,
    start: Denoiser | None = None,
) -> TrainedNetwork:
    """Train on full-dose scans with noise simulated on them, or on pairs; `start`: model of this method to begin with.

    Raises:
        UnsuitableError: for images that are not CT in HU, or low-dose scans whose noise cannot be measured.
        InputError: where pairs are asked for and the sets were not gathered as pairs; for a start of another method or other
            network settings.
    """
    refuse_other_units(NAME, sets)
    refuse_other_start(NAME, settings, start)
    budget, run = budget or Budget(), run or Run()
    key = key_of(NAME, settings, sets, budget, start)
    draw = _patches(sets, settings)
    generator: nn.Module = seeded(lambda: begun(settings.generator(), start), seed)
    if settings.warm_up:
        schedule, budget = part_before(settings.warm_up, settings, budget, run, WARM_UP_PART)
        part = Start(settings.batch, settings.warm_rate, schedule)
        generator = warmed(generator, draw, part, seed=seed, run=run, key=key, listener=listener)
    game = AsconGame(
        draw,
        generator,
        seeded(lambda: _anatomy(settings), seed + 1) if settings.share else None,
        AsconWeights(
            settings.error, settings.means, settings.structure, settings.share, settings.contrast, settings.scale
        ),
        places=(settings.places[0], settings.places[1]),
        batch=settings.batch,
        rate=settings.rate,
        anatomy_rate=settings.anatomy_rate,
    )
    return played(
        game,
        lambda learned, fitted: TileDenoiser(settings, fitted, learned),
        sets,
        schedule_of(settings, budget, run),
        key=key,
        seed=seed,
        run=run,
        listener=listener,
        start=start,
    )


def restore(settings: AsconSettings, fitted: Mapping[str, Any], tensors: Tensors) -> "TileDenoiser":
    """Rebuild a saved network."""
    with torch.device("meta"):  # no memory for what a damaged file claims: its tensors have to fit first
        network = settings.generator()
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}, assign=True)
    return TileDenoiser(settings, fitted, network)


class TileDenoiser(TrainedNetwork):
    """A trained generator that sees a slice tile by tile, each of the size of the patches it has learned from.

    Tiles begin at whole multiples of half their side, counted from the slice's first pixel, whatever is in view; each counts with
    `sin^2` down and across, so that the four which see a pixel count as one.
    """

    def __init__(self, settings: AsconSettings, fitted: Mapping[str, Any], network: nn.Module) -> None:
        """Keep settings and network."""
        super().__init__(NAME, asdict(settings), fitted, network)
        self._side, self._scale = settings.patch, settings.scale

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Denoise every slice by itself; an image without noise is handed back as it is."""
        return image if noise_level(image) == 0 else super().__call__(image, listener)

    def plane(self, plane: Voxels, box: Box | None = None) -> Voxels:
        """Denoise one slice in HU; outside of `box` nothing changes, and what is in it does not depend on it."""
        rows, columns = box or (slice(0, plane.shape[0]), slice(0, plane.shape[1]))
        side, step = self._side, self._side // 2
        wide = np.pad(plane, side, mode="edge")
        change = np.zeros(wide.shape, np.float32)
        window = tile_window(side)
        corners = [(row, column) for row in _starts(rows, step) for column in _starts(columns, step)]
        for first in range(0, len(corners), _TILES):
            places = [
                (slice(r + side, r + 2 * side), slice(c + side, c + 2 * side))
                for r, c in corners[first : first + _TILES]
            ]
            for place, found in zip(places, self._change(np.stack([wide[place] for place in places])), strict=True):
                change[place] += window * found
        out = plane.copy()
        out[rows, columns] += change[side:, side:][rows, columns]
        return out

    def _change(self, tiles: Voxels) -> Voxels:
        """What the generator adds to tiles (count, side, side), in HU."""
        x = to_network(torch.from_numpy(tiles)[:, None].to(self.device), self._scale)
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.low_precision):
            made = self.network(x)
        change: Voxels = ((made.float() - x) * self._scale)[:, 0].cpu().numpy()
        return change


def tile_window(side: int) -> Voxels:
    """Weights of a tile (side, side): tiles that overlap by half of it add up to 1."""
    line = np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2
    return np.outer(line, line).astype(np.float32)


def _starts(part: slice, step: int) -> range:
    """First pixels of the tiles, 2 `step` long, that a part of a row or column needs."""
    return range((part.start // step - 1) * step, part.stop, step)


def _patches(sets: Sets, settings: AsconSettings) -> Draw:
    if not settings.pairs:
        return scaled(NoisyPatches(sets, settings.patch), settings.scale)
    if not sets.manifest.get("paired"):
        raise InputError(f"{NAME} is to learn from pairs, but these scans were not gathered as pairs.")
    return scaled(PairedPatches(sets, settings.patch), settings.scale)


def _anatomy(settings: AsconSettings) -> AnatomyNetworks:
    a, b, c, d, e = settings.feature_channels
    return AnatomyNetworks((a, b, c, d, e), settings.head_width, settings.vector)
