"""The fingerprint: everything demottle measures on one noisy image before it decides anything."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.noise.correlation import Correlation, slice_correlation
from demottle.noise.flat import flat_plane
from demottle.noise.level import LEVEL, MOST_EXCESS, flat_deviations, local_deviation, noise_level
from demottle.noise.matching import matched_share, tolerance_of
from demottle.noise.mr.magnitude import RICIAN, UNTOLD, NoiseModel, noise_model
from demottle.noise.remembered import remembered
from demottle.noise.scan_spectrum import scan_spectrum
from demottle.noise.slices import spread
from demottle.noise.spectrum import Spectrum
from demottle.notebook import sentences, table

_MATCHED_LAGS = 4

MUCH_HU = 60.0
"""Noise of CT beyond which a default result failed the gate, by a shift of thin bone (`demottle benchmark --suite gate`)."""


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What was measured on one image.

    Attributes:
        modality, unit, shape, spacing, slice_thickness: as in `Image`.
        overlap: share of a slice that the next one covers again, 0 to 1; None where the thickness is unknown.
        noise_level: median local standard deviation in flat soft tissue (`noise.level`), in the image's unit; NaN where it has
            none. Of MR magnitudes: standard deviation of each part of the complex signal.
        noise_range: 10th and 90th percentile of the same over the tissue: how uneven the noise is.
        spectrum: in-plane noise power spectrum; None where the image has too little uniform tissue.
        correlation: noise correlation between slices.
        matched_share: share of soft tissue that is matched at lags 1, 2, ...
        noise: which noise it is, Gaussian or that of MR magnitudes, and why.
        warnings: what could not be measured and why, in sentences.
        no_spectrum: the one among them that says why there is no spectrum; empty where there is one.
    """

    modality: str
    unit: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    slice_thickness: float | None
    overlap: float | None
    noise_level: float
    noise_range: tuple[float, float]
    spectrum: Spectrum | None
    correlation: Correlation
    matched_share: tuple[float, ...]
    noise: NoiseModel = UNTOLD
    warnings: tuple[str, ...] = ()
    no_spectrum: str = ""

    def __repr__(self) -> str:
        """One line: what it was measured on, and what was found."""
        return f"Fingerprint({', '.join(f'{name} {value}' for name, value in self._told)})"

    def _repr_html_(self) -> str:
        """The same as a table with the warnings, for a notebook."""
        return table(self._told) + sentences(self.warnings)

    @property
    def _told(self) -> list[tuple[str, str]]:
        unit = "" if self.unit == "a.u." else f" {self.unit}"
        level = f"{self.noise_level:.3g}{unit}" if isfinite(self.noise_level) else "not measured"
        told = [("modality", self.modality), ("shape", " x ".join(map(str, self.shape))), ("noise level", level)]
        if self.spectrum is not None:
            told.append(("mean frequency", f"{self.spectrum.mean:.2f} per mm"))
        if self.correlation.rho and isfinite(self.correlation.rho[0]):
            told.append(("shared with the next slice", f"{self.correlation.rho[0]:.2f}"))
        return told

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what could not be measured is None."""
        spectrum = None
        if self.spectrum is not None:
            spectrum = {
                "peak_per_mm": _plain(self.spectrum.peak),
                "peak_interval_per_mm": [_plain(v) for v in self.spectrum.peak_interval],
                "mean_per_mm": _plain(self.spectrum.mean),
                "sigma": _plain(self.spectrum.sigma),
                "regions": self.spectrum.regions,
                "frequency_per_mm": [_plain(v) for v in self.spectrum.frequency],
                "density": [_plain(v) for v in self.spectrum.density],
            }
        return {
            "modality": self.modality,
            "unit": self.unit,
            "shape": list(self.shape),
            "spacing_mm": list(self.spacing),
            "slice_thickness_mm": self.slice_thickness,
            "overlap": self.overlap,
            "noise_level": _plain(self.noise_level),
            "noise_range": [_plain(v) for v in self.noise_range],
            "spectrum": spectrum,
            "slice_correlation": [_plain(v) for v in self.correlation.rho],
            "correlation_plateau": _plain(self.correlation.plateau),
            "matched_share": [_plain(v) for v in self.matched_share],
            "noise_model": self.noise.to_dict(),
            "warnings": list(self.warnings),
        }


def measure(image: Image, listener: Listener = silent) -> Fingerprint:
    """Measure an image's noise; its cost depends on the size of a slice, hardly on their number."""
    steps = 4
    listener(Progress(Stage.MEASURE, 0, steps, "slice-to-slice correlation"))
    correlation = slice_correlation(image)
    listener(Progress(Stage.MEASURE, 1, steps, "noise level"))
    measured, no_spectrum = _spectrum(image, correlation)
    level, (low, high) = _level_and_range(image, correlation, measured)
    noise = noise_model(image, correlation, level)
    if noise.name == RICIAN:
        level = noise.sigma
        low, high = (level, level) if noise.local is None else _percentiles(noise.local.coarse)
    listener(Progress(Stage.MEASURE, 2, steps, "matched tissue"))
    tolerance = tolerance_of(image, level)
    lags = range(1, min(_MATCHED_LAGS, image.shape[0] - 1) + 1)
    shares = tuple(matched_share(image, lag, tolerance) for lag in lags)
    listener(Progress(Stage.MEASURE, 3, steps, "noise spectrum"))
    spectrum = measured
    if measured is not None and _holds_anatomy(image, measured, high):
        spectrum, no_spectrum = (
            None,
            (
                f"The regions for a noise spectrum hold {measured.sigma:.0f} {image.unit}, but the noise is {level:.0f} "
                f"{image.unit}: there is anatomy in them, so this spectrum is not used."
            ),
        )
    warnings = _warnings(image, level, correlation, no_spectrum)
    listener(Progress(Stage.MEASURE, steps, steps))
    overlap = None if image.slice_thickness is None else max(0.0, 1 - image.spacing[0] / image.slice_thickness)
    return Fingerprint(
        modality=image.modality,
        unit=image.unit,
        shape=image.shape,
        spacing=image.spacing,
        slice_thickness=image.slice_thickness,
        overlap=overlap,
        noise_level=level,
        noise_range=(low, high),
        spectrum=spectrum,
        correlation=correlation,
        matched_share=shares,
        noise=noise,
        warnings=tuple(warnings),
        no_spectrum=no_spectrum,
    )


def _spectrum(image: Image, correlation: Correlation) -> tuple[Spectrum | None, str]:
    """The spectrum, or None and why."""
    try:
        return scan_spectrum(image, correlation), ""
    except InputError as error:
        return None, str(error)


def _holds_anatomy(image: Image, spectrum: Spectrum, high: float) -> bool:
    """Whether its regions hold more than the noise (`high`: most noise of a window)."""
    # The regions are large: they may hold as much anatomy as the windows of the slices themselves.
    most = max(high, _of_slices(image)[1]) if image.unit == "HU" else high
    return bool(np.isfinite(most) and spectrum.sigma > MOST_EXCESS * most)


def _warnings(image: Image, level: float, correlation: Correlation, no_spectrum: str) -> list[str]:
    """What has to be said of a scan before anything is made of it."""
    said = [no_spectrum] if no_spectrum else []
    if image.unit == "HU" and level > MUCH_HU:
        said.append(
            f"The noise is {level:.0f} HU: thin structures (bone, vessels) come out blurred at more than {MUCH_HU:.0f} HU, "
            "and the result may fail the gate; averaging slices to 3 mm or more before helps."
        )
    if not np.isfinite(level):
        said.append("No flat soft tissue was found, so the noise level is unknown.")
    if correlation.rho and not np.isfinite(correlation.rho[0]):
        said.append("Too little flat tissue is the same in neighboring slices to measure how their noise correlates.")
    return said


def _level_and_range(
    image: Image, correlation: Correlation, spectrum: Spectrum | None
) -> tuple[float, tuple[float, float]]:
    """As `noise_level`, and percentiles of the same local deviations (of MR of those of the slices)."""
    if image.modality == "MR":
        return noise_level(image, correlation, spectrum), _of_slices(image)
    found = flat_deviations(image, correlation, spectrum)
    if not found.size:
        return float("nan"), (float("nan"), float("nan"))
    level = float(np.median(found))
    if image.shape[0] == 1 or np.isfinite(correlation.at(1)):  # else `noise_level` would look for a rough correlation
        level = remembered(image, LEVEL, lambda: level)
    return level, _percentiles(found)


def _of_slices(image: Image) -> tuple[float, float]:
    planes = spread(image.shape[0], 12)
    found = np.concatenate([local_deviation(image.voxels[z])[flat_plane(image, z)] for z in planes])
    return _percentiles(found) if found.size else (float("nan"), float("nan"))


def _percentiles(values: Voxels) -> tuple[float, float]:
    low, high = np.percentile(values, [10, 90])
    return float(low), float(high)


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
