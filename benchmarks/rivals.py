"""BM3D, the rival, in the two forms that the literature reports. Needs the package `bm3d` (not free for commercial use)."""

import cv2
import numpy as np


def bm3d_white(plane: np.ndarray, sigma: float) -> np.ndarray:
    """BM3D told that the noise is white."""
    return np.asarray(_bm3d()(plane, sigma), np.float32)


def bm3d_true_spectrum(plane: np.ndarray, spectrum: np.ndarray) -> np.ndarray:
    """BM3D told the true noise spectrum (the size of the slice, in numpy's FFT order)."""
    return np.asarray(_bm3d()(plane, spectrum), np.float32)


def true_spectrum(noise: np.ndarray, body: np.ndarray) -> np.ndarray:
    """Mean power spectrum of the very noise that was added, scaled to its mean variance in the body."""
    power = np.mean([np.abs(np.fft.fft2(plane)) ** 2 for plane in noise], axis=0)
    # Smoothed over neighboring frequencies: a mean over tens of slices is still rough.
    power = np.fft.ifftshift(cv2.blur(np.fft.fftshift(power).astype(np.float32), (5, 5))).astype(np.float64)
    variance = float((noise[body].astype(np.float64) ** 2).mean())
    return power * variance * power.size / power.mean()


def _bm3d():
    if not hasattr(np, "trapz"):
        np.trapz = np.trapezoid  # noqa: NPY201 (bm3d 4.0.3 still calls it; numpy 2.4 took it away)
    import bm3d

    return bm3d.bm3d
