"""The standard error of every voxel, as the page's viewer shows it: gray values with a legend in HU."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.noise.slices import spread
from demottle.quality.uncertainty.derived import Uncertainty
from demottle.report.planes import Plane, png

_MOST = 0.995  # of the voxels with a standard error: white
_WHOLE = 5.0  # HU: the upper end of the legend is a multiple of it


def top_of(found: Uncertainty) -> float:
    """Return what is shown white, in HU: a round number that hardly any voxel exceeds."""
    planes = found.image.voxels[spread(found.image.shape[0], 8)]
    known = planes[planes > 0]
    most = float(np.quantile(known, _MOST)) if known.size else _WHOLE
    return _WHOLE * max(1.0, float(np.ceil(most / _WHOLE)))


def coded(plane: Plane, top: float) -> str:
    """Return a plane as a PNG: SE = top x code / 255."""
    codes: NDArray[np.uint8] = np.clip(np.rint(plane * (255 / top)), 0, 255).astype(np.uint8)
    return png(codes)


def legend(found: Uncertainty | None) -> dict[str, Any] | None:
    """Return what the viewer needs to draw it; None where there is none."""
    return None if found is None else {"top": top_of(found)}
