"""Wiener shrinkage in overlapping windows, frequency by frequency, against a known noise spectrum. Nothing is learned."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from demottle.errors import InputError
from demottle.noise.synthesis import resample_spectrum


class WindowedWiener(nn.Module):
    """Denoise slices whose noise has a known spectrum shape and a known, slowly changing level.

    Every window is tapered and transformed. With X a coefficient and N the noise power expected there, the coefficient is
    multiplied by `S / (S + N)`, where `S = |X|^2 - N` if `|X|^2 > threshold^2 N` and 0 otherwise (empirical Wiener filter
    with a significance test). The window's mean is kept, so CT numbers do not shift.

    Shapes: images and deviations (batch, 1, rows, columns), any size of at least one window; so is the result.

    Args:
        spectrum: noise power per frequency, (n, n) in FFT order, in any unit: only its shape counts.
        window: side of a window in pixels, a multiple of `overlap`.
        overlap: how many windows cover a pixel in each direction, 2 or 4. 4 is better and four times slower.
        threshold: significance, in standard deviations of the noise.
    """

    power: Tensor
    taper: Tensor

    def __init__(
        self, spectrum: NDArray[np.floating], window: int = 16, overlap: int = 2, threshold: float = 2.7
    ) -> None:
        """Prepare the expected noise power of a tapered window."""
        super().__init__()
        if overlap not in (2, 4) or window % overlap or window < 8:
            raise InputError(f"A window of {window} pixels with overlap {overlap} is not possible.")
        self.window, self.step, self.threshold = window, window // overlap, threshold
        taper = root_taper(window)
        power = expected_power(spectrum, taper).astype(np.float32)
        self.register_buffer("power", torch.from_numpy(power), persistent=False)
        self.register_buffer("taper", torch.from_numpy(taper.astype(np.float32)), persistent=False)

    def forward(self, image: Tensor, deviation: Tensor) -> Tensor:
        """Return the filtered image; `deviation` is the local standard deviation of its noise."""
        size, step = self.window, self.step
        rows, columns = image.shape[-2:]
        pad = (size, size + (-columns) % step, size, size + (-rows) % step)
        padded = pad_slices(image, pad)
        blocks = padded[:, 0].unfold(1, size, step).unfold(2, size, step)
        down, across = blocks.shape[1:3]
        middle = slice(size // 2, None, step)
        local = pad_slices(deviation, pad)[:, 0, middle, middle][:, :down, :across, None, None]
        mean = blocks.mean((-1, -2), keepdim=True)
        coefficients = torch.fft.rfft2((blocks - mean) * self.taper)
        observed = coefficients.real**2 + coefficients.imag**2
        noise = local**2 * self.power
        signal = torch.where(observed > self.threshold**2 * noise, observed - noise, torch.zeros_like(observed))
        gain = signal / (signal + noise).clamp(min=1e-20)
        back = torch.fft.irfft2(coefficients * gain, s=(size, size)) * self.taper + mean * self.taper**2
        total = self._overlap_add(back, padded.shape[-2:])
        whole = self._overlap_add((self.taper**2).expand(1, down, across, size, size), padded.shape[-2:])
        result = total / whole.clamp(min=1e-6)
        return result[..., size : size + rows, size : size + columns]

    def _overlap_add(self, blocks: Tensor, shape: torch.Size) -> Tensor:
        columns = blocks.flatten(1, 2).flatten(2).transpose(1, 2)
        return functional.fold(columns, (shape[0], shape[1]), self.window, stride=self.step)


def root_taper(window: int) -> NDArray[np.float64]:
    """Return the root of a Hann window (window, window).

    Applied before and after, it makes a Hann window; those overlap-add to a constant.
    """
    ramp = np.hanning(window + 1)[:window]
    taper: NDArray[np.float64] = np.sqrt(np.outer(ramp, ramp))
    return taper


def expected_power(spectrum: NDArray[np.floating], taper: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the noise power that a tapered window (n, n) sees at the frequencies (n, n // 2 + 1) of its `rfft2`.

    Args:
        spectrum: noise power per frequency, square, in FFT order, in any unit; the noise's variance is taken as 1.
        taper: what the window is multiplied by: it smears the spectrum by its own.
    """
    window = len(taper)
    smear = np.abs(np.fft.fft2(taper)) ** 2
    shape = resample_spectrum(spectrum, window)
    power = np.maximum(np.fft.ifft2(np.fft.fft2(shape) * np.fft.fft2(smear)).real / window**2, 0)
    return np.asarray(power[:, : window // 2 + 1], np.float64)


def pad_slices(image: Tensor, pad: tuple[int, int, int, int]) -> Tensor:
    """Continue slices (..., rows, columns) by their mirror image, or by their border where they are smaller than `pad`."""
    mode = "reflect" if min(image.shape[-2:]) > max(pad) else "replicate"
    return functional.pad(image, pad, mode=mode)
