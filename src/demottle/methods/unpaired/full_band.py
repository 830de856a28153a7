"""What the CycleGAN family shares: its generator, and values on their way to it and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.learning.players import Share
from demottle.methods.base import Tensors
from demottle.methods.unpaired.trained_network import Box, TrainedNetwork, widened
from demottle.methods.unpaired.watched_game import Draw
from demottle.networks.attention_unet import SOFT_TISSUE, AttentionUNet
from demottle.noise.level import noise_level

REACH = 48
"""Pixels around the body's box that the generator is shown: it sees further, but there is only air."""
SCALE = 2000.0
"""HU that the specification has as 1; the weights of absolute errors belong to it."""


@dataclass(frozen=True)
class GeneratorSettings:
    """Settings that the methods with this generator share.

    Attributes:
        channels: channels of the generator's levels, from full resolution downward.
        blocks: residual blocks at its bottom; 0 for two plain convolutions.
        attention: gate its skips.
        patch: side of a training patch in pixels.
        batch: patches of a step, of each side.
        steps: steps of training.
        rate: rate of learning; constant for the first half, then linear to zero.
        scale: HU that the networks see as 1: `x = 1/2 + HU / scale`, which is `(HU + 1000) / 2000` at 2000; ours is nearer to the
            size of noise, which a short training sees better.
        averaging: decay of the moving average of the weights per step; 0: the last weights.
        check_every: steps between two looks at a criterion that needs no pairs (`learning.validation`), which then decides
            when to end and which weights to keep; 0: the last weights.
        patience: looks without improvement before the training ends.
    """

    channels: tuple[int, ...] = (64, 128, 256, 512)
    blocks: int = 9
    attention: bool = True
    patch: int = 128
    batch: int = 8
    steps: int = 78_000
    rate: float = 2e-4
    scale: float = 200.0
    averaging: float = 0.999
    check_every: int = 0
    patience: int = 10

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        many = max(16, 2 ** (len(self.channels) - 1))  # 16: of the feature extractor
        if self.patch < 32 or self.patch % many:
            raise InputError(f"patch is {self.patch}; it has to be a multiple of {many} and at least 32.")
        if len(self.channels) < 2 or min(self.channels) < 1:
            raise InputError(
                f"channels is {self.channels}; the generator needs two levels or more, none of them empty."
            )
        for name in ("batch", "steps", "rate", "scale"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} is {getattr(self, name)}; it has to be positive.")
        for name in ("blocks", "check_every", "patience"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}; it must not be negative.")
        if not 0 <= self.averaging < 1:
            raise InputError(f"averaging is {self.averaging}; it has to be at least 0 and below 1.")

    @property
    def of_network(self) -> Mapping[str, Any]:
        """The settings that the generator's weights depend on."""
        return {name: getattr(self, name) for name in ("channels", "blocks", "attention", "scale")}

    def generator(self) -> AttentionUNet:
        """Build the generator."""
        return AttentionUNet(self.channels, self.blocks, self.attention)


SMALL: Mapping[str, Any] = {
    "channels": (16, 32, 64),
    "blocks": 2,
    "patch": 48,
    "batch": 4,
    "steps": 2000,
    "rate": 1e-3,
    "averaging": 0.99,
}
"""The shared part of the preset for a processor: a look at how it goes."""


class FullBandDenoiser(TrainedNetwork):
    """A trained generator that sees whole slices."""

    network: AttentionUNet

    def __init__(self, name: str, settings: GeneratorSettings, fitted: Mapping[str, Any], network: nn.Module) -> None:
        """Keep settings and network."""
        super().__init__(name, asdict(settings), fitted, network)
        self._scale = settings.scale

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Denoise every slice by itself; an image without noise is handed back as it is."""
        return image if noise_level(image) == 0 else super().__call__(image, listener)

    def plane(self, plane: Voxels, box: Box | None = None) -> Voxels:
        """Denoise one slice in HU; outside of `box` and some pixels around it nothing changes."""
        rows, columns = widened(box or (slice(0, plane.shape[0]), slice(0, plane.shape[1])), REACH, plane.shape)
        many = self.network.multiple
        # Begin on the generator's own raster, so that the result does not depend on where exactly the body begins.
        wide = slice(rows.start // many * many, rows.stop), slice(columns.start // many * many, columns.stop)
        out = plane.copy()
        out[wide] += self._change(plane[wide])
        return out

    def _change(self, part: Voxels) -> Voxels:
        """What the generator adds to a part of a slice (rows, columns), in HU."""
        x = to_network(torch.from_numpy(np.array(part))[None, None].to(self.device), self._scale)
        rows, columns = part.shape
        many = self.network.multiple
        x = functional.pad(x, (0, -columns % many, 0, -rows % many), mode="replicate")
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.low_precision):
            made = self.network(x)
        change: Voxels = ((made.float() - x) * self._scale)[0, 0, :rows, :columns].cpu().numpy()
        return change


def to_network(values: Tensor, scale: float) -> Tensor:
    """HU as the networks see them: `1/2 + HU / scale`, unclipped."""
    return SOFT_TISSUE + values / scale


def scaled(draw: Draw, scale: float) -> Draw:
    """Let patches in HU be drawn as the networks see them."""

    def drawn(share: Share) -> tuple[Tensor, Tensor]:
        low, full = draw(share)
        return to_network(low, scale), to_network(full, scale)

    return drawn


def restored(name: str, settings: GeneratorSettings, fitted: Mapping[str, Any], tensors: Tensors) -> FullBandDenoiser:
    """Rebuild a saved network."""
    network = settings.generator()
    network.load_state_dict({key: torch.from_numpy(np.array(value)) for key, value in tensors.items()})
    return FullBandDenoiser(name, settings, fitted, network)
