"""Total variation (Rudin, Osher and Fatemi 1992; Chambolle 2004) of scikit-image.

    y = argmin_y  1/2 |y - x|^2 + k s TV(y)

TV is the sum of the lengths of the gradient, s the measured noise level. Edges stay, what lies between them becomes flat.
"""

from dataclasses import dataclass

import numpy as np
from skimage.restoration import denoise_tv_chambolle

from demottle.errors import InputError
from demottle.image import Voxels
from demottle.methods.filters.plane_filter import PlaneFilter
from demottle.methods.registry import name_of

NAME = name_of(__name__)


@dataclass(frozen=True)
class TvSettings:
    """Settings of the filter.

    Attributes:
        strength: weight of the total variation, in units of the measured noise level.
        rounds: most iterations.
    """

    strength: float = 0.75
    rounds: int = 100

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if not self.strength > 0 or self.rounds < 1:
            raise InputError(
                f"strength is {self.strength} and rounds {self.rounds}; strength has to be positive, rounds at least 1."
            )


class TotalVariation(PlaneFilter[TvSettings]):
    """The filter."""

    method = NAME

    def _plane(self, plane: Voxels, level: float) -> Voxels:
        # In units of the noise: the stopping rule of scikit-image does not depend on the image's unit then.
        out = denoise_tv_chambolle(  # type: ignore[no-untyped-call]
            plane.astype(np.float64) / level, weight=self._settings.strength, max_num_iter=self._settings.rounds
        )
        return np.asarray(out * level, np.float32)


Settings, fit, restore = TvSettings, TotalVariation.fit, TotalVariation.restore
