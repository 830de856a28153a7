"""A network trained on sets of scans, applied slice by slice to any scan of the kind it was trained for."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from demottle.errors import UnsuitableError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.learning.data.cohort import Facts, Sets
from demottle.learning.device import best_device, has_fast_bfloat16
from demottle.methods.base import Denoiser, Tensors
from demottle.methods.one_scan.protection import blended, changeable, fill_invalid

Box = tuple[slice, slice]


class TrainedNetwork(Denoiser):
    """Base of the methods that learn from sets of scans: everything around the network.

    Air, metal and padding are left as they are; the network is applied to the body's box alone.
    """

    def __init__(self, method: str, settings: Mapping[str, Any], fitted: Mapping[str, Any], network: nn.Module) -> None:
        """Keep the network, in evaluation mode, where it computes best."""
        self.method, self.settings, self.fitted = method, dict(settings), dict(fitted)
        self.device = best_device()
        self.low_precision = has_fast_bfloat16()
        self.network = network.to(self.device).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    def tensors(self) -> Tensors:
        """Return the weights."""
        return {name: value.detach().cpu().float().numpy() for name, value in self.network.state_dict().items()}

    @abstractmethod
    def plane(self, plane: Voxels, box: Box | None = None) -> Voxels:
        """Denoise one slice (rows, columns) in the unit of the image; only what lies in `box` is wanted."""

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Denoise every slice by itself."""
        return slice_by_slice(image, lambda _, plane, box: self.plane(plane, box), listener)


def slice_by_slice(image: Image, made: Callable[[int, Voxels, Box], Voxels], listener: Listener) -> Image:
    """Return the image with what is made of each slice, where it may change.

    Args:
        image: a volume.
        made: makes a slice (rows, columns) of its number, the slice without padding, and the box around what may change.
        listener: told of progress.
    """
    out = np.empty(image.shape, np.float32)
    for index, plane in enumerate(image.voxels):
        listener(Progress(Stage.APPLY, index, image.shape[0]))
        allowed = changeable(image, index)
        box = _box(allowed)
        if box is None:
            out[index] = plane
            continue
        with torch.inference_mode():
            clean = made(index, fill_invalid(image, index), box)
        out[index] = blended(plane, clean, allowed)
    listener(Progress(Stage.APPLY, image.shape[0], image.shape[0]))
    return image.with_voxels(out)


def widened(box: Box, by: int, shape: tuple[int, ...]) -> Box:
    """Return a box with `by` pixels more on each side, within a slice of the given shape."""
    rows, columns = (
        slice(max(0, part.start - by), min(whole, part.stop + by)) for part, whole in zip(box, shape, strict=True)
    )
    return rows, columns


def trained_summary(sets: Sets) -> dict[str, Any]:
    """Describe what a network is trained for: medians as other methods state them, ranges, counts; no patient data."""
    facts: list[Facts] = [scan.facts for scan in sets.low.scans]
    levels = [one.noise_level for one in facts if one.noise_level is not None]
    return {
        **sets.summary(),
        "noise_level": float(np.median(levels)) if levels else None,
        "spacing_mm": [float(v) for v in np.median([one.spacing for one in facts], axis=0)],
    }


def _box(allowed: Voxels) -> Box | None:
    rows, columns = (np.nonzero((allowed > 0).any(axis=axis))[0] for axis in (1, 0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def refuse_other_units(name: str, sets: Sets) -> None:
    """Raise UnsuitableError for images that are not CT in HU."""
    if sets.unit != "HU":
        raise UnsuitableError(
            f'{name} needs CT in HU, and these scans have the unit "{sets.unit}"; give the unit if they are CT after all.',
            remedy="modality",
        )
