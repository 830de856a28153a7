"""Principal components of local windows over all volumes of an MR series, less those that are noise (MP-PCA).

In a small window the signals of a series of T volumes are few patterns over time (or over diffusion weighting) with different
strength at each pixel: a matrix of low rank. Noise spreads over all components, and its eigenvalues follow the law of
Marchenko and Pastur, whose width tells its variance. Components within it are dropped (J. Veraart et al., NeuroImage 142,
2016). Nothing is averaged over time or over directions: what a volume alone shows stays in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Mask
from demottle.methods.filter import Filter
from demottle.methods.registry import name_of

NAME = name_of(__name__)
FEWEST = 4
"""Volumes: with fewer there is no telling noise from signal by their components."""
_WINDOWS = (5, 7, 9, 11, 13)
_AT_ONCE = 64  # windows
_LARGEST = 13

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MpPcaSettings:
    """Settings of the filter.

    Attributes:
        window: side of a window in pixels, odd; 0: the smallest that holds as many pixels as there are volumes, 5 to 13.
    """

    window: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.window and (self.window < 3 or self.window % 2 == 0):
            raise InputError(f"window is {self.window}; it has to be an odd number of at least 3, or 0 to choose it.")


class MpPca(Filter[MpPcaSettings]):
    """The filter; it learns nothing and is told nothing of the noise."""

    method = NAME

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Filter the series; pixels whose window leaves the image or holds padding come out as they went in."""
        frames, rows, columns = image.shape
        side = self._settings.window or window_for(frames)
        if frames < FEWEST or min(rows, columns) < side:
            return image
        seen: Mask = np.ones((rows, columns), np.bool_) if image.valid is None else np.asarray(image.valid.all(axis=0))
        total, weight = np.zeros(image.shape), np.zeros((rows, columns))
        for top in range(rows - side + 1):
            listener(Progress(Stage.APPLY, top, rows))
            usable = usable_places(seen, top, side)
            if not usable.size:
                continue
            band = image.voxels[:, top : top + side].astype(np.float64)
            for at, cleaned, worth in _cleaned(band, usable, side):
                for column, window, share in zip(at, cleaned, worth, strict=True):
                    total[:, top : top + side, column : column + side] += share * window
                    weight[top : top + side, column : column + side] += share
        listener(Progress(Stage.APPLY, rows, rows))
        known = weight > 0
        out = np.where(known, total / np.where(known, weight, 1), image.voxels)
        return image.with_voxels(out.astype(np.float32))


def window_for(volumes: int) -> int:
    """Return the smallest side of a window that holds as many pixels as there are volumes."""
    return next((side for side in _WINDOWS if side * side >= volumes), _LARGEST)


def usable_places(seen: Mask, top: int, side: int) -> NDArray[np.intp]:
    """First columns of the windows with the first row `top` that hold no padding."""
    whole = seen[top : top + side].all(axis=0)
    return np.flatnonzero(sliding_window_view(whole, side).all(axis=1))


def _cleaned(band: Array, columns: NDArray[np.intp], side: int) -> Iterator[tuple[NDArray[np.intp], Array, Array]]:
    """Yield some windows at a time: their first columns, their values without noise, and how much each is worth."""
    frames = len(band)
    for at in np.array_split(columns, max(1, len(columns) // _AT_ONCE)):
        windows = np.stack([band[:, :, column : column + side].reshape(frames, -1) for column in at])
        cleaned, kept = without_noise(windows)
        # Few components: the window is simple, and what it says is sure (as in the authors' overcomplete form).
        yield at, cleaned.reshape(len(at), frames, side, side), 1 / (1 + kept)


def without_noise(windows: Array) -> tuple[Array, NDArray[np.intp]]:
    """Drop the components that are noise.

    Args:
        windows: (n, volumes, pixels).

    Returns:
        The same without noise, and how many components each kept.

    With the eigenvalues l_1 <= ... <= l_m of the smaller of both covariances (over the larger number N), the c smallest are noise
    where l_c - l_1 <= 4 sqrt(c / N) mean(l_1 ... l_c): that is how wide Marchenko and Pastur's law is for noise of that variance.
    """
    wide = windows.shape[1] <= windows.shape[2]
    x = windows if wide else windows.transpose(0, 2, 1)
    few, many = x.shape[1:]
    values, vectors = np.linalg.eigh(x @ x.transpose(0, 2, 1) / many)  # rising
    values = np.maximum(values, 0)
    count = np.arange(1, few + 1)
    mean = np.cumsum(values, axis=1) / count
    # Rounding makes the eigenvalues of an exact constant differ by a part in 10^12: all of them are noise of no size then.
    fits = values - values[:, :1] <= 4 * np.sqrt(count / many) * mean
    noise = np.where(fits, count, 0).max(axis=1)
    signal = np.arange(few) >= noise[:, None]
    kept = np.where(signal[:, None, :], vectors, 0)
    out = kept @ (kept.transpose(0, 2, 1) @ x)
    return (out if wide else out.transpose(0, 2, 1)), signal.sum(axis=1)


Settings, fit, restore = MpPcaSettings, MpPca.fit, MpPca.restore
