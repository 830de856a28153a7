"""Detectability d' of a task, from noise (NPS), sharpness (TTF) and what is to be seen (task function W).

Non-prewhitening observer (NPW), and with an eye filter E (NPWE); integrals over the whole frequency plane to Nyquist:

    d'^2 = [ iint W^2 T^2 E^2 du dv ]^2 / iint W^2 T^2 E^4 NPS du dv        (E = 1 for NPW)

ICRU 54; AAPM TG-233; eye filter E(r) = r^1.5 exp(-0.98 r^0.68), r in cycles per degree (Saunders & Samei, Med Phys 33
(2006)). d' is that of a linear, stationary system: for a learned denoiser it is too good, so measure `hotelling` too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.noise.spectrum import Spectrum
from demottle.noise.synthesis import resample_spectrum
from demottle.quality.objects.nps import without_trend_loss
from demottle.quality.objects.tasks import Task

Array = NDArray[np.float64]

_GRID = 256  # frequencies per axis: 1 / (256 pixels) apart, fine enough for objects of a third of that


@dataclass(frozen=True)
class Viewing:
    """How the image is looked at: `distance` in mm from the eye, and `magnification`, mm on the screen per mm in the patient."""

    distance: float = 500.0
    magnification: float = 1.0

    def __post_init__(self) -> None:
        """Check both."""
        if not all(np.isfinite(x) and x > 0 for x in (self.distance, self.magnification)):
            raise InputError(f"{self} needs a positive distance in mm and a positive magnification.")

    def eye(self, frequency: Array) -> Array:
        """Eye filter at frequencies in 1/mm of the patient: 1 at its peak (about 3.3 cycles per degree), 0 at zero."""
        per_degree = np.asarray(frequency, np.float64) / self.magnification * self.distance * np.tan(np.pi / 180)
        top = (1.5 / (0.98 * 0.68)) ** (1 / 0.68)
        result: Array = _visual(per_degree) / _visual(np.asarray(top))
        return result


def dprime(task: Task, nps: Spectrum, frequency: Array, ttf: Array, viewing: Viewing | None = None) -> float:
    """Return d' of the NPW observer, or of the NPWE observer where `viewing` is given. Unit: none; 0 is chance.

    Args:
        task: what is to be seen or told apart.
        nps: noise in HU2 mm2; what its detrend took from the lowest frequencies is put back (`without_trend_loss`).
        frequency, ttf: sharpness at the task's contrast, radial, frequencies in 1/mm rising from 0; beyond its last
            frequency it is taken as zero. `EdgeResponse` has both.
        viewing: distance and magnification of the eye filter.

    Raises:
        InputError: a curve that is not one, a noise spectrum without noise, an object too large for the grid.
    """
    u, v, density = _plane(nps)
    sharp = ttf_at(np.hypot(u, v), frequency, ttf)
    signal = np.abs(task.transform(u, v) * sharp) ** 2
    eye2 = np.ones_like(signal) if viewing is None else viewing.eye(np.hypot(u, v)) ** 2
    cell = 1 / (_GRID**2 * nps.spacing[0] * nps.spacing[1])
    seen, noise = (signal * eye2).sum() * cell, (signal * eye2**2 * density).sum() * cell
    if not noise > 0:
        raise InputError("The noise power spectrum holds no noise where the task has power, so d' has no meaning.")
    return float(seen / np.sqrt(noise))


def ttf_at(radius: Array, frequency: Array, ttf: Array) -> Array:
    """Return a radial transfer function at other frequencies in 1/mm, by straight lines; zero beyond its end.

    Raises:
        InputError: where curve and frequencies differ in length, do not rise from 0, or hold NaN.
    """
    f, t = np.asarray(frequency, np.float64), np.asarray(ttf, np.float64)
    if f.shape != t.shape or f.ndim != 1 or f.size < 2 or f[0] != 0 or not (np.diff(f) > 0).all():
        raise InputError("The transfer function needs as many values as frequencies, and frequencies that rise from 0.")
    if not np.isfinite(t).all():
        raise InputError("The transfer function holds NaN or infinite values.")
    result: Array = np.interp(radius, f, t, right=0.0)
    return result


def task_image(
    task: Task,
    shape: tuple[int, int],
    spacing: tuple[float, float],
    frequency: Array | None = None,
    ttf: Array | None = None,
) -> Array:
    """Return the object as imaged, HU, (rows, columns), centered on pixel (rows // 2, columns // 2).

    The inverse Fourier transform of W T (T = 1 without a curve), sampled at the pixels: what a linear system of that
    sharpness shows, to be added to noise or used as a template.
    """
    u, v = _frequencies(shape, spacing)
    transform = task.transform(u, v)
    if frequency is not None and ttf is not None:
        transform = transform * ttf_at(np.hypot(u, v), frequency, ttf)
    image: Array = np.fft.fftshift(np.fft.ifft2(transform).real) / (spacing[0] * spacing[1])
    return image


def _plane(nps: Spectrum) -> tuple[Array, Array, Array]:
    """Frequencies u, v and the noise power on the fine grid."""
    restored = without_trend_loss(nps).density_2d
    mean = restored.mean()
    density = resample_spectrum(restored, _GRID)
    u, v = _frequencies((_GRID, _GRID), nps.spacing)
    return u, v, density * mean  # resampled spectra have mean 1


def _frequencies(shape: tuple[int, int], spacing: tuple[float, float]) -> tuple[Array, Array]:
    """Frequencies u (1, columns) and v (rows, 1) in 1/mm, numpy's FFT order."""
    u: Array = np.fft.fftfreq(shape[1], spacing[1]).astype(np.float64)[None, :]
    v: Array = np.fft.fftfreq(shape[0], spacing[0]).astype(np.float64)[:, None]
    return u, v


def _visual(per_degree: Array) -> Array:
    result: Array = per_degree**1.5 * np.exp(-0.98 * per_degree**0.68)
    return result
