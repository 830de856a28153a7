"""Between images of demottle and what napari calls layer data: an array, the arguments of a layer, its type. Needs no napari."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from demottle.errors import InputError
from demottle.image import Image
from demottle.io.objects import from_numpy
from demottle.notebook import window_of
from demottle.pipeline.result import Result

LayerData = tuple[Any, dict[str, Any], str]
IMAGE, RESULT = "demottle image", "demottle result"
"""Names in a layer's metadata: the `Image` that it shows; of a result, what the gate said of it, "" where that is not known."""
_DIMENSIONS = 3


def layer_of(image: Image, name: str, verdict: str | None = None) -> LayerData:
    """Return an image as an image layer: axes as in `Image`, in mm (of runs: s along the first one).

    Args:
        image: what is shown.
        name: of the layer.
        verdict: of a result of demottle, what the gate said of it, "" where that is not known; None: it is none.
    """
    low, high = window_of(image.voxels[image.shape[0] // 2], image.unit)
    told = {
        "name": name,
        "scale": image.spacing,
        "colormap": "gray",
        "contrast_limits": (low, high),
        "metadata": {
            IMAGE: image,
            "modality": image.modality,
            "unit": image.unit,
            **({} if verdict is None else {RESULT: verdict}),
        },
    }
    return image.voxels, told, "image"


def image_of(
    data: ArrayLike, scale: tuple[float, ...], metadata: Mapping[str, Any], modality: str | None = None
) -> Image:
    """Return the image that a layer shows: the one that was read, with its headers, where the layer still shows that.

    Args:
        data, scale, metadata: of the layer.
        modality: what it shows, for a layer that demottle has not read: "CT" (values in HU), "MR", "XA", "RF"; None: unknown.

    Raises:
        InputError: it is something else than a stack of gray slices, it has been denoised before, or `from_numpy` refuses it.
    """
    known = metadata.get(IMAGE)
    if RESULT in metadata:
        raise InputError("This layer is a result of demottle; choose the scan itself.")
    array = np.asarray(data)
    if isinstance(known, Image) and array.shape == known.shape and modality in (None, known.modality):
        same = array is known.voxels or np.array_equal(array, known.voxels)
        return known if same else known.with_voxels(np.asarray(array, np.float32))
    if array.ndim != _DIMENSIONS:
        raise InputError(
            f"The layer has {array.ndim} axes; demottle needs three: slices or frames, rows, columns. Reduce it first."
        )
    between, rows, columns = (float(step) for step in scale[-_DIMENSIONS:])
    return from_numpy(array, (between, rows, columns), modality, sequence=modality in ("XA", "RF"))


def layers_of(result: Result, name: str) -> list[LayerData]:
    """Return what came of it as two layers: the result, and what was removed at a window of three times the noise."""
    gate = result.judged()
    clean, told, kind = layer_of(result.image, f"{name} denoised", "" if gate is None else gate.state)
    removed = result.before.voxels - result.image.voxels
    reach = 3 * result.check.noise.before
    if not reach > 0:
        reach = float(np.abs(removed).max()) or 1.0
    shown = {
        "name": f"{name} removed",
        "scale": result.image.spacing,
        "colormap": "gray",
        "contrast_limits": (-reach, reach),
        "visible": False,
    }
    return [(clean, told, kind), (removed, shown, "image")]
