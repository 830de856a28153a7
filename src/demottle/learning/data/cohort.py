"""Two sets of scans to learn from, low dose and full dose, of which slices are read only when they are needed.

Made by `learning.data.dataset`. Values are stored once, in files that are mapped into memory, so that thousands of slices cost
no memory; what a method derives from whole slices (a wavelet band) is stored beside them.
"""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image, Voxels
from demottle.learning.data.patches import PatchPlaces


@dataclass(frozen=True)
class Facts:
    """What is known of one scan; no patient data.

    Attributes:
        name: name of the scan within its folder; for messages to the user only.
        label: what the manifest calls it: the name, or for DICOM, whose folders are often named after patients, its hash.
        patient: salted hash of the patient's number, or the name of the folder.
        content: hash of voxels and spacing.
        modality, unit, spacing, shape: as in `Image`; `shape` is that of the scan, not of what is kept of it.
        kept: numbers of the slices that are kept, in rising order.
        kernel: name of the reconstruction kernel; empty where the file does not say.
        noise_level: as `noise.level.noise_level`; None where it cannot be measured.
        intensity: 0.1 and 99.9 % of the values inside the body.
    """

    name: str
    label: str
    patient: str
    content: str
    modality: str
    unit: str
    spacing: tuple[float, float, float]
    shape: tuple[int, int, int]
    kept: tuple[int, ...]
    kernel: str
    noise_level: float | None
    intensity: tuple[float, float]


@dataclass(frozen=True)
class Scan:
    """One scan of a cohort: its facts, and the folder with its slices and the places inside the body."""

    facts: Facts
    folder: Path

    @cached_property
    def slices(self) -> NDArray[Any]:
        """Slices that are kept (n, rows, columns), mapped, in the image's unit; padding filled."""
        return _mapped(self.folder / "slices.npy")

    @cached_property
    def centres(self) -> NDArray[np.int64]:
        """Places inside the body (n, 3): slice, row, column, on a grid of 16 pixels."""
        return np.asarray(_mapped(self.folder / "centres.npy"), np.int64)

    def image(self) -> Image:
        """The slices that are kept, as an image."""
        facts = self.facts
        return Image(np.asarray(self.slices, np.float32), facts.spacing, facts.modality, facts.unit)

    def derived(self, name: str, of_slice: Callable[[Voxels], Voxels]) -> NDArray[Any]:
        """Return what `of_slice` makes of every slice, mapped, float16; computed once and stored under `name`."""
        file = self.folder / f"{name}.npy"
        if not file.exists():
            part = file.with_name(f".{name}.{os.getpid()}.part.npy")  # of several processes each makes its own
            made = np.lib.format.open_memmap(part, mode="w+", dtype=np.float16, shape=self.slices.shape)
            for index, plane in enumerate(self.slices):
                made[index] = of_slice(np.asarray(plane, np.float32))
            made.flush()
            part.replace(file)
        return _mapped(file)


@dataclass(frozen=True)
class Side:
    """One of the two sets: scans sorted by name, all of one modality and unit."""

    scans: tuple[Scan, ...]

    @property
    def patients(self) -> set[str]:
        """Patients, as they are called in the manifest."""
        return {scan.facts.patient for scan in self.scans}

    def places(self, size: int, margin: int = 0) -> tuple[PatchPlaces, ...]:
        """Where patches of `size` pixels may lie in each scan, `margin` pixels or more from the slice's border.

        Raises:
            InputError: where a scan's slices are smaller than a patch.
        """
        for scan in self.scans:
            rows, columns = scan.slices.shape[1:]
            if min(rows, columns) < size:
                raise InputError(
                    f"The slices of {scan.facts.name} have {rows} x {columns} pixels; learning needs at least {size} x {size}."
                )
        return tuple(PatchPlaces(s.centres, size, (s.slices.shape[1], s.slices.shape[2]), margin) for s in self.scans)

    def range_of(self, value: Callable[[Facts], float | None]) -> tuple[float, float] | None:
        """Lowest and highest of a figure over the scans; None where no scan has it."""
        known = [found for scan in self.scans if (found := value(scan.facts)) is not None and math.isfinite(found)]
        return (min(known), max(known)) if known else None


@dataclass(frozen=True)
class Sets:
    """What a method for sets of scans learns from.

    Attributes:
        low, full: to learn from; where there are full-dose scans alone, both are these.
        low_validation, full_validation: scans of other patients, for the criterion and the sample pictures.
        manifest: what went where, as plain values; no patient data.
        key: hash of all contents and of the split.
    """

    low: Side
    full: Side
    low_validation: Side
    full_validation: Side
    manifest: Mapping[str, Any] = field(repr=False)
    key: str

    @property
    def modality(self) -> str:
        """Modality of all scans."""
        return self.low.scans[0].facts.modality

    @property
    def unit(self) -> str:
        """Unit of all scans."""
        return self.low.scans[0].facts.unit

    def summary(self) -> dict[str, Any]:
        """Return what a model file says of its training data: ranges and counts; no names, no patient data."""
        spacing = self.low.range_of(lambda facts: facts.spacing[1])
        noise = self.low.range_of(lambda facts: facts.noise_level)
        lowest = self.low.range_of(lambda facts: facts.intensity[0])
        highest = self.low.range_of(lambda facts: facts.intensity[1])
        full_noise = self.full.range_of(lambda facts: facts.noise_level)
        sides = {"full": self.full} if self.low is self.full else {"low": self.low, "full": self.full}
        return {
            "modality": self.modality,
            "unit": self.unit,
            "pixel_range_mm": spacing,
            "noise_range": noise,
            "full_noise_range": full_noise,
            "intensity_range": None if lowest is None or highest is None else (lowest[0], highest[1]),
            "kernels": sorted({scan.facts.kernel for scan in (*self.low.scans, *self.full.scans)} - {""}),
            "scans": {name: len(side.scans) for name, side in sides.items()},
            "patients": {name: len(side.patients) for name, side in sides.items()},
            "slices": {name: sum(len(scan.slices) for scan in side.scans) for name, side in sides.items()},
        }

    @property
    def of_full_dose(self) -> "Sets":
        """The full-dose scans alone, for who learns from nothing else."""
        return replace(self, low=self.full, low_validation=self.full_validation)


def _mapped(file: Path) -> NDArray[Any]:
    found: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    return found
