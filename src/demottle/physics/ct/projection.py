"""Parallel-beam projection and filtered back-projection of square-pixel slices, fast enough to simulate whole volumes.

Geometry: the rotation axis is the middle of the slice; a ray is (angle, t) with `t = x cos(angle) + y sin(angle)`, x along
columns and y down the rows, both in mm from the middle. Angles cover half a turn, bins of t are as wide as a pixel.
Source: A. C. Kak and M. Slaney, Principles of Computerized Tomographic Imaging, chapter 3.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from demottle.errors import InputError

Kernel = Literal["ramp", "soft", "standard", "sharp"]
FloatArray = NDArray[np.float32]

# Frequency where the apodisation reaches zero, in 1/mm; noise peaks at 0.31 of it, and half the contrast is left at 0.5 of
# it. "soft" and "standard" come near the noise spectra of two body kernels (FC13, B40f); "sharp" is for the lung.
CUT_OFF: dict[Kernel, float] = {"ramp": np.inf, "soft": 0.5, "standard": 0.9, "sharp": 1.6}
OVERSAMPLING = (
    8  # of filtered projections, so that linear interpolation between bins neither blurs nor lowers the noise
)


@dataclass(frozen=True)
class Response:
    """A reconstruction kernel by what it does to each frequency, beside the ramp.

    Attributes:
        frequency: in 1/mm, rising from 0.
        gain: without unit, 1 at frequency 0; in between it is interpolated, beyond the last it keeps the last value.
    """

    frequency: tuple[float, ...]
    gain: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse gains and frequencies that do not fit together."""
        rising = all(low < high for low, high in pairwise(self.frequency))
        if not (self.frequency and len(self.frequency) == len(self.gain) and self.frequency[0] >= 0 and rising):
            raise InputError(
                "A kernel's response needs as many gains as frequencies, and frequencies that rise from 0."
            )
        if not all(0 <= gain < np.inf for gain in self.gain):
            raise InputError(
                "A kernel's response has a gain that is negative or no number; every gain has to be 0 or more."
            )


KernelLike = Kernel | float | Response


def half_turn(count: int) -> NDArray[np.float64]:
    """Return `count` angles in radians, evenly spaced over [0, pi)."""
    return np.asarray(np.arange(count) * (np.pi / count), dtype=np.float64)


def bins_across(shape: tuple[int, int]) -> int:
    """Return how many bins, each as wide as a pixel, cover the diagonal of a slice of `shape`; always odd."""
    return 2 * int(np.ceil(np.hypot(*shape) / 2)) + 1


def forward_project(slice_: FloatArray, pixel_mm: float, angles: NDArray[np.float64]) -> FloatArray:
    """Integrate a slice along parallel rays.

    Args:
        slice_: attenuation in 1/mm, shape (rows, columns), zero outside.
        pixel_mm: edge of a square pixel.
        angles: in radians.

    Returns:
        Line integrals without unit, shape (angles, bins) with `bins_across(slice_.shape)` bins of `pixel_mm`.
    """
    bins = bins_across((slice_.shape[0], slice_.shape[1]))
    source = np.ascontiguousarray(slice_, dtype=np.float32)
    middle_y, middle_x = (slice_.shape[0] - 1) / 2, (slice_.shape[1] - 1) / 2
    centre = (bins - 1) / 2
    sinogram = np.empty((len(angles), bins), np.float32)
    for row, angle in enumerate(angles):
        c, s = np.cos(angle), np.sin(angle)
        to_source = np.array([[c, -s, middle_x - centre * (c - s)], [s, c, middle_y - centre * (s + c)]])
        turned = cv2.warpAffine(source, to_source, (bins, bins), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        sinogram[row] = turned.sum(axis=0)
    return sinogram * np.float32(pixel_mm)


def cut_off_of(kernel: Kernel | float) -> float:
    """Return the frequency in 1/mm where a kernel's apodisation reaches zero; a number is that frequency itself.

    Raises:
        InputError: for a kernel that is not known, or a frequency that is not positive.
    """
    if isinstance(kernel, str):
        if kernel not in CUT_OFF:
            raise InputError(f"There is no kernel {kernel!r}; choose one of {', '.join(get_args(Kernel))}.")
        return CUT_OFF[kernel]
    if not kernel > 0:
        raise InputError(f"The kernel's cut-off is {kernel} /mm; it has to be a positive frequency.")
    return float(kernel)


def apodisation(kernel: KernelLike, frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gain of a kernel beside the ramp at frequencies in 1/mm: Hann, `(1 + cos(pi f / cut_off)) / 2`, or that of a `Response`.

    Raises:
        InputError: as `cut_off_of`.
    """
    if isinstance(kernel, Response):
        return np.interp(frequency, kernel.frequency, kernel.gain)
    return np.asarray(0.5 * (1 + np.cos(np.pi * np.minimum(frequency / cut_off_of(kernel), 1))))


def ramp_response(length: int, bin_mm: float, kernel: KernelLike) -> NDArray[np.float64]:
    """Frequency response (1/mm) of the ramp filter times the kernel's apodisation, for `scipy.fft.rfft` of `length` bins.

    The ramp is the transform of its band-limited impulse response (Kak and Slaney, equation 61), which keeps CT numbers
    right where the sampled |f| would lower them.

    Raises:
        InputError: as `cut_off_of`.
    """
    distance = np.minimum(np.arange(length), length - np.arange(length))
    impulse = np.zeros(length)
    impulse[0] = 0.25
    odd = distance % 2 == 1
    impulse[odd] = -1 / (np.pi * distance[odd]) ** 2
    ramp = np.real(scipy.fft.rfft(impulse)) / bin_mm
    return np.asarray(ramp * apodisation(kernel, scipy.fft.rfftfreq(length, bin_mm)), dtype=np.float64)


def noise_gain(bins: int, bin_mm: float, kernel: KernelLike) -> float:
    """Variance (1/mm2) of a filtered projection whose bins were white noise of variance 1."""
    length = _padded_length(bins)
    response = ramp_response(length, bin_mm, kernel)
    both_sides = 2 * np.sum(response**2) - response[0] ** 2 - response[-1] ** 2
    return float(both_sides / length)


def filtered_backprojection(
    sinogram: FloatArray, shape: tuple[int, int], pixel_mm: float, kernel: KernelLike = "soft"
) -> FloatArray:
    """Reconstruct a slice from line integrals over half a turn.

    Args:
        sinogram: line integrals, shape (angles, bins), angles as `half_turn`, an odd number of bins of `pixel_mm`.
        shape: rows and columns of the slice.
        pixel_mm: edge of a square pixel and width of a bin.
        kernel: apodisation of the ramp filter: "ramp" (none), "soft", "standard", "sharp", its cut-off in 1/mm, or
            its response.

    Returns:
        Attenuation in 1/mm, of `shape`. Noise that is white in the sinogram gets the spectrum |f| times the apodisation
        squared.
    """
    angles, bins = sinogram.shape
    fine = filter_projections(sinogram, pixel_mm, kernel)
    return backproject(fine, shape, OVERSAMPLING, (bins - 1) / 2) * np.float32(np.pi / angles)


def filter_projections(sinogram: FloatArray, bin_mm: float, kernel: KernelLike) -> FloatArray:
    """Filter projections with ramp and kernel, and sample them `OVERSAMPLING` times as finely; 1/mm."""
    bins = sinogram.shape[1]
    length = _padded_length(bins)
    spectrum = scipy.fft.rfft(sinogram.astype(np.float32, copy=False), length, axis=1)
    spectrum *= (OVERSAMPLING * ramp_response(length, bin_mm, kernel)).astype(np.float32)
    return np.asarray(scipy.fft.irfft(spectrum, OVERSAMPLING * length, axis=1)[:, : OVERSAMPLING * bins])


def backproject(
    projections: FloatArray, shape: tuple[int, int], bins_per_pixel: float, centre: float, pixel_step: int = 1
) -> FloatArray:
    """Sum over all angles, at every pixel, the value of the ray through it.

    Args:
        projections: shape (angles, bins), angles as `half_turn`.
        shape: rows and columns of the result.
        bins_per_pixel: bins per full-resolution pixel.
        centre: position of the rotation axis, in pixels from the first bin.
        pixel_step: spacing of the result in pixels, for a coarse result.
    """
    total = np.zeros(shape, np.float32)
    middle_y, middle_x = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    step = bins_per_pixel * pixel_step
    for angle, projection in zip(half_turn(len(projections)), projections, strict=True):
        c, s = np.cos(angle) * step, np.sin(angle) * step
        to_bin = np.array([[c, s, bins_per_pixel * centre - c * middle_x - s * middle_y], [0, 0, 0]])
        row = np.ascontiguousarray(projection[None], dtype=np.float32)
        total += cv2.warpAffine(row, to_bin, shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return total


def _padded_length(bins: int) -> int:
    """Even length for the Fourier transform that keeps the circular convolution from wrapping around."""
    return 2 * int(scipy.fft.next_fast_len(bins, real=True))
