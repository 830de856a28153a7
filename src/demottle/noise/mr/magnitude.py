"""Which noise an image has: Gaussian, or that of MR magnitudes (Rician), and how strong it is in the complex signal.

Two places tell the noise of a magnitude image: the air around the body, where it is Rayleigh distributed and its mean square is
2 sigma^2, and flat tissue. The air is exact where it is as the coil gave it, but many scanners mask it, filter it, scale it
or see it with other coils than the body; tissue is what has to be denoised. So both are measured, and the air is believed
where tissue agrees.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from demottle.image import Image, Mask, Voxels
from demottle.noise import guide
from demottle.noise.correlation import Correlation
from demottle.noise.flat import tissue_mask, valid_plane
from demottle.noise.level import noise_level
from demottle.noise.local import COARSE, NoiseMap, noise_map
from demottle.noise.mr.rician import FLOOR, FLOOR_DEVIATION, deviation_at_mean, signal_of_mean
from demottle.noise.slices import spread

GAUSSIAN, RICIAN = "gaussian", "rician"
_MOST_SLICES = 24
_LEAST_AIR = 0.02  # of the voxels
_MOST_ZEROS = 0.05  # of the air: more is a mask
_RAYLEIGH = FLOOR_DEVIATION / FLOOR  # deviation over mean: 0.5227
_NEAR_RAYLEIGH = 0.06  # relative
_DARK = 1.7  # sigma: what the guide of air can reach; its mean is 1.25
_ROUNDS = 12
_AGREEMENT = (0.87, 1.15)  # of tissue over air
_EVEN = 1.2  # 90th over 10th percentile of the tissue's local level
_LEAST_SNR = 3.0  # of the median tissue, to be believed against the air
_BORNE_OUT = 0.7  # of sigma: what the darkest places show at least, chance included
_NOTICEABLE = 0.02  # of the signal: the bias of a tissue below this is not worth a word


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """What kind of noise an image has.

    Attributes:
        name: "gaussian" or "rician".
        sigma: its standard deviation; of a magnitude image that of each part of the complex signal; NaN where not measurable.
        air: sigma by the air around the body; NaN where it does not tell.
        tissue: sigma by flat tissue; NaN where there is none.
        snr: median signal of the tissue over sigma; NaN where not measurable.
        bias: how much too high a magnitude of the darkest tenth of the tissue is on average, in units of its signal.
        reasons: why this name and this sigma, in sentences.
        local: sigma at every pixel; None where it is the same everywhere.
        correctable: True where the bias of the mean can be taken out: sigma is known and the image bears it out.
    """

    name: str
    sigma: float
    air: float
    tissue: float
    snr: float
    bias: float
    reasons: tuple[str, ...]
    local: NoiseMap | None = None
    correctable: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what could not be measured is None."""
        values = {name: getattr(self, name) for name in ("sigma", "air", "tissue", "snr", "bias")}
        told = {name: float(value) if np.isfinite(value) else None for name, value in values.items()}
        return {"name": self.name, **told, "even": self.local is None, "reasons": list(self.reasons)}

    def plane(self, index: int, shape: tuple[int, int]) -> Voxels:
        """Return sigma at every pixel of one slice."""
        return np.full(shape, self.sigma, np.float32) if self.local is None else self.local.plane(index)


UNTOLD = NoiseModel(GAUSSIAN, float("nan"), float("nan"), float("nan"), float("nan"), 0.0, ())
"""Where nobody asked."""


def noise_model(image: Image, correlation: Correlation, level: float | None = None) -> NoiseModel:
    """Decide which noise an image has, and measure it where it is that of magnitudes.

    Args:
        image: a volume of slices.
        correlation: correlation of its noise between slices.
        level: its `noise_level`, where it is known already.
    """
    measured = noise_level(image, correlation) if level is None else level
    obstacle = _obstacle(image)
    if obstacle:
        return NoiseModel(GAUSSIAN, measured, float("nan"), float("nan"), float("nan"), 0.0, (obstacle,))
    air, why_no_air = air_level(image)
    bright, dark = _signals(image)
    tissue, local = float("nan"), None
    if np.isfinite(measured) and measured > 0 and bright > 0:
        local = corrected_map(image, noise_map(image, correlation, measured))
        tissue = float(deviation_at_mean(np.array(bright), np.array(measured)))
        if image.shape[0] > 1:
            tissue = min(tissue, local.level)  # anatomy can only add to either of the two
    reasons = ["An MR image without negative values is a magnitude: its noise is Rician."]
    sigma, kept, reason = _chosen(air, why_no_air, tissue, local, bright)
    snr, bias = _told(bright, dark, sigma)
    reasons.append(reason)
    correctable = bool(np.isfinite(sigma) and sigma > 0)
    if correctable and not np.isfinite(air) and _darkest(image) < _BORNE_OUT * sigma:
        correctable = False
        reasons.append(
            "Dark places are darker than such noise could leave them: they were masked or filtered, or fine anatomy was read as "
            "noise. So the bias is left as it is."
        )
    elif np.isfinite(bias):
        reasons.append(_weight_of(bias))
    return NoiseModel(RICIAN, sigma, air, tissue, snr, bias, tuple(reasons), kept, correctable)


def is_magnitude(image: Image) -> bool:
    """True for MR without negative values where it was measured, volumes and series alike."""
    return not _obstacle(image)


def _darkest(image: Image) -> float:
    """An upper bound of sigma by the darkest places that are not zero: the mean square of magnitudes is A^2 + 2 sigma^2."""
    found = []
    for index in spread(image.shape[0], _MOST_SLICES):
        plane = image.voxels[index]
        seen = (_seen(image, index) & (plane > 0)).astype(np.float32)
        square, known = guide.smooth(np.asarray(plane**2 * seen, np.float32), 2.0), guide.smooth(seen, 2.0)
        found.append((square / np.maximum(known, 1e-6))[known > 0.9])
    values = np.concatenate(found)
    return float(np.sqrt(np.percentile(values, 1) / 2)) if values.size else float("nan")


def _chosen(
    air: float, why_no_air: str, tissue: float, local: NoiseMap | None, bright: float
) -> tuple[float, NoiseMap | None, str]:
    """Decide between air and tissue: sigma, the map where it differs from place to place, and why."""
    if not np.isfinite(tissue) or local is None:
        told = f"There is no flat tissue; the air around the body gives a noise of {air:.3g}."
        return air, None, told if np.isfinite(air) else f"There is no flat tissue. {why_no_air}"
    if np.isfinite(air) and bright < _LEAST_SNR * air:
        return air, None, f"Tissue hardly stands out; the air around the body gives a noise of {air:.3g}."
    if np.isfinite(air) and _AGREEMENT[0] <= tissue / air <= _AGREEMENT[1]:
        return (
            air,
            None,
            (
                f"The air around the body gives a noise of {air:.3g}, and tissue agrees ({tissue:.3g}): the air's is used."
            ),
        )
    low, high = (float(v) for v in np.percentile(local.coarse, [10, 90]))
    uneven = high > _EVEN * low and len(local.coarse) > 1
    over = f" ({low:.3g} to {high:.3g} over the image)" if uneven else ""
    sigma, kept = (local.level, local) if uneven else (tissue, None)
    if np.isfinite(air):
        return (
            sigma,
            kept,
            (
                f"The air around the body gives a noise of {air:.3g}, but tissue {tissue:.3g}{over}: tissue is believed "
                "(parallel imaging, or air that was filtered)."
            ),
        )
    return sigma, kept, f"{why_no_air} So the noise of {sigma:.3g}{over} is that of flat tissue."


def air_level(image: Image) -> tuple[float, str]:
    """Return sigma by the air around the body, sqrt(mean(M^2) / 2), or NaN and a sentence that says why it does not tell.

    The air is what a guide of two pixels finds no brighter than noise can be, away from all else; the threshold follows from
    what is found, a few times over. It has to be Rayleigh distributed (deviation over mean 0.523): several coils added up
    as squares, masks and filters are not.
    """
    indices = spread(image.shape[0], _MOST_SLICES)
    planes = [image.voxels[index] for index in indices]
    guides = [guide.smooth(plane) for plane in planes]
    seen = [_seen(image, index) for index in indices]
    sigma = float(np.percentile(np.concatenate([g[s] for g, s in zip(guides, seen, strict=True)]), 2)) / FLOOR
    values = np.empty(0, np.float32)
    for _ in range(_ROUNDS):
        dark = [guide.erode((g < _DARK * sigma) & s, 2) for g, s in zip(guides, seen, strict=True)]
        values = np.concatenate([plane[d] for plane, d in zip(planes, dark, strict=True)])
        if values.size < _LEAST_AIR * len(planes) * planes[0].size:
            return float("nan"), "There is too little air around the body to measure the noise."
        found = float(np.sqrt(np.mean(np.square(values, dtype=np.float64)) / 2))
        if abs(found - sigma) <= 1e-4 * max(sigma, 1e-12):
            break
        sigma = found
    if float((values == 0).mean()) > _MOST_ZEROS:
        return float("nan"), "The air around the body is zero in places: it was masked."
    spread_of = float(values.std() / max(float(values.mean()), 1e-12))
    if abs(spread_of / _RAYLEIGH - 1) > _NEAR_RAYLEIGH:
        return float("nan"), (
            f"The air around the body is not as one coil would show it (deviation over mean {spread_of:.2f} instead of "
            f"{_RAYLEIGH:.2f}): several coils were combined, or it was filtered, or holds ghosts."
        )
    return sigma, ""


def corrected_map(image: Image, local: NoiseMap) -> NoiseMap:
    """Turn the local deviation of magnitudes into that of the complex signal's parts, by the local mean of the tissue."""
    coarse = np.empty_like(local.coarse)
    for index, deviation in enumerate(local.coarse):
        smooth = guide.smooth(image.voxels[index], 3.0)
        mask = tissue_mask(smooth, image.unit, valid_plane(image, index)).astype(np.float32)
        rows, columns = image.shape[1:]
        padded = [
            np.pad(part, ((0, -rows % COARSE), (0, -columns % COARSE)), mode="edge") for part in (smooth * mask, mask)
        ]
        total, known = (
            guide.smooth(p.reshape(p.shape[0] // COARSE, COARSE, -1, COARSE).mean(axis=(1, 3)), 2.0) for p in padded
        )
        usual = float(total.sum() / max(float(known.sum()), 1e-6))
        mean = (total + 0.05 * usual) / (known + 0.05)
        coarse[index] = deviation_at_mean(mean, deviation)
    level = local.level * float(np.median(coarse / np.maximum(local.coarse, 1e-12)))
    return NoiseMap(coarse, local.shape, level)


def _obstacle(image: Image) -> str:
    """Say why an image is no MR magnitude; empty where it is one."""
    if image.modality != "MR":
        return (
            "Noise of CT, once reconstructed, is close to Gaussian."
            if image.unit == "HU"
            else ("Nothing says that this is MR, so its noise is taken as Gaussian.")
        )
    for index in range(image.shape[0]):
        plane = image.voxels[index]
        seen = _seen(image, index)
        if seen.any() and float(plane[seen].min()) < 0:
            return "The image has negative values, so it is not a magnitude (but a real part, or a phase): its noise is Gaussian."
    return ""


def _seen(image: Image, index: int) -> Mask:
    valid = valid_plane(image, index)
    return np.ones(image.shape[1:], np.bool_) if valid is None else valid


def _signals(image: Image) -> tuple[float, float]:
    """Median magnitude of the tissue, and that of its darkest tenth; 0 without tissue."""
    values = []
    for index in spread(image.shape[0], _MOST_SLICES):
        smooth = guide.smooth(image.voxels[index])
        values.append(smooth[guide.erode(tissue_mask(smooth, image.unit, valid_plane(image, index)), 2)])
    found = np.concatenate(values)
    if not found.size:
        return 0.0, 0.0
    bright, dark = np.percentile(found, [50, 5])
    return float(bright), float(dark)


def _told(bright: float, dark: float, sigma: float) -> tuple[float, float]:
    """Signal-to-noise ratio of the median tissue, and the bias of its darkest tenth as a share of its signal."""
    if not (np.isfinite(sigma) and sigma > 0 and bright > 0):
        return float("nan"), float("nan")
    usual, weak = signal_of_mean(np.array([bright, dark]) / sigma)
    return float(usual), float(dark / sigma / weak - 1) if weak > 0 else 1.0


def _weight_of(bias: float) -> str:
    if bias < _NOTICEABLE:
        least = f"{100 * _NOTICEABLE:.0f} %"
        return f"The bias of the mean is below {least} even in the darkest tissue, and matters in darker places only."
    return f"In the darkest tenth of the tissue it raises the mean by {100 * min(bias, 1.0):.0f} %."
