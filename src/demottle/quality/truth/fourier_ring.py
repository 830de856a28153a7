"""Structure invented or lost, patch by patch: Fourier ring correlation (FRC) of an image with its truth.

FRC(f) = Re sum F G* / sqrt(sum |F|^2 sum |G|^2) over the ring of frequency f, F and G: Hann-windowed patches of image and truth
(Saxton & Baumeister, J Microsc 127 (1982)). 1: the same structure; 0: nothing in common. What of the image does not follow
the truth, even after any filter, is |F|^2 (1 - FRC^2): noise that is left, and invented structure.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from demottle.errors import InputError
from demottle.quality.arrays import planes_of, same_shape, spacing_of
from demottle.windows import hann

Array = NDArray[np.float64]

LEVEL = 0.5


@dataclass(frozen=True, eq=False)
class RingCorrelation:
    """FRC of patches, the patches in order of `places`.

    Attributes:
        frequency: ring centers in 1/mm, without zero.
        correlation: correlation of all patches together, by ring.
        by_patch: (patches, rings).
        unexplained: standard deviation in HU, by patch, of what does not follow the truth: noise left and structure
            invented, at frequencies from the first ring to Nyquist.
        resolution: frequency in 1/mm where `correlation` first falls below 0.5; infinite where it does not.
        places: (plane, row, column) of each patch's upper left pixel.
        size: side of a patch in pixels.
    """

    frequency: Array
    correlation: Array
    by_patch: Array
    unexplained: Array
    resolution: float
    places: tuple[tuple[int, int, int], ...]
    size: int

    @property
    def worst(self) -> int:
        """Number of the patch with the most unexplained signal."""
        return int(np.argmax(self.unexplained))


def ring_correlation(
    image: NDArray[Any],
    truth: NDArray[Any],
    spacing: float | tuple[float, float],
    size: int = 64,
    mask: NDArray[np.bool_] | None = None,
) -> RingCorrelation:
    """Correlate an image with its truth ring by ring, in half-overlapping patches.

    Args:
        image, truth: (rows, columns) or (n, rows, columns) in HU. A second realization in the place of the truth gives
            what both have in common.
        spacing: pixel spacing in mm.
        size: side of a patch in pixels, at least 16.
        mask: where to look, of the same shape; only patches that lie wholly inside count.

    Raises:
        InputError: different shapes, NaN, no spacing, no patch inside.
    """
    one, other = planes_of(image, "image's planes"), planes_of(truth, "truth's planes")
    same_shape("image and truth", one, other)
    step = spacing_of(spacing)
    if size < 16 or size > min(one.shape[1:]):
        raise InputError(f"No patch of {size} pixels (at least 16) fits into {one.shape[1]} x {one.shape[2]} pixels.")
    places = _places(one.shape, size, mask)
    if not len(places):
        raise InputError(f"No patch of {size} x {size} pixels lies wholly inside the mask; use smaller patches.")
    ring, used, frequency = _rings(size, step)
    found = np.concatenate(
        [_ring_sums(one[z], other[z], places[places[:, 0] == z], ring, used) for z in np.unique(places[:, 0])]
    )
    return _gathered(found, frequency, places, size)


def _places(shape: tuple[int, ...], size: int, mask: NDArray[np.bool_] | None) -> NDArray[np.int_]:
    tops, lefts = (np.arange(0, n - size + 1, size // 2) for n in shape[1:])
    places = np.stack(np.meshgrid(np.arange(shape[0]), tops, lefts, indexing="ij"), axis=-1)
    if mask is None:
        return places.reshape(-1, 3)
    inside = mask if mask.ndim == 3 else mask[None]
    if inside.shape != shape:
        raise InputError(f"The mask has shape {mask.shape}, but the image has {shape}.")
    step = (slice(None), slice(None, None, size // 2), slice(None, None, size // 2))
    whole = np.lib.stride_tricks.sliding_window_view(inside, (size, size), (1, 2))[step].all(axis=(-2, -1))
    return places[whole]


def _rings(size: int, spacing: tuple[float, float]) -> tuple[NDArray[np.int_], NDArray[np.bool_], Array]:
    """Ring of each used frequency, which are used (from the first ring to Nyquist), and the rings' frequencies."""
    f = np.hypot(np.fft.fftfreq(size, spacing[0])[:, None], np.fft.fftfreq(size, spacing[1]))
    step = 1 / (size * max(spacing))
    ring = np.rint(f / step).astype(int) - 1
    used = (ring >= 0) & (ring < size // 2)
    frequency: Array = np.arange(1, size // 2 + 1, dtype=np.float64) * step
    return ring[used], used, frequency


def _ring_sums(
    image: Array, truth: Array, places: NDArray[np.int_], ring: NDArray[np.int_], used: NDArray[np.bool_]
) -> Array:
    """Sums over rings of Re F G*, |F|^2 and |G|^2, as variances of a patch: (patches, 3, rings)."""
    size = len(used)
    window = np.outer(hann(size), hann(size))
    spectra = []
    for plane in (image, truth):
        patches = np.lib.stride_tricks.sliding_window_view(plane, (size, size))[places[:, 1], places[:, 2]]
        patches = patches - (patches * window).sum(axis=(1, 2), keepdims=True) / window.sum()
        spectra.append(fft.fft2(patches * window)[:, used])
    f, g = spectra
    rings = np.zeros((int(ring.max()) + 1, len(ring)))
    rings[ring, np.arange(len(ring))] = 1 / (size**2 * (window**2).sum())
    products = np.stack([(f * g.conj()).real, np.abs(f) ** 2, np.abs(g) ** 2], axis=1)
    sums: Array = products @ rings.T
    return sums


def _gathered(sums: Array, frequency: Array, places: NDArray[np.int_], size: int) -> RingCorrelation:
    by_patch = _correlation(sums)
    whole = _correlation(sums.sum(axis=0))
    unexplained = np.sqrt((sums[:, 1] * (1 - by_patch**2)).sum(axis=1))
    below = np.flatnonzero(whole < LEVEL)
    resolution = float("inf")
    if len(below):
        i = int(below[0])
        resolution = float(frequency[0] if i == 0 else np.interp(LEVEL, whole[[i, i - 1]], frequency[[i, i - 1]]))
    where = tuple((int(z), int(row), int(column)) for z, row, column in places)
    return RingCorrelation(frequency, whole, by_patch, unexplained, resolution, where, size)


def _correlation(sums: Array) -> Array:
    common, one, other = sums[..., 0, :], sums[..., 1, :], sums[..., 2, :]
    scale = np.sqrt(one * other)
    result: Array = np.divide(common, scale, out=np.zeros_like(common), where=scale > 0)
    return np.clip(result, -1, 1)
