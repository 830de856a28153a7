"""The whole check of one result: everything that can be measured without a truth, with warnings in plain words."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from demottle.errors import InputError, counted
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image
from demottle.io.dicom.headers.marks import is_result
from demottle.noise.correlation import Correlation, slice_correlation
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.mr.magnitude import NoiseModel, noise_model
from demottle.notebook import figure, sentences, table
from demottle.quality.check.bias import bias_taken_out, comparable
from demottle.quality.check.consistency.whole import UNTOLD, Consistency, consistency
from demottle.quality.check.leak import Leak, slice_leak
from demottle.quality.check.level import Levels, noise_levels
from demottle.quality.check.residual import EdgeTest, edge_test
from demottle.quality.check.shifts import TissueShift, tissue_shifts
from demottle.quality.check.spectra import Spectra, compare_spectra
from demottle.quality.check.spots.spots import SpotMap, spot_map
from demottle.quality.check.untouched import Untouched, untouched
from demottle.quality.check.verdicts import warnings_of
from demottle.quality.identical_images import SAME_OUTPUT, same_voxels
from demottle.quality.to_plain import plain
from demottle.threads import in_order


@dataclass(frozen=True, eq=False)
class Check:
    """What was measured on an image before and after denoising.

    Attributes:
        modality, unit: as in `Image`.
        noise: noise level in flat tissue before and after.
        spectra: noise power spectra in uniform tissue; None where there is too little of it.
        tissues: how the mean of each tissue moved.
        edges: whether what was removed holds edges.
        leak: noise correlation between slices before and after; None for a single slice.
        untouched: what changed where nothing should: in air around the body and in metal.
        warnings: what a reader of the images should know, in sentences; empty when all is well.
        no_spectra: why there are no spectra, as a sentence; empty where there are.
        bias_removed: by how much the mean of each tissue fell where the bias of MR magnitudes was taken out on purpose.
            `tissues` and `edges` are then of the result with the bias put back; what they show was not intended.
        spots: what was removed or added that is not noise; None without HU or where there is hardly any body.
        ours: whether the result says that demottle made it: air and metal are then to be as they were.
        consistency: whether the result belongs to its scan: grain, sharpness, place and order of its slices.
    """

    modality: str
    unit: str
    noise: Levels
    spectra: Spectra | None
    tissues: tuple[TissueShift, ...]
    edges: EdgeTest
    leak: Leak | None
    untouched: Untouched
    warnings: tuple[str, ...]
    no_spectra: str = ""
    bias_removed: Mapping[str, float] | None = None
    spots: SpotMap | None = None
    consistency: Consistency = UNTOLD
    ours: bool = False

    def __repr__(self) -> str:
        """One line: noise before and after, and how many warnings there are."""
        noise, unit = self.noise, "" if self.unit == "a.u." else f" {self.unit}"
        told = f"noise {figure(noise.before)} -> {figure(noise.after)}{unit}"
        return f"Check({told}, {counted(len(self.warnings), 'warning')})"

    def _repr_html_(self) -> str:
        """Noise and tissues as a table, with the warnings, for a notebook."""
        noise = ("noise", figure(self.noise.before), figure(self.noise.after))
        tissues = [(one.name, figure(one.mean_before), figure(one.mean_after)) for one in self.tissues]
        unit = "" if self.unit == "a.u." else f" ({self.unit})"
        return table([noise, *tissues], ("", f"before{unit}", f"after{unit}")) + sentences(self.warnings)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what could not be measured is None."""
        spectra: Mapping[str, Any] | None = None
        if self.spectra is not None:
            s = self.spectra
            spectra = {
                "peak_per_mm": {"before": s.before.peak, "after": s.after.peak},
                "peak_interval_per_mm": {"before": s.before.peak_interval, "after": s.after.peak_interval},
                "peak_shift_per_mm": s.shift,
                "mean_shift_per_mm": s.mean_shift,
                "frequency_per_mm": s.before.frequency,
                "density": {"before": s.before.density, "after": s.after.density, "removed": s.removed.density},
                "sigma": {"before": s.before.sigma, "after": s.after.sigma, "removed": s.removed.sigma},
                "regions": s.before.regions,
            }
        leak = None
        if self.leak is not None:
            leak = {"before": self.leak.before.rho, "after": self.leak.after.rho, "gain": self.leak.gain}
        parts = {
            "modality": self.modality,
            "unit": self.unit,
            "noise": self.noise,
            "noise_spectra": spectra,
            "tissues": self.tissues,
            "edges": self.edges,
            "slice_correlation": leak,
            "untouched": self.untouched,
            "consistency": self.consistency,
            "spots": None if self.spots is None else self.spots.to_dict(),
            "bias_removed": self.bias_removed,
            "warnings": self.warnings,
        }
        result: dict[str, Any] = plain(parts)
        return result


def check(
    before: Image,
    after: Image,
    fingerprint: Fingerprint | None = None,
    listener: Listener = silent,
    margin: float | None = None,
) -> Check:
    """Measure what denoising did to an image, without a truth.

    Statistics come from at most 48 slices, so the cost hardly grows with their number.

    Args:
        before, after: images of the same shape.
        fingerprint: fingerprint of `before`, where it was measured already; saves a second measurement.
        listener: hears of the stage "check".
        margin: margin of the equivalence tests of tissue means, in the image's unit; None: see `tissue_shifts`.

    Raises:
        InputError: where the shapes or units differ.
    """
    if before.shape != after.shape or before.unit != after.unit:
        raise InputError(
            f"Before ({before.shape}, {before.unit}) and after ({after.shape}, {after.unit}) must have one shape and unit."
        )
    correlation = slice_correlation(before) if fingerprint is None else fingerprint.correlation
    model = _model_of_mr(before, correlation, fingerprint)
    taken_out = bias_taken_out(after)
    same = comparable(before, after, model) if taken_out and model is not None else after

    def between_slices() -> tuple[Leak | None, tuple[Spectra | None, str]]:
        leak = slice_leak(before, after, correlation) if before.shape[0] > 1 else None
        return leak, _spectra(before, after, leak)

    parts: dict[str, Callable[[], Any]] = {
        "slice-to-slice correlation, noise spectrum": between_slices,
        "tissue means": lambda: _tissues(before, after, same, taken_out, margin),
        "noise level": lambda: noise_levels(before, after, math.nan if model is None else model.sigma, correlation),
        "spots that are not noise": lambda: spot_map(before, same),
        "edges": lambda: edge_test(before, same),
        "order, place and sharpness": lambda: consistency(before, same),
        "air and metal": lambda: untouched(before, after),
    }
    found = _side_by_side(parts, listener)
    leak, (spectra, no_spectra) = found["slice-to-slice correlation, noise spectrum"]
    tissues, removed = found["tissue means"]
    noise, spots, edges = found["noise level"], found["spots that are not noise"], found["edges"]
    belongs, kept = found["order, place and sharpness"], found["air and metal"]
    warnings = warnings_of(before.unit, noise, spectra, tissues, edges, leak)
    if same_voxels(before, after):
        warnings = (SAME_OUTPUT, *warnings)
    return Check(
        before.modality, before.unit, noise, spectra, tissues, edges, leak, kept, warnings, no_spectra, removed, spots, belongs,
        is_result(after.history),
    )  # fmt: skip


def _side_by_side(parts: Mapping[str, Callable[[], Any]], listener: Listener) -> dict[str, Any]:
    """What each part returns, by its name; longer ones stand first."""
    found = {}
    listener(Progress(Stage.CHECK, 0, len(parts), next(iter(parts))))
    for done, (name, value) in enumerate(zip(parts, in_order(lambda part: part(), parts.values()), strict=True), 1):
        found[name] = value
        listener(Progress(Stage.CHECK, done, len(parts), name))
    return found


def _tissues(
    before: Image, after: Image, same: Image, taken_out: bool, margin: float | None
) -> tuple[tuple[TissueShift, ...], dict[str, float] | None]:
    """How the means of tissues moved, and by how much a bias was taken out of them on purpose; None where none was."""
    tissues = tuple(tissue_shifts(before, same, margin=margin))
    if not taken_out:
        return tissues, None
    whole = {shift.name: shift.shift for shift in tissue_shifts(before, after, margin=margin)}
    return tissues, {shift.name: shift.shift - whole[shift.name] for shift in tissues}


def _model_of_mr(before: Image, correlation: Correlation, fingerprint: Fingerprint | None) -> NoiseModel | None:
    """The noise model of an MR image, from its fingerprint where there is one; None of anything else."""
    if before.modality != "MR":
        return None
    return noise_model(before, correlation) if fingerprint is None else fingerprint.noise


def _spectra(before: Image, after: Image, leak: Leak | None) -> tuple[Spectra | None, str]:
    try:
        if leak is None:
            lone = slice_correlation(before)
            return compare_spectra(before, after, lone, lone), ""
        return compare_spectra(before, after, leak.before, leak.after), ""
    except InputError as error:  # too little uniform tissue: said in a warning, and no reason to refuse the rest
        return None, str(error)
