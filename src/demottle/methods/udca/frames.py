"""What UDCA's students see of a sequence, and what they make of it: one frame and a memory in, one frame and a memory out.

Both modules map (frame, state, spread) to (clean frame, state, spread), all (batch, 1, rows, columns), rows and columns
divisible by `multiple`, in the image's unit. With s the noise deviation at the local signal:

- `CausalFrames` averages frames recursively where they agree. State y and spread v (the variance of its noise in units of a
  frame's) become `y + w (x - y)` and `w^2 + (1 - w)^2 v` with `w = max(weight, v / (1 + v))`, the best average of all frames
  since the last change, raised to 1 where 4 x 4 pixels around differ from the memory by more than their noise. The network
  sees `(x - y) / s`, y over its surroundings in units of s, and `log v`; its answer r gives `y + s r`. No delay.
- `SingleFrame` sees nothing but the frame, as published, and gives `x + s r`.
"""

import copy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.learning.device import has_fast_bfloat16
from demottle.methods.udca.noise import FrameNoise

CAUSAL_INPUTS, SINGLE_INPUTS = 3, 2
_BLOCK = 8  # pixels across which the local signal is averaged
_FINE_RANGE = 8.0
_COARSE_RANGE = 24.0
_AGREE, _DIFFER = 2.2, 4.5  # deviations of a mean over 4 x 4 pixels


class _Frames(nn.Module):
    """What both have in common: the noise, and the network in half precision where that is fast."""

    knots: Tensor
    bends: Tensor

    def __init__(self, network: nn.Module, noise: FrameNoise) -> None:
        super().__init__()
        self.network = network
        self.multiple = max(_BLOCK, int(network.multiple))  # type: ignore[arg-type]
        self.low_precision = has_fast_bfloat16()
        self._settled: list[nn.Module] = []  # a list, so that it is not part of what is saved
        self.pooled = noise.pooled
        signal, deviation = noise.curve.signal, noise.curve.deviation
        self.first, self.usual = float(deviation[0]), noise.curve.level
        slopes = np.concatenate([[0.0], np.diff(deviation) / np.diff(signal), [0.0]])
        self.register_buffer("knots", torch.tensor(signal, dtype=torch.float32), persistent=False)
        self.register_buffer("bends", torch.tensor(np.diff(slopes), dtype=torch.float32), persistent=False)

    def surroundings(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Mean of 8 x 8 pixels, interpolated between the blocks' middles, and the noise deviation at it."""
        blocks = functional.avg_pool2d(image, _BLOCK)
        # The noise curve, linear between its knots, as a sum of bends: it runs on blocks and on any engine.
        above = (blocks.unsqueeze(-1) - self.knots).clamp(min=0)
        deviation = self.first + (above * self.bends).sum(-1)
        least = 0.1 * self.usual
        return _interpolated(blocks, image), _interpolated(deviation.clamp(min=least), image)

    def settle(self) -> None:
        """Say that learning is over: where half precision pays, the weights are brought to it once and not for each frame."""
        self.eval()
        self._settled = [copy.deepcopy(self.network).to(torch.bfloat16)] if self.low_precision else []

    def _answer(self, *inputs: Tensor) -> Tensor:
        seen = torch.cat(inputs, dim=1).contiguous(memory_format=torch.channels_last)
        if self._settled and self.low_precision and torch.is_inference_mode_enabled():
            quick: Tensor = self._settled[0](seen.to(torch.bfloat16))
            return quick.float()
        with torch.autocast(seen.device.type, torch.bfloat16, enabled=self.low_precision):
            answer: Tensor = self.network(seen)
        return answer.float()


class CausalFrames(_Frames):
    """The light student's frame: it remembers, and never waits.

    Args:
        network: (batch, 3, rows, columns) to (batch, 1, rows, columns).
        noise: noise of the frames.
        weight: weight of a new frame in the memory in the long run.
    """

    def __init__(self, network: nn.Module, noise: FrameNoise, weight: float) -> None:
        """Keep them."""
        super().__init__(network, noise)
        self.weight = weight

    def forward(self, x: Tensor, state: Tensor, spread: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the clean frame and the new memory."""
        around, sigma = self.surroundings(state)
        state, spread = self.remember(x, state, spread, sigma)
        seen = torch.cat(self.seen(x, state, spread, around, sigma), dim=1)
        if self.training:
            return state + sigma * self._answer(seen), state, spread
        # The network pads with zeros; beyond the picture's rim these show in no pixel.
        rim = self.multiple // 2
        answer = self._answer(functional.pad(seen, (rim, rim, rim, rim), mode="replicate"))
        return state + sigma * answer[..., rim:-rim, rim:-rim], state, spread

    @staticmethod
    def seen(x: Tensor, state: Tensor, spread: Tensor, around: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the network sees of a frame that the memory has taken in; all in units of the noise."""
        return (
            ((x - state) / sigma).clamp(-_FINE_RANGE, _FINE_RANGE),
            ((state - around) / sigma).clamp(-_COARSE_RANGE, _COARSE_RANGE),
            0.5 * spread.log(),
        )

    def remember(self, x: Tensor, state: Tensor, spread: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Take a frame into the memory; returns state and spread."""
        apart = _pooled((x - state) / sigma).abs() / (self.pooled * (1 + _pooled(spread)).sqrt())
        t = ((apart - _AGREE) / (_DIFFER - _AGREE)).clamp(0, 1)
        moved = t * t * (3 - 2 * t)
        w = (spread / (1 + spread)).clamp(min=self.weight)
        w = w + (1 - w) * moved
        return state + w * (x - state), w**2 + (1 - w) ** 2 * spread


class SingleFrame(_Frames):
    """The published student's frame: no memory.

    Args:
        network: (batch, 2, rows, columns) to (batch, 1, rows, columns).
        noise: noise of the frames.
    """

    def forward(self, x: Tensor, state: Tensor, spread: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the clean frame; the memory passes through."""
        around, sigma = self.surroundings(x)
        answer = self._answer(((x - around) / sigma).clamp(-_COARSE_RANGE, _COARSE_RANGE), (sigma / self.usual).log())
        return x + sigma * answer, state, spread


def _pooled(image: Tensor) -> Tensor:
    """Mean of 4 x 4 pixels, at every other pixel, interpolated in between."""
    padded = functional.pad(image, (1, 1, 1, 1), mode="replicate")
    return _interpolated(functional.avg_pool2d(padded, 4, stride=2), image)


def _interpolated(image: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(image, size=like.shape[-2:], mode="bilinear", align_corners=False)
