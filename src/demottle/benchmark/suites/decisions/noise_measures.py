"""Suite noise-measures: does `inspect` read the noise right: its level, what slices share of it, and its mean frequency?

Over the scans of `measured_noise`. The truth comes from draws of the same scan with other noise: in the flat soft tissue of the
noise-free anatomy, where no window of 11 pixels holds more than 3 HU of structure: the standard deviation (by the median absolute
value), the correlation of adjacent slices, and the mean frequency of the noise's own autocovariance (up to 31 pixels, weighted as
a region of 64 pixels weighs it). Held to 5 %, 0.03 and 5 %.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demottle.benchmark.suites.cases import CaseSpec, Choices, Finding
from demottle.benchmark.suites.decisions.measured_noise import (
    FIRST_SEED,
    JUDGING,
    TUNING,
    NoiseSetting,
    drawn,
    images_of,
    settings,
)
from demottle.benchmark.suites.store import kept
from demottle.image import Image, Mask, Voxels
from demottle.noise.correlation import MEDIAN_SIZE
from demottle.noise.fingerprint import measure as fingerprint_of
from demottle.noise.flat import flat_mask
from demottle.noise.level import local_deviation
from demottle.noise.spectrum import REGION, Array, spectrum_of_density

LEVEL, RHO, MEAN = 0.05, 0.03, 0.05
"""How far level and mean frequency (shares of the truth) and the correlation of slices may be off."""
_STRUCTURE_HU = 3.0


@dataclass(frozen=True)
class Noise:
    """Level in HU, correlation of adjacent slices, mean frequency in 1/mm."""

    level: float
    rho: float
    mean: float


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the scans, judged ones first."""
    count = choices.seeds or (1 if choices.quick else None)
    return tuple(
        CaseSpec("noise-measures", half, one.seed, {"name": one.name})
        for half in (JUDGING, TUNING)
        for one in settings(half)[:count]
    )


def entrants() -> tuple[str, ...]:
    """What `inspect` says."""
    return ("inspect",)


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Measure one scan and hold what was measured against the truth."""
    setting = setting_of(spec)
    plain, scan, noise = images_of(kept(cache, spec, lambda: drawn(setting)))
    return held_against(setting.name, true_noise(plain, noise), measured(scan))


def setting_of(spec: CaseSpec) -> NoiseSetting:
    """The setting that a case was made of."""
    return settings(spec.group)[spec.seed - FIRST_SEED[spec.group]]


def measured(scan: Image) -> Noise:
    """What demottle measures; NaN for what it cannot."""
    found = fingerprint_of(scan)
    return Noise(found.noise_level, found.correlation.at(1), np.nan if found.spectrum is None else found.spectrum.mean)


def held_against(name: str, true: Noise, found: Noise) -> Finding:
    """Compare; what was not measured has missed."""
    level, rho, mean = found.level / true.level - 1, found.rho - true.rho, found.mean / true.mean - 1
    within = {"level": abs(level) <= LEVEL, "rho": abs(rho) <= RHO, "mean": abs(mean) <= MEAN}
    passes = all(within.values())
    said = {"name": name, "true": vars(true), "found": {k: None if np.isnan(v) else v for k, v in vars(found).items()}}
    apart = {"level_apart": level, "rho_apart": rho, "mean_apart": mean}
    if not passes:
        said["missed"] = f"{name}: level {level:+.1%}, correlation {rho:+.3f}, mean frequency {mean:+.1%}"
    return Finding({"passes": float(passes), **{k: None if np.isnan(v) else float(v) for k, v in apart.items()}}, said)


def true_noise(plain: Image, noise: Voxels) -> Noise:
    """The noise as it is, from draws (draws, slices, rows, columns) about their mean."""
    flat = uniform(plain)
    level = MEDIAN_SIZE * float(np.median(np.abs(noise[:, flat])))
    both = flat[:-1] & flat[1:]
    a, b = noise[:, :-1][:, both].astype(np.float64).ravel(), noise[:, 1:][:, both].astype(np.float64).ravel()
    rho = float(a @ b / np.sqrt((a @ a) * (b @ b)))
    density = covariance_density(noise, flat)
    return Noise(level, rho, spectrum_of_density(density, (plain.spacing[1], plain.spacing[2])).mean)


def uniform(plain: Image) -> Mask:
    """Flat soft tissue of the anatomy without any structure in a window around: at edges and vessels other noise is left."""
    return flat_mask(plain) & (np.stack([local_deviation(plane) for plane in plain.voxels]) < _STRUCTURE_HU)


def covariance_density(noise: Voxels, where: Mask) -> Array:
    """Noise power (64, 64) in FFT order, any unit, from products of all pairs of pixels of `where`."""
    rows, columns = noise.shape[-2:]
    shape = (rows + REGION, columns + REGION)
    products, pairs = np.zeros(shape), np.zeros(shape)
    for index, mask in enumerate(where):
        pairs += len(noise) * np.fft.ifft2(np.abs(np.fft.fft2(mask, shape)) ** 2).real
        for plane in noise[:, index]:
            products += np.fft.ifft2(np.abs(np.fft.fft2(plane * mask, shape)) ** 2).real
    covariance = products / np.maximum(pairs, 0.5)
    lags = np.arange(-REGION // 2, REGION // 2)
    short = np.where(pairs > 0.5, covariance, 0)[np.ix_(lags, lags)] * np.outer(*2 * [1 - np.abs(lags) / REGION])
    return np.asarray(np.fft.fft2(np.fft.ifftshift(short)).real, np.float64)
