"""Display windows: how stored values become gray, by modality."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image


@dataclass(frozen=True)
class Window:
    """A display window in the image's unit: black at center - width / 2, white at center + width / 2."""

    name: str
    center: float
    width: float


CT_WINDOWS = (
    Window("Soft tissue", 50, 400),
    Window("Liver", 70, 160),
    Window("Lung", -600, 1500),
    Window("Bone", 400, 1800),
)


def windows_of(image: Image) -> tuple[Window, ...]:
    """Return windows that suit an image, the most useful first."""
    if image.unit == "HU":
        return CT_WINDOWS
    return windows_of_values(image.voxels[image.shape[0] // 2])


def windows_of_values(plane: NDArray[np.float32]) -> tuple[Window, ...]:
    """Return windows that suit values without a unit of their own."""
    finite = plane[np.isfinite(plane)]
    low, high = (float(v) for v in np.percentile(finite, [1, 99.7]))
    width = max(high - low, 1e-6)
    center = low + width / 2
    return (
        Window("Full", center, width),
        Window("Narrow", center, width / 2),
        Window("Dark", low + width / 4, width / 2),
    )
