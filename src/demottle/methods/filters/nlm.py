"""Non-local means (Buades, Coll and Morel, CVPR 2005) of scikit-image: a mean of pixels whose surroundings look alike.

    y(p) = sum_q w x(q) / sum_q w,    w = exp(-max(d^2(p, q) - 2 s^2, 0) / (k s)^2)

d^2 is the mean squared difference of the patches around p and q, s the measured noise level. The correction by 2 s^2 holds for
white noise; where noise is correlated, patches that share its grain pass for similar and hand it back.
"""

from dataclasses import dataclass

import numpy as np
from skimage.restoration import denoise_nl_means

from demottle.errors import InputError
from demottle.image import Voxels
from demottle.methods.filters.plane_filter import PlaneFilter
from demottle.methods.registry import name_of

NAME = name_of(__name__)


@dataclass(frozen=True)
class NlmSettings:
    """Settings of the filter.

    Attributes:
        strength: how different two patches may be, in units of the measured noise level.
        patch: side of a patch in pixels, odd.
        reach: how many pixels away similar ones are looked for.
    """

    strength: float = 0.6
    patch: int = 5
    reach: int = 8

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if not self.strength > 0:
            raise InputError(f"strength is {self.strength}; it has to be positive.")
        if self.patch < 1 or self.patch % 2 == 0 or self.reach < 1:
            raise InputError(f"patch is {self.patch} and reach {self.reach}; patch has to be odd, both at least 1.")


class NonLocalMeans(PlaneFilter[NlmSettings]):
    """The filter."""

    method = NAME

    def _plane(self, plane: Voxels, level: float) -> Voxels:
        settings = self._settings
        out = denoise_nl_means(
            plane,
            patch_size=settings.patch,
            patch_distance=settings.reach,
            h=settings.strength * level,
            sigma=level,
            fast_mode=True,
        )
        return np.asarray(out, np.float32)


Settings, fit, restore = NlmSettings, NonLocalMeans.fit, NonLocalMeans.restore
