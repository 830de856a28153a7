"""Patch2Self (Fadnavis, Batson and Garyfallidis, NeurIPS 2020): every volume of a series, predicted from all the others.

For diffusion MR, where one volume a direction shows the same voxels over and over. With x_j the voxels of volume j,

    y_j = a_j + sum_{i != j} b_ij x_i,    a, b from least squares over all voxels,

which holds of volume j only what the others know too. With P the inverse of the covariance of the volumes, `b_ij = -P_ij / P_jj`.
Volumes much brighter than the rest (without diffusion weighting, b = 0) are predicted from one another only.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.methods.registry import name_of
from demottle.noise.sequence.fingerprint import SequenceFingerprint

NAME = name_of(__name__)
_RIDGE = 1e-9  # of the mean variance: volumes that are copies of each other have no unique answer otherwise


@dataclass(frozen=True)
class Patch2SelfSettings:
    """Settings of the method.

    Attributes:
        apart: volumes whose mean is this many times the median volume's count as a group of their own.
    """

    apart: float = 1.5

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if not self.apart > 1:
            raise InputError(f"apart is {self.apart}; it has to be above 1.")


Settings = Patch2SelfSettings


class Patch2Self(Denoiser):
    """The recipe; the regression is made where it is applied, because it serves one series only."""

    method = NAME

    def __init__(self, settings: Patch2SelfSettings, fitted: Mapping[str, Any]) -> None:
        """Keep settings and summary."""
        self._settings = settings
        self.settings = asdict(settings)
        self.fitted = dict(fitted)

    def tensors(self) -> Tensors:
        """Return nothing: what is learned serves one series."""
        return {}

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Predict every frame from the others; pixels that are not valid come out as they went in."""
        seen = np.ones(image.shape[1:], np.bool_) if image.valid is None else image.valid.all(axis=0)
        voxels = image.voxels[:, seen]
        out = image.voxels.copy()
        groups = groups_of(voxels.mean(axis=1), self._settings.apart)
        for done, group in enumerate(groups):
            listener(Progress(Stage.APPLY, done, len(groups)))
            predicted = predictions(voxels[group])
            for index, plane in zip(group, predicted, strict=True):
                out[index][seen] = plane
        listener(Progress(Stage.APPLY, len(groups), len(groups)))
        return image.with_voxels(out)


def groups_of(means: NDArray[np.floating], apart: float) -> list[NDArray[np.int64]]:
    """Split volumes by their mean signal: those much brighter than the median one, and the others."""
    bright = means > apart * np.median(means)
    return [np.flatnonzero(group) for group in (~bright, bright) if group.any()]


def predictions(volumes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return every volume predicted from the others; (volumes, voxels) in and out. Fewer than three come back as they are."""
    count = len(volumes)
    if count < 3:
        return volumes
    means = volumes.mean(axis=1, dtype=np.float64)
    centered = volumes - means[:, None]
    covariance = centered @ centered.T / centered.shape[1]
    scale = float(np.trace(covariance)) / count
    if not scale > 0:
        return volumes
    precision = np.linalg.inv(covariance + _RIDGE * scale * np.eye(count))
    weights = -precision / np.diag(precision)[:, None]
    np.fill_diagonal(weights, 0)
    return np.asarray(means[:, None] + weights @ centered, np.float32)


def fit(
    image: Image,
    settings: Patch2SelfSettings,
    fingerprint: SequenceFingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> Patch2Self:
    """Make the recipe; a series is regressed when it is denoised."""
    fitted = {
        "modality": image.modality,
        "unit": image.unit,
        "spacing_mm": list(image.spacing),
        "noise_level": fingerprint.noise_level,
    }
    return Patch2Self(settings, fitted)


def restore(settings: Patch2SelfSettings, fitted: Mapping[str, Any], tensors: Tensors) -> Patch2Self:
    """Rebuild a saved recipe."""
    return Patch2Self(settings, fitted)
