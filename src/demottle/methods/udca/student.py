"""UDCA's second step: the student learns from the teacher (UNS), from the recursive average (CNS), and from its own frame.

With G the student's answer, T the teacher's, R the recursive average, s the noise deviation, W the motion (0 still, 1 moving)
and c how far R can be believed, all errors in units of s:

    UNS    uns W' |G - T|            W' = W where fused, else 1
    CNS    cns (1 - W) c |G - R|
    edges  edges |(1 - W) c (H(G) - H(R))|
    own    in some patches G sees x + a n, with noise n like the frame's, and is compared with x - n / a, whose noise is
           independent of what it sees (Recorrupted-to-Recorrupted, CVPR 2021); it weighs where T and R cannot be believed

`| |` is a square that becomes linear for outliers, or the absolute value as published. Only `own` knows where a wire is that
jumps from frame to frame: what hides the frame cannot.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from demottle.image import Voxels
from demottle.learning.data.faint_wires import faint_wires
from demottle.learning.data.structures import random_structures
from demottle.learning.device import best_device
from demottle.losses.edge_preserving import edge_preserving
from demottle.losses.motion_fusion import released_fusion
from demottle.losses.neighbors import bounded_square
from demottle.losses.wire_contrast import contrast_lost
from demottle.methods.udca.clip import Clip
from demottle.methods.udca.draws import Draws
from demottle.methods.udca.noise import pooled_deviation
from demottle.methods.udca.settings import UdcaSettings
from demottle.methods.udca.stacks import Stacks
from demottle.noise.synthesis import NoiseSource

_APPEARED, _GONE = 1, 2
_STRONGER = 4.0  # most times that structures are stronger than `random_structures` draws them
_AGREE, _DIFFER = 2.0, 4.0  # deviations of a mean over 5 x 5 pixels

Answer = Callable[[nn.Module, dict[str, Tensor]], Tensor]
"""How a student is asked: from patches (x, deviation, state, memory) to its frame."""


class StudentLesson:
    """Draws batches and computes the student's loss."""

    def __init__(
        self,
        clips: Sequence[Clip],
        taught: Sequence[Voxels],
        settings: UdcaSettings,
        spectrum: Voxels,
        answer: Answer,
        seed: int,
    ) -> None:
        """Keep clips, the teacher's predictions for them, and the spectrum that noise is drawn with."""
        self._settings, self._answer = settings, answer
        self._draws = Draws(clips, settings.patch, settings.batch, seed)
        self._noise = NoiseSource(spectrum, settings.patch)
        self._pooled = pooled_deviation(spectrum, 5)
        self.device = best_device()
        self._stacks = {
            id(clip): Stacks(_arrays_of(clip, frames), self.device) for clip, frames in zip(clips, taught, strict=True)
        }

    def loss(self, student: nn.Module) -> Tensor:
        """Draw a batch and return its loss, in units of the noise variance."""
        settings = self._settings
        patches = self._with_structures(self._patches())
        x, sigma = patches["x"], patches["deviation"]
        own = round(settings.own_share * settings.batch) if settings.own > 0 else 0
        corrupted, target = self._recorrupted(x, sigma, own)
        output = self._answer(student, {**patches, "x": corrupted})
        trusted_t, trusted_r, released = self._trust(patches, output)
        uns = self._error((output - patches["teacher"]) / sigma)
        cns = self._error((output - patches["recursive"]) / sigma)
        loss = (settings.uns * trusted_t * uns + settings.cns * trusted_r * cns)[own:].sum()
        if own:
            doubt = (1 - torch.maximum(trusted_t, trusted_r)[:own]).clamp(min=0.05)
            limit = torch.full_like(sigma[:own], settings.outlier * (1 + settings.own**-2) ** 0.5)
            loss = loss + (doubt * bounded_square((output[:own] - target) / sigma[:own], limit)).sum()
        loss = loss / x.numel()
        if settings.edges:
            weight = trusted_r if released is None else released
            loss = loss + settings.edges * edge_preserving(output / sigma, patches["recursive"] / sigma, weight)
        wired = self._wired()
        if wired:
            lost = (trusted_r * (output - patches["recursive"]) / sigma)[-wired:]
            loss = loss + settings.wires * wired / len(x) * contrast_lost(lost, patches["wires"])
        return loss

    def _wired(self) -> int:
        """How many patches have thin wires drawn into them: the last ones."""
        return -(-self._structured() // 2) if self._settings.wires and self._settings.cns > 0 else 0

    def _structured(self) -> int:
        return round(self._settings.structured_share * self._settings.batch)

    def _error(self, error: Tensor) -> Tensor:
        if self._settings.penalty == "absolute":
            return error.abs()
        return bounded_square(error, torch.full_like(error, self._settings.outlier))

    def _trust(self, patches: dict[str, Tensor], output: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """How far T and R are believed at each pixel, and the released matrix where it is asked for."""
        one = torch.ones_like(output)
        if self._settings.fusion == "noise":
            # Where one of the two is switched off, the other is believed as far as it can be, everywhere.
            still = (1 - patches["motion"]) * patches["sure"] if self._settings.cns > 0 else 0 * one
            moving = (1 - still) * self._plausible(patches) if self._settings.uns > 0 else 0 * one
            return moving, still, None
        if self._settings.fusion == "released":
            low = min(float(patches[name].min()) for name in ("x", "teacher", "recursive"))
            width = max(float(patches["x"].max()) - low, 1e-6)  # the published form wants images in 0 to 1
            g, r, t, x = (
                (image - low) / width for image in (output, *(patches[k] for k in ("recursive", "teacher", "x")))
            )
            return one, one, released_fusion(g, r, t, x)
        return one, one, None

    def _plausible(self, patches: dict[str, Tensor]) -> Tensor:
        """1 where the teacher's frame differs from the frame itself by no more than noise, over 5 x 5 pixels."""
        apart = (patches["x"] - patches["teacher"]) / patches["deviation"]
        apart = functional.avg_pool2d(apart, 5, stride=1, padding=2, count_include_pad=False).abs() / self._pooled
        return 1 - ((apart - _AGREE) / (_DIFFER - _AGREE)).clamp(0, 1)

    def _with_structures(self, patches: dict[str, Tensor]) -> dict[str, Tensor]:
        """Add random structures to the last patches: standing still, just appeared (not in the memory), or just gone.

        The very last ones get thin faint wires, which are at rest, or have just come to where they are.
        """
        count, wired = self._structured(), self._wired()
        if not count:
            return patches
        random, size = self._draws.random, self._settings.patch
        drawn = random_structures(count, size, random) * _STRONGER ** random.random(count)[:, None, None]
        kind = random.integers(0, 3, count)
        if wired:
            drawn[-wired:] = faint_wires(wired, size, random)
            kind[-wired:] = np.minimum(kind[-wired:], _APPEARED)
        added = self._as_patches(drawn) * patches["deviation"][-count:]
        kinds = self._as_patches(kind[:, None, None])
        now, before = added * (kinds != _GONE), added * (kinds != _APPEARED)
        parts = {"x": now, "teacher": now, "recursive": now, "state": before}
        changed = {
            name: torch.cat([patches[name][:-count], patches[name][-count:] + part]) for name, part in parts.items()
        }
        return patches | changed | {"wires": self._as_patches(drawn[-wired:])}

    def _as_patches(self, values: NDArray[Any]) -> Tensor:
        """(patches, rows, columns) as a tensor with a channel, where the student is."""
        return torch.from_numpy(np.asarray(values, np.float32))[:, None].to(self.device)

    def _recorrupted(self, x: Tensor, sigma: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Return x with the first `count` patches made noisier, and what these are compared with."""
        if not count:
            return x, x[:0]
        factor = self._settings.own
        drawn = torch.from_numpy(self._noise.draw(count, self._draws.random))[:, None].to(self.device)
        noise = drawn * sigma[:count]
        return torch.cat([x[:count] + factor * noise, x[count:]]), x[:count] - noise / factor

    def _patches(self) -> dict[str, Tensor]:
        clip, places, turn = self._draws.next()
        stacks, size = self._stacks[id(clip)], self._settings.patch
        return {name: turn(stacks.cut(name, places, size)) for name in _NAMES}


_NAMES = ("x", "deviation", "state", "memory", "teacher", "recursive", "sure", "motion")


def _arrays_of(clip: Clip, taught: Voxels) -> dict[str, Voxels]:
    arrays = (clip.frames, clip.deviation, clip.state, clip.memory, taught, clip.recursive, clip.sure, clip.motion)
    return dict(zip(_NAMES, arrays, strict=True))
