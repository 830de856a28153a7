"""Non-local Bayes of volumes, with the noise that was measured on the scan. Nothing is learned; seconds to minutes.

Every small cube is estimated from those around it that look like it (`group_estimate`): what these have in common is tissue,
what differs as the noise does is noise. A first look (`sliding_dct`) says which cubes are alike; from then on the result itself
does. Ours, against the published method for pictures: cubes in place of patches, the measured covariance of the noise in place
of white noise, within slices and between them, its local level, and in CT what slices agree was taken out is put back
(`restoration`).
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image
from demottle.methods.bayes.cube_noise import Cube, cube_covariance, fitting
from demottle.methods.bayes.group_estimate import Grouping, group_estimate
from demottle.methods.bayes.measured_volume import MeasuredVolume
from demottle.methods.bayes.sliding_dct import sliding_dct
from demottle.methods.filters.plane_filter import level_of
from demottle.methods.filters.told_noise import VolumeFilter
from demottle.methods.registry import name_of

NAME = name_of(__name__)
_LOOK = (4, 4, 4)
"""Cubes of the first look."""


@dataclass(frozen=True)
class NlBayesSettings:
    """Settings of the method.

    Attributes:
        side: side of a cube in rows and columns.
        depth: depth of a cube in slices; fewer where the image has fewer.
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
        if self.search_slices < 0 or not self.threshold > 0:
            raise InputError(
                f"search_slices is {self.search_slices} and threshold {self.threshold}; they cannot be negative."
            )
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
        clean = volume.put_back(self.estimate(volume, None, listener))
        volume.restore(clean, self._spectrum, listener)
        return image.with_voxels(clean)

    def estimate(self, volume: MeasuredVolume, guide: Tensor | None = None, listener: Listener = silent) -> Tensor:
        """Return the filtered volume, in units of the local noise.

        Args:
            volume: what to filter.
            guide: the volume with hardly any noise, in the same units; None: the first look.
            listener: told of the stage "apply".
        """
        noisy, settings = volume.noisy(), self._settings
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        with torch.inference_mode():
            if guide is None:
                guide = self.first_look(noisy)
            cube = fitting((settings.depth, settings.side, settings.side), noisy.shape)
            covariance = self._covariance(cube)
            for number in range(settings.passes):
                last = number == settings.passes - 1
                grouping = self._grouping(cube, settings.step if last else settings.guide_step)

                def told(done: int, layers: int, number: int = number) -> None:
                    listener(Progress(Stage.APPLY, number * layers + done, settings.passes * layers))

                guide = group_estimate(noisy, guide, volume.allowed > 0, covariance, grouping, device, told)
        return guide

    def first_look(self, noisy: Tensor, every: int = 1) -> Tensor:
        """Return a volume in units of its noise with hardly any of it (`sliding_dct`, which tells what `every` is)."""
        look = fitting(_LOOK, noisy.shape)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        with torch.inference_mode():
            return sliding_dct(noisy, self._covariance(look), look, self._settings.threshold, device, every)

    def _covariance(self, cube: Cube) -> NDArray[np.float32]:
        return cube_covariance(self._spectrum, self.fitted.get("slice_correlation", ()), cube)

    def _grouping(self, cube: Cube, step: int) -> Grouping:
        settings = self._settings
        return Grouping(cube, settings.similar, settings.search, settings.search_slices, min(step, cube[1], cube[2]))


Settings, fit, restore = NlBayesSettings, NonLocalBayes.fit, NonLocalBayes.restore
