"""What is in a phantom and where, as a record that a measurement can use: `truth.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from demottle.errors import InputError
from demottle.physics.phantoms.inserts import Insert

FORMAT = "demottle truth"
Task = Literal["edge", "detection", "point", "uniform"]
Spacing = tuple[float, float, float]
_HALF, _TENTH = 0.5, 0.1


@dataclass(frozen=True)
class Structure:
    """One thing in a phantom.

    Attributes:
        name: for tables, unique within a phantom.
        insert: where it is (voxels), its radius in mm and its contrast in HU.
        background: CT number around it, in HU.
        task: what it is there for: "edge" (TTF of a disc), "detection" (an observer's signal), "point" (PSF, MTF) or
            "uniform" (the body of the phantom: noise, NPS, CT number).
        slope: mm that it moves along (rows, columns) for each mm along the slices; not zero for a tilted wire.
    """

    name: str
    insert: Insert
    background: float
    task: Task
    slope: tuple[float, float] = (0.0, 0.0)

    @property
    def hu(self) -> float:
        """CT number inside, in HU."""
        return self.background + self.insert.contrast

    def in_slice(self, index: float, spacing: Spacing) -> tuple[float, float, float] | None:
        """Row, column and radius in pixels at the height of slice `index` (may lie between slices); None where it is not.

        `quality.objects.contrast.Disc(*place, structure.insert.contrast)` makes of it the place where contrast is measured.
        """
        slices, rows, columns = spacing
        away = (index - self.insert.center[0]) * slices
        if self.insert.height_mm is None:
            if abs(away) >= self.insert.radius_mm:
                return None
            radius = float(np.sqrt(self.insert.radius_mm**2 - away**2))
        elif abs(away) > self.insert.height_mm / 2:
            return None
        else:
            radius = self.insert.radius_mm
        row, column = (
            c + s * away / step for c, s, step in zip(self.insert.center[1:], self.slope, (rows, columns), strict=True)
        )
        return row, column, radius / columns


@dataclass(frozen=True)
class GroundTruth:
    """Everything that is known about a simulated data set.

    Attributes:
        kind: the kind of phantom, as `demottle simulate phantom --kind` calls it.
        shape: slices (frames), rows, columns.
        spacing: mm between slices (s between frames), mm between rows and columns.
        structures: what is in it. The first "uniform" one is the body of the phantom.
        blur_mm: standard deviation of the Gaussian that the noise-free image is blurred with, in mm; 0 for none.
        settings: everything else that decides the files: seeds, noise level, ... Plain values.
        averaged: pixels hold the mean over their area; False: the value at their middle.
    """

    kind: str
    shape: tuple[int, int, int]
    spacing: Spacing
    structures: tuple[Structure, ...] = ()
    blur_mm: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    averaged: bool = True

    def for_task(self, task: Task) -> list[Structure]:
        """The structures that are there for one task."""
        return [structure for structure in self.structures if structure.task == task]

    def mtf(self, frequency: Any) -> Any:
        """MTF of the noise-free image at a frequency in 1/mm: `exp(-2 (pi blur f)^2) |sinc(f pixel)|`.

        The Gaussian blur and the averaging over a pixel, where there is one (`averaged`). Along rows and columns it is exact;
        across them it is right to second order in `f pixel`.
        """
        frequency = np.asarray(frequency, np.float64)
        pixel = np.abs(np.sinc(frequency * self.spacing[2])) if self.averaged else 1.0
        return np.exp(-2 * (np.pi * self.blur_mm * frequency) ** 2) * pixel

    def frequency_at(self, level: float) -> float | None:
        """Frequency in 1/mm where `mtf` falls to `level`; None where it stays above it up to the Nyquist frequency."""
        frequency = np.linspace(0, 0.5 / self.spacing[2], 20001)
        below = np.flatnonzero(self.mtf(frequency) < level)
        return float(frequency[below[0]]) if below.size else None

    def to_json(self) -> str:
        """Write the record; `from_json` reads it back."""
        middle = [(count - 1) / 2 for count in self.shape]
        record = {
            "format": FORMAT,
            "version": 1,
            "kind": self.kind,
            "shape": list(self.shape),
            "spacing": list(self.spacing),
            "middle": middle,
            "blur_mm": self.blur_mm,
            "averaged": self.averaged,
            "f50_per_mm": self.frequency_at(_HALF),
            "f10_per_mm": self.frequency_at(_TENTH),
            "settings": dict(self.settings),
            "structures": [_as_record(structure, middle, self.spacing) for structure in self.structures],
        }
        return json.dumps(record, indent=1, allow_nan=False) + "\n"

    @staticmethod
    def from_json(text: str) -> "GroundTruth":
        """Read the record.

        Raises:
            InputError: for text that is not such a record, or of a newer version.
        """
        try:
            record = json.loads(text)
            if record["format"] != FORMAT or record["version"] != 1:
                raise ValueError
            structures = tuple(_from_record(entry) for entry in record["structures"])
            slices, rows, columns = (int(count) for count in record["shape"])
            z, y, x = (float(step) for step in record["spacing"])
            blur, settings = float(record["blur_mm"]), record["settings"]
            averaged = bool(record.get("averaged", True))
            return GroundTruth(record["kind"], (slices, rows, columns), (z, y, x), structures, blur, settings, averaged)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                "This is not a truth.json of demottle, or of a newer version; take the one that `demottle simulate phantom` "
                "wrote beside the truth."
            ) from error


def _as_record(structure: Structure, middle: list[float], spacing: Spacing) -> dict[str, Any]:
    insert = structure.insert
    through = insert.height_mm is not None and np.isinf(insert.height_mm)
    return {
        "name": structure.name,
        "task": structure.task,
        "shape": "sphere" if insert.height_mm is None else "cylinder",
        "center_voxels": list(insert.center),
        "center_mm": [(c - m) * s for c, m, s in zip(insert.center, middle, spacing, strict=True)],
        "diameter_mm": 2 * insert.radius_mm,
        "diameter_pixels": 2 * insert.radius_mm / spacing[2],
        "height_mm": None if through else insert.height_mm,
        "slope": list(structure.slope),
        "hu": structure.hu,
        "background_hu": structure.background,
        "contrast_hu": insert.contrast,
    }


def _from_record(entry: Mapping[str, Any]) -> Structure:
    z, y, x = (float(c) for c in entry["center_voxels"])
    sphere, height = entry["shape"] == "sphere", entry["height_mm"]
    height_mm = None if sphere else float("inf") if height is None else float(height)
    insert = Insert((z, y, x), float(entry["diameter_mm"]) / 2, float(entry["contrast_hu"]), height_mm)
    if entry["task"] not in get_args(Task):
        raise ValueError(entry["task"])
    down, across = (float(s) for s in entry["slope"])
    return Structure(str(entry["name"]), insert, float(entry["background_hu"]), entry["task"], (down, across))
