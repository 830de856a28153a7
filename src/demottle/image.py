"""`Image`: the one value that travels through demottle, from a file to a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError, NotFiniteError, counted
from demottle.notebook import paragraph, picture, window_of

Voxels = NDArray[np.float32]
Mask = NDArray[np.bool_]

# From micro-CT of single cells to whole-body planes; between frames from a millisecond-fast camera to one an hour.
_LEAST_MM, _MOST_MM = 1e-4, 1000.0
_LEAST_S, _MOST_S = 1e-5, 3600.0


@dataclass(frozen=True)
class Source:
    """Where an image came from. `payload` belongs to the format's reader and writer alone (headers, data type, ...)."""

    format: str
    path: str
    payload: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class ProcessingStep:
    """What was done to an image, in full: it travels with the image into the file's header, the report and `run.json`.

    All values are plain (numbers, strings, lists, mappings), so that the step can be written as JSON.
    """

    method: str
    version: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    model_hash: str | None = None
    noise: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Image:
    """A stack of slices or frames with its geometry.

    Attributes:
        voxels: float32, shape (slices or frames, rows, columns), read-only; CT in HU, never clipped.
        spacing: distance between slices in mm (or frames in s), between rows in mm, between columns in mm.
        modality: DICOM's word: "CT", "MR", "XA", "RF"; "OT" where the file does not say. Volumes of angiography systems are "CT".
        unit: "HU" for CT numbers, "a.u." for anything without an absolute scale.
        valid: True where a voxel was measured; False for padding and outside the reconstruction circle. None: all valid.
            Invalid voxels are never measured and never changed.
        slice_thickness: nominal thickness in mm, where known; a header's 0 or less counts as not known. Thicker than
            `spacing[0]`: slices overlap.
        evenly_spaced: False where gaps between slices differ and the user accepted it.
        source: where the image came from; lets a writer give back the source's own headers.
        history: what demottle did to it, oldest first.
        sequence: True where the first axis is time: frames of one scene, `spacing[0]` in s. Always so for "XA" and "RF".
        phase: phase of the complex MR signal whose magnitude the voxels are, in radians, float32, same shape; None: unknown.
        maps: what is known of a series place by place, float32 (rows, columns) each: "noise", the standard deviation of the noise
            in each part of the complex signal; "gfactor", its shape alone; "components", how many a method kept.

    Raises:
        InputError: for voxels that are not three-dimensional, a mask, phase or map of another shape, or a spacing that is not
            positive or that no scanner makes.
        NotFiniteError: for voxels that are not finite where valid.
    """

    voxels: Voxels
    spacing: tuple[float, float, float]
    modality: str = "OT"
    unit: str = "a.u."
    valid: Mask | None = None
    slice_thickness: float | None = None
    evenly_spaced: bool = True
    source: Source | None = None
    history: tuple[ProcessingStep, ...] = ()
    sequence: bool = False
    phase: Voxels | None = field(default=None, repr=False)
    maps: Mapping[str, Voxels] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Check and freeze the arrays, so that no operation can change an image it was given."""
        voxels = np.asarray(self.voxels, dtype=np.float32).view()
        if voxels.ndim != 3 or voxels.size == 0:
            raise InputError(
                f"The image has shape {voxels.shape}; demottle needs a stack (slices, rows, columns) that is not empty."
            )
        self._refuse_absurd_spacing()
        valid = None if self.valid is None else np.asarray(self.valid, dtype=np.bool_).view()
        if valid is not None and valid.shape != voxels.shape:
            raise InputError(f"The mask of valid voxels has shape {valid.shape}, but the image has {voxels.shape}.")
        self._refuse_not_finite(voxels, valid)
        if self.phase is not None and self.phase.shape != voxels.shape:
            raise InputError(f"The phase has shape {self.phase.shape}, but the magnitude has {voxels.shape}.")
        for name, values in self.maps.items():
            if values.shape != voxels.shape[1:]:
                raise InputError(f"The map of {name} has shape {values.shape}, but a frame has {voxels.shape[1:]}.")
        voxels.flags.writeable = False
        if valid is not None:
            valid.flags.writeable = False
        object.__setattr__(self, "voxels", voxels)
        object.__setattr__(self, "valid", valid)
        object.__setattr__(self, "spacing", tuple(float(s) for s in self.spacing))
        thickness = self.slice_thickness
        if thickness is not None and not 0 < thickness <= _MOST_MM:
            object.__setattr__(self, "slice_thickness", None)
        object.__setattr__(self, "sequence", bool(self.sequence) or self.modality in ("XA", "RF"))

    def __repr__(self) -> str:
        """One line: how many slices of what size, how far apart, what they show."""
        return f"Image({self.summary})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The voxels, for NumPy; read-only unless a copy or another type is asked for."""
        return np.array(self.voxels, dtype, copy=copy)

    def _repr_html_(self) -> str:
        """The middle slice and what it is, for a notebook."""
        middle = self.voxels[self.shape[0] // 2]
        shown = picture(middle, window_of(middle, self.unit), self.place(self.shape[0] // 2), self.aspect)
        return paragraph(self.summary) + shown

    @property
    def summary(self) -> str:
        """What it is, in a line."""
        count, rows, columns = self.shape
        between, *within = (f"{step:.4g}" for step in self.spacing)
        what = counted(count, "frame" if self.sequence else "slice")
        size = (
            f"{' x '.join(within)} mm, {between} s apart" if self.sequence else f"{' x '.join((between, *within))} mm"
        )
        unit = "" if self.unit == "a.u." else f" in {self.unit}"
        return f"{what} of {rows} x {columns}, {size}, {self.modality}{unit}"

    @property
    def aspect(self) -> float:
        """Width over height of a pixel."""
        return self.spacing[2] / self.spacing[1]

    def place(self, index: int) -> str:
        """Which slice or frame an index is, as a reader counts."""
        return f"{'frame' if self.sequence else 'slice'} {index + 1} of {self.shape[0]}"

    def _refuse_absurd_spacing(self) -> None:
        if len(self.spacing) != 3 or not all(np.isfinite(s) and s > 0 for s in self.spacing):
            raise InputError(f"The spacing is {self.spacing}; it needs three positive numbers (slices, rows, columns).")
        between, rows, columns = self.spacing
        in_space = (rows, columns) if self.sequence or self.modality in ("XA", "RF") else self.spacing
        if min(in_space) < _LEAST_MM or max(in_space) > _MOST_MM or not _LEAST_S <= between <= _MOST_S:
            raise InputError(
                f"The spacing is {between:g}, {rows:g}, {columns:g} (slices in mm or frames in s, rows, columns), which no "
                f"scanner produces; {_LEAST_MM:g} to {_MOST_MM:g} mm are possible. Is the header broken, or the unit wrong?"
            )

    @staticmethod
    def _refuse_not_finite(voxels: Voxels, valid: Mask | None) -> None:
        for index, plane in enumerate(voxels):  # slice by slice: no mask of the whole volume in memory
            bad = ~np.isfinite(plane)
            if valid is not None:
                bad &= valid[index]
            if bad.any():
                row, column = np.argwhere(bad)[0]
                raise NotFiniteError(
                    f"NaN or infinite values in {counted(int(bad.sum()), 'voxel')} of slice {index}, the first at row {row}, "
                    f"column {column}; replace them or mark them as not valid before denoising."
                )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices or frames, rows, columns."""
        slices, rows, columns = self.voxels.shape
        return slices, rows, columns

    def part(self, first: int, last: int) -> "Image":
        """Return slices or frames `first` to `last - 1`. The source is left behind: its headers are those of the whole.

        Raises:
            InputError: where no slice is left.
        """
        valid = None if self.valid is None else self.valid[first:last]
        phase = None if self.phase is None else self.phase[first:last]
        return replace(self, voxels=self.voxels[first:last], valid=valid, phase=phase, source=None)

    def with_voxels(self, voxels: Voxels, step: ProcessingStep | None = None) -> "Image":
        """Return the same image with other voxels of the same shape, `step` added to its history."""
        if voxels.shape != self.voxels.shape:
            raise InputError(f"The new voxels have shape {voxels.shape}, but the image has {self.voxels.shape}.")
        return replace(self, voxels=voxels, history=self.history if step is None else (*self.history, step))
