"""Whether the numbers of a file are those of a mask or a label map: few, and in areas of one value, where a scan has noise."""

import numpy as np

from demottle.image import Voxels

_FEW, _MANY = 8, 512  # different values: of a mask; of the largest label maps
_LOOKED_AT = 1 << 16  # voxels, spread over the volume: a scan is told by them
_SLICES = 16  # looked at, spread over the volume
_LEAST = 4096  # voxels of a volume that can be told
_ALIKE = 0.7  # share of the voxels whose neighbor in the row has the same value, background apart


def area_doubt(voxels: Voxels, intent: str = "") -> str:
    """Return a warning where a volume seems to be a mask or a label map; empty where it does not.

    Args:
        voxels: shape (slices, rows, columns).
        intent: what the file itself says that it holds, as a noun; empty where it says nothing.
    """
    if intent:
        return (
            f"The header says that this is {intent}, not a scan: denoising blurs it, and there is no noise to remove."
        )
    if voxels.size < _LEAST:
        return ""
    some = np.unique(voxels.reshape(-1)[:: max(1, voxels.size // _LOOKED_AT)])
    if len(some) > _MANY or (some != np.round(some)).any():
        return ""
    spread = voxels[np.unique(np.linspace(0, len(voxels) - 1, _SLICES).round().astype(int))]
    values, counts = np.unique(spread, return_counts=True)
    if len(values) > _FEW and _share_alike(spread, values[counts.argmax()]) < _ALIKE:
        return ""
    held = len(np.unique(voxels))
    if not 1 < held <= _MANY:
        return ""
    return (
        f"The file holds only {held} different values, in areas of one value, as a mask or a label map does: there is no "
        "noise to remove, and labels would be blurred; if it is one, name the scan instead."
    )


def _share_alike(voxels: Voxels, background: float) -> float:
    left, right = voxels[..., :-1], voxels[..., 1:]
    inside = (left != background) | (right != background)
    return float((left == right)[inside].mean()) if inside.any() else 0.0
