"""Whether the numbers of a CT can be Hounsfield units at all: an offset left in, or a rescale applied twice, shows in them."""

import numpy as np

from demottle.image import Mask, Voxels

_SLICES = 16  # looked at, spread over the volume
_FAR_ABOVE = 800.0  # where soft tissue lies with an offset of 1024
_TISSUE = (-300.0, 300.0)  # HU
_TISSUE_LESS_1024 = (-1324.0, -724.0)
_OFFSET = (
    "No value is below {lowest:g}, but air is near -1000 HU: the values seem to carry an offset (often 1024), and are then "
    "not CT numbers."
)
_TWICE = (
    "Hardly any value is near 0, where soft tissue lies, but many are near -1000 and lower: the rescale to HU seems to have "
    "been applied twice; check RescaleIntercept."
)


def scale_doubt(voxels: Voxels, valid: Mask | None) -> str:
    """Return a warning where the numbers of a CT cannot well be HU; empty where nothing speaks against it.

    Args:
        voxels: shape (slices, rows, columns), what is taken for HU.
        valid: False where nothing was measured; None: everywhere.
    """
    chosen = np.unique(np.linspace(0, len(voxels) - 1, _SLICES).round().astype(int))
    seen = voxels[chosen] if valid is None else voxels[chosen][valid[chosen]]
    if not seen.size:
        return ""
    lowest = float(seen.min())
    if lowest >= 0 and float(np.percentile(seen, 99)) > _FAR_ABOVE:
        return _OFFSET.format(lowest=lowest)
    tissue, less = (float(np.mean((seen >= low) & (seen <= high))) for low, high in (_TISSUE, _TISSUE_LESS_1024))
    air = float(np.mean(voxels[chosen] < -1500))  # padding too: that is what such air is taken for
    return _TWICE if tissue < 0.02 and less > 0.2 and air > 0.05 else ""
