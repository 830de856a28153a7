"""What BM3D and BM4D have in common: their optional packages, and what they are told of the noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from demottle.errors import InputError
from demottle.methods.registry import refuse_missing


@dataclass(frozen=True)
class BlockMatchingSettings:
    """Settings of both.

    Attributes:
        spectrum: what the filter is told of the noise: "white", or the spectrum "measured" on the scan.
        threads: 1: the same bits every time; 0: as many as there are cores, which then wait for one another by spinning, and
            the last digits differ from run to run.
        level: "mean": the filter is told one noise level, as its authors have it; "local": the noise is made even by its measured
            map first, as demottle does for its own filters.
    """

    spectrum: Literal["white", "measured"] = "measured"
    threads: int = 1
    level: Literal["mean", "local"] = "mean"

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.spectrum not in ("white", "measured"):
            raise InputError(f'spectrum is "{self.spectrum}"; it has to be "white" or "measured".')
        if self.level not in ("mean", "local"):
            raise InputError(f'level is "{self.level}"; it has to be "mean" or "local".')
        if self.threads < 0:
            raise InputError(f"threads is {self.threads}; it has to be 1 or more, or 0 for all cores.")


def stretched(spectrum: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Give a power spectrum (n, m) in FFT order as many frequencies as a slice has pixels; its mean becomes 1."""
    centered = np.fft.fftshift(np.asarray(spectrum, np.float64))
    at = [
        np.fft.fftshift(np.fft.fftfreq(side)) * have + have // 2
        for side, have in zip(shape, centered.shape, strict=True)
    ]
    # Frequencies are cyclic: beyond the last is the first.
    values = map_coordinates(centered, np.meshgrid(*at, indexing="ij"), order=1, mode="grid-wrap")
    out: NDArray[np.float64] = np.fft.ifftshift(np.maximum(values, 0))
    mean = float(out.mean())
    return np.asarray(out / mean if mean > 0 else np.ones(shape), np.float64)


def across_slices(rho: Sequence[float], slices: int) -> NDArray[np.float64]:
    """Power over the frequencies (slices,) along z of noise with the given correlation at lags 1, 2, ...; its mean is 1."""
    frequency = np.fft.fftfreq(slices)
    terms = (2 * share * np.cos(2 * np.pi * lag * frequency) for lag, share in enumerate(rho, start=1))
    power: NDArray[np.float64] = np.maximum(1 + sum(terms, np.zeros(slices)), 0.05)
    return np.asarray(power / power.mean(), np.float64)


def package(method: str, settings: BlockMatchingSettings) -> tuple[Any, Any]:
    """Import the method's package; returns its module and its usual profile, with the number of threads set.

    Raises:
        InputError: where it is not installed.
    """
    refuse_missing(method)
    if not hasattr(np, "trapz"):
        setattr(np, "trapz", np.trapezoid)  # noqa: B010 - the packages still call the name that numpy 2.4 took away
    module = import_module(method)
    profile = getattr(module, f"{method.upper()}Profile")()
    profile.num_threads = settings.threads
    return module, profile
