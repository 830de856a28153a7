"""Wiener shrinkage in overlapping windows, frequency by frequency, against the noise spectrum measured on the scan.

The classical answer where learning from the scan is not possible (one or two slices, nothing matched, noise fully shared
between slices). Two passes: coefficients below a multiple of their noise are dropped to get a pilot; the second pass weighs
every coefficient of the slice by pilot power / (pilot power + noise power).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import map_coordinates

from demottle.errors import InputError, UnsuitableError
from demottle.events import Listener, Progress, silent
from demottle.image import Image, Voxels
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.local import noise_map

NAME = "spectral-wiener"


@dataclass(frozen=True)
class Settings:
    """Settings of the filter.

    Attributes:
        window: side of a window in pixels; a multiple of 4.
        threshold: a coefficient counts as signal in the first pass above this many standard deviations of its noise.
        strength: factor on the noise power in the second pass; below 1 leaves more texture.
    """

    window: int = 32
    threshold: float = 2.7
    strength: float = 1.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.window < 8 or self.window % 4:
            raise InputError(f"window is {self.window}; it has to be a multiple of 4 and at least 8.")
        if self.threshold <= 0 or self.strength <= 0:
            raise InputError("threshold and strength have to be positive.")


class SpectralWiener(Denoiser):
    """The filter with the noise it was made for: a (window, window) power spectrum of unit variance, and the level."""

    method = NAME

    def __init__(self, settings: Settings, fitted: Mapping[str, Any], shape: NDArray[np.float32]) -> None:
        """Keep settings, summary, and the spectrum's shape (mean 1)."""
        self._settings = settings
        self.settings = asdict(settings)
        self.fitted = dict(fitted)
        self._shape = shape

    def tensors(self) -> Tensors:
        """Return the spectrum's shape."""
        return {"spectrum": self._shape}

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Filter every slice; the local noise level is measured on the image itself."""
        from demottle.noise.correlation import slice_correlation
        from demottle.noise.level import noise_level

        level = noise_level(image)
        if not np.isfinite(level):
            level = float(self.fitted["noise_level"])
        local = noise_map(image, slice_correlation(image, lags=1), level)
        out = np.empty(image.shape, np.float32)
        for index, plane in enumerate(image.voxels):
            listener(Progress("apply", index, image.shape[0]))
            usable = plane if image.valid is None else np.where(image.valid[index], plane, _middle(plane, image, index))
            filtered = self._plane(usable, local.plane(index))
            out[index] = filtered if image.valid is None else np.where(image.valid[index], filtered, plane)
        listener(Progress("apply", image.shape[0], image.shape[0]))
        return image.with_voxels(out)

    def _plane(self, plane: Voxels, deviation: Voxels) -> Voxels:
        size = self._settings.window
        step = size // 4
        taper = np.hanning(size + 1)[:size].astype(np.float32)
        window = np.sqrt(np.outer(taper, taper))  # once before and once after: a Hann window, which overlap-adds to a constant
        pad = [(size, size + (-n) % step) for n in plane.shape]
        padded = np.pad(plane, pad, mode="symmetric" if min(plane.shape) >= 2 * size else "wrap")
        level = np.pad(deviation, pad, mode="symmetric" if min(plane.shape) >= 2 * size else "wrap")
        blocks = sliding_window_view(padded, (size, size))[::step, ::step]
        mean = blocks.mean(axis=(-2, -1), keepdims=True)
        local = sliding_window_view(level, (size, size))[::step, ::step, size // 2, size // 2][..., None, None] ** 2
        noise = local * self._windowed_power(window)
        coefficients = fft.rfft2((blocks - mean) * window, workers=-1)
        power = np.abs(coefficients) ** 2
        pilot = np.where(power > self._settings.threshold**2 * noise, power, 0)
        # The pilot's own power holds noise too, as much as was expected there.
        signal = np.maximum(pilot - noise, 0)
        gain = signal / np.maximum(signal + self._settings.strength * noise, 1e-12)
        gain[np.broadcast_to(noise, gain.shape) <= 0] = 1
        back = fft.irfft2(coefficients * gain, s=(size, size), workers=-1)
        filtered = _overlap_add(back * window + mean * window**2, step, padded.shape)
        whole = _overlap_add(np.broadcast_to(window**2, back.shape), step, padded.shape)
        result = filtered / np.maximum(whole, 1e-6)
        out: Voxels = result[size : size + plane.shape[0], size : size + plane.shape[1]].astype(np.float32)
        return out

    def _windowed_power(self, window: Voxels) -> NDArray[np.float64]:
        """Expected |FFT|^2 of windowed noise of unit variance: the spectrum smeared by the window's own spectrum."""
        size = len(window)
        smear = np.abs(fft.fft2(window)) ** 2
        power = fft.ifft2(fft.fft2(self._shape) * fft.fft2(smear)).real / size**2
        out: NDArray[np.float64] = np.maximum(power, 0)[:, : size // 2 + 1]
        return out


def fit(
    image: Image,
    settings: Settings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> SpectralWiener:
    """Take the noise spectrum from the fingerprint; without one the noise is taken as white, and `fitted` says so.

    Raises:
        UnsuitableError: where not even the noise level is known.
    """
    if not np.isfinite(fingerprint.noise_level):
        raise UnsuitableError(
            "The image has no flat soft tissue, so its noise level cannot be measured; demottle does not guess it."
        )
    size = settings.window
    white = fingerprint.spectrum is None
    shape = np.ones((size, size)) if fingerprint.spectrum is None else _resample(fingerprint.spectrum.density_2d, size)
    fitted = {"noise_level": fingerprint.noise_level, "white_noise_assumed": white, "unit": image.unit, "modality": image.modality}
    return SpectralWiener(settings, fitted, shape.astype(np.float32))


def restore(settings: Settings, fitted: Mapping[str, Any], tensors: Tensors) -> SpectralWiener:
    """Rebuild a saved filter."""
    return SpectralWiener(settings, fitted, np.asarray(tensors["spectrum"], np.float32))


def _resample(density: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """The spectrum's shape at another number of frequencies, mean 1."""
    centred = np.fft.fftshift(density)
    have = len(centred)
    at = np.fft.fftshift(np.fft.fftfreq(size)) * have + have // 2
    rows, columns = np.meshgrid(at, at, indexing="ij")
    values = np.fft.ifftshift(map_coordinates(centred, [rows, columns], order=1, mode="nearest"))
    out: NDArray[np.float64] = values / values.mean()
    return out


def _overlap_add(blocks: NDArray[Any], step: int, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Sum overlapping blocks (rows, columns, size, size), laid every `step` pixels, into an image of `shape`."""
    down, across, size, _ = blocks.shape
    parts = size // step
    tiles = np.zeros((down + parts - 1, across + parts - 1, step, step))
    for a in range(parts):
        for b in range(parts):
            tiles[a : a + down, b : b + across] += blocks[
                :, :, a * step : (a + 1) * step, b * step : (b + 1) * step
            ]
    flat = tiles.transpose(0, 2, 1, 3).reshape(tiles.shape[0] * step, tiles.shape[1] * step)
    out = np.zeros(shape)
    rows, columns = min(shape[0], flat.shape[0]), min(shape[1], flat.shape[1])
    out[:rows, :columns] = flat[:rows, :columns]
    return out


def _middle(plane: Voxels, image: Image, index: int) -> np.float32:
    """A value for padding that makes no edge worse than needed."""
    valid = image.valid[index] if image.valid is not None else np.ones(plane.shape, np.bool_)
    return np.float32(np.median(plane[valid])) if valid.any() else np.float32(0)
