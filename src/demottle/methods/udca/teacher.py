"""UDCA's first step: the teacher predicts a hidden frame from the frames around it."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from demottle.image import Voxels
from demottle.learning.device import best_device, has_fast_bfloat16
from demottle.losses.neighbors import bounded_square
from demottle.methods.udca.clip import Clip
from demottle.methods.udca.draws import Draws
from demottle.methods.udca.settings import UdcaSettings
from demottle.methods.udca.stacks import Stacks

_RANGE = 24.0
_BLOCK = 8


class Teacher(nn.Module):
    """The teacher in the image's unit: `m + s r`, m the mean of the neighbors, s the noise, r the network's answer.

    The network sees every neighbor less the local mean of m, in units of s.

    Shapes: neighbors (batch, frames, rows, columns) and deviation (batch, 1, rows, columns) to (batch, 1, rows, columns).
    """

    def __init__(self, network: nn.Module) -> None:
        """Keep the network."""
        super().__init__()
        self.network = network
        self.multiple = max(_BLOCK, int(network.multiple))  # type: ignore[arg-type]
        self.low_precision = has_fast_bfloat16()

    def forward(self, neighbors: Tensor, deviation: Tensor) -> Tensor:
        """Return the predicted frame."""
        mean = neighbors.mean(dim=1, keepdim=True)
        around = functional.interpolate(
            functional.avg_pool2d(mean, _BLOCK), size=mean.shape[-2:], mode="bilinear", align_corners=False
        )
        seen = ((neighbors - around) / deviation).clamp(-_RANGE, _RANGE).contiguous(memory_format=torch.channels_last)
        with torch.autocast(seen.device.type, torch.bfloat16, enabled=self.low_precision):
            answer: Tensor = self.network(seen)
        return mean + deviation * answer.float()


class TeacherLesson:
    """Draws patches and compares what the teacher predicts with the hidden frame, in units of its noise."""

    def __init__(self, clips: Sequence[Clip], settings: UdcaSettings, seed: int) -> None:
        """Take the settings that matter to it."""
        self._patch, self._outlier = settings.patch, settings.outlier
        self._draws = Draws(clips, settings.patch, settings.batch, seed)
        self.device = best_device()
        self._stacks = {
            id(clip): Stacks({"x": clip.frames, "deviation": clip.deviation, "run": clip.run.frames}, self.device)
            for clip in clips
        }

    def loss(self, teacher: nn.Module) -> Tensor:
        """Mean squared error, errors beyond `outlier` deviations counting linearly.

        Squares, because noise is skewed and a median of it is not its mean.
        """
        clip, places, turn = self._draws.next()
        stacks = self._stacks[id(clip)]

        neighbors = []
        for other in clip.around[places[:, 0]].T:
            there = np.column_stack([other, places[:, 1:]])
            neighbors.append(turn(stacks.cut("run", there, self._patch)))
        x, sigma = (turn(stacks.cut(name, places, self._patch)) for name in ("x", "deviation"))
        error = (teacher(torch.cat(neighbors, dim=1), sigma) - x) / sigma
        out: Tensor = bounded_square(error, torch.full_like(error, self._outlier)).mean()
        return out


def predictions(teacher: Teacher, clip: Clip) -> Voxels:
    """Let the teacher predict every example of a clip; float32 (examples, rows, columns)."""
    device = next(teacher.parameters()).device
    out = np.empty_like(clip.frames)
    rows, columns = clip.frames.shape[1:]
    pad = (0, -columns % teacher.multiple, 0, -rows % teacher.multiple)
    with torch.inference_mode():
        for index, (around, sigma) in enumerate(zip(clip.around, clip.deviation, strict=True)):
            both = (clip.run.frames[around], sigma[None])
            seen, level = (functional.pad(torch.from_numpy(a)[None].to(device), pad, mode="replicate") for a in both)
            out[index] = teacher(seen, level)[0, 0, :rows, :columns].cpu().numpy()
    return out
