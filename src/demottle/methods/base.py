"""What every method gives back: a `Denoiser`. What every fit is told: a `Budget`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import UnsuitableError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods import model_file

Tensors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Budget:
    """How long a fit may take: a number of steps, a number of minutes, or neither (the method chooses from the scan)."""

    steps: int | None = None
    minutes: float | None = None


class Denoiser(ABC):
    """A fitted method: callable on an image, savable.

    Attributes:
        method: name in the registry.
        settings: the settings it was fitted with, as plain values.
        fitted: what it learned from and what it was made for (noise level, spacing, modality, unit, steps, loss, ...), as
            plain values. No patient data.
    """

    method: str
    settings: Mapping[str, Any]
    fitted: Mapping[str, Any]

    @abstractmethod
    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Return the denoised image, geometry and source unchanged, invalid voxels untouched; `image` is left as it was."""

    def with_spread(self, image: Image, listener: Listener = silent) -> tuple[Image, Image]:
        """Return the denoised image, and how far the passes that led to it differ at every voxel (standard deviation, its unit).

        Raises:
            UnsuitableError: for a method that goes by no passes.
        """
        raise UnsuitableError(f"{self.method} does its work in one go, so there is no spread over passes to tell.")

    @abstractmethod
    def tensors(self) -> Tensors:
        """Return the learned numbers by name (none for a filter)."""

    def save(self, path: str | Path) -> Path:
        """Write a model file (safetensors with a JSON header); it appears only when complete."""
        return model_file.write(Path(path), self.method, self.settings, self.fitted, self.tensors())

    @property
    def model_hash(self) -> str:
        """SHA-256 over method, settings and learned numbers: the same model, the same hash."""
        return model_file.hash_of(self.method, self.settings, self.tensors())
