"""Non-local Bayes of volumes, with the noise that was measured on the scan. Nothing is learned; seconds to minutes.

Every small cube is estimated from those around it that look like it (`group_estimate`): what these have in common is tissue,
what differs as the noise does is noise. A first look (`sliding_dct`) says which cubes are alike; from then on the result itself
does. Ours, against the published method for pictures: cubes in place of patches, the measured covariance of the noise in place
of white noise, within slices and between them, its local level, and in CT what slices agree was taken out is put back
(`restoration`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image
from demottle.methods.bayes.cube_noise import Cube, cube_covariance, fitting
from demottle.methods.bayes.group_estimate import Grouping
from demottle.methods.bayes.measured_volume import MeasuredVolume
from demottle.methods.bayes.sliding_dct import margin_of, sliding_dct
from demottle.methods.bayes.volume_estimate import VolumeEstimate
from demottle.methods.filters.plane_filter import level_of
from demottle.methods.filters.told_noise import VolumeFilter
from demottle.methods.registry import name_of

NAME = name_of(__name__)
_LOOK = (4, 4, 4)
"""Cubes of the first look."""
_ENOUGH_SLICES = 5
"""In a thinner stack deep cubes begin in one or two slices: those that are alike are as few as in a slice, of more voxels."""


@dataclass(frozen=True)
class NlBayesSettings:
    """Settings of the method.

    Attributes:
        side: side of a cube in rows and columns.
        depth: depth of a cube in slices; 1 in stacks of fewer than five, where too few deep cubes are alike.
        similar: cubes in a group.
        search: rows and columns that similar cubes may be away.
        search_slices: slices that they may be away.
        step: rows and columns from one cube to the next; 1 is the most thorough, and nine times as slow as 3.
        guide_step: the same in all passes but the last, which only guide the next; at most the width of a cube is taken.
        passes: passes of estimates, each guided by the one before.
        threshold: threshold of the first look, in standard deviations of the noise.
    """

    side: int = 5
    depth: int = 3
    similar: int = 60
    search: int = 6
    search_slices: int = 2
    step: int = 3
    guide_step: int = 5
    passes: int = 2
    threshold: float = 2.7

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        for name in ("side", "depth", "similar", "search", "step", "guide_step", "passes"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it has to be at least 1.")
        if self.search_slices < 0:
            raise InputError(f"search_slices is {self.search_slices}; it must not be negative.")
        if not self.threshold > 0:
            raise InputError(f"threshold is {self.threshold}; it has to be positive.")
        if self.side * self.side * self.depth > 512 or self.step > self.side:
            raise InputError(
                f"side is {self.side}, depth {self.depth} and step {self.step}; a cube has at most 512 voxels, and no step is "
                "wider than a cube."
            )


class NonLocalBayes(VolumeFilter[NlBayesSettings]):
    """The filter and the noise it is told of: the shape of the spectrum (n, n), and what it was made for."""

    method = NAME

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Filter the volume; the local noise level is measured on the image itself."""
        level = level_of(image, self.fitted)
        if level == 0:
            return image  # without noise there is nothing to remove
        volume = MeasuredVolume.of(image, level)
        clean = volume.put_back(self.estimate(volume, listener))
        volume.restore(clean, self._spectrum, listener)
        return image.with_voxels(clean)

    def estimate(self, volume: MeasuredVolume, listener: Listener = silent) -> Tensor:
        """Return the filtered volume, in units of the local noise; the listener is told of the stage "apply"."""
        noisy, passes = volume.noisy(), self._settings.passes
        guide = self.first_look(volume)
        for number in range(passes):

            def told(done: int, layers: int, number: int = number) -> None:
                listener(Progress(Stage.APPLY, number * layers + done, passes * layers))

            last = number == passes - 1
            guide = self.begin(volume.image.shape, told, last).add(noisy, guide, volume.allowed > 0)
        return guide

    def begin(
        self,
        shape: tuple[int, ...],
        listener: Callable[[int, int], None],
        last: bool = True,
        shrink: float = math.inf,
    ) -> VolumeEstimate:
        """Begin a pass over a volume of that shape: the last one, or one that only guides the next; `Grouping` tells `shrink`."""
        settings = self._settings
        depth = settings.depth if shape[0] >= _ENOUGH_SLICES else 1
        cube = fitting((depth, settings.side, settings.side), shape)
        step = min(settings.step if last else settings.guide_step, cube[1], cube[2])
        grouping = Grouping(
            cube, settings.similar, settings.search, settings.search_slices, step, shrink if cube[0] > 1 else math.inf
        )
        return VolumeEstimate(shape[0], self._covariance(cube), grouping, _device(), listener)

    def first_look(self, volume: MeasuredVolume, low: int = 0, high: int | None = None, every: int = 1) -> Tensor:
        """Return a volume in units of its noise with hardly any of it (`sliding_dct`, which tells what `every` is).

        Args:
            volume: what to look at.
            low, high: the first slice that is asked for, and the one behind the last.
            every: share of the cubes that are looked at.
        """
        slices, rows, columns = volume.image.shape
        look, end = fitting(_LOOK, (slices, rows, columns)), slices if high is None else high
        begin, margin = max(0, low - margin_of(look)), margin_of(look)
        noisy = volume.part(begin, min(slices, end + margin)).noisy()
        covariance, threshold, wanted = (
            self._covariance(look),
            self._settings.threshold,
            slice(low - begin, end - begin),
        )
        with torch.inference_mode():
            return sliding_dct(
                noisy, covariance, look, threshold, _device(), wanted=wanted, lies=(begin, slices), every=every
            )

    def _covariance(self, cube: Cube) -> NDArray[np.float32]:
        return cube_covariance(self._spectrum, self.fitted.get("slice_correlation", ()), cube)


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


Settings, fit, restore = NlBayesSettings, NonLocalBayes.fit, NonLocalBayes.restore
