"""The figures of ldct-benchmark (Eulig, Ommer, Kachelriess, Medical Physics 2024): whole slices, one by one, then their mean.

Values are cut to a window and brought to 0 ... 1, by the window's formula in DICOM PS3.3 C.11.2.1.2.1, which takes a width of w
as w - 1 from black to white. No mask: air around the patient counts, so figures are not comparable with those inside the body.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

Window = tuple[float, float]
WINDOWS: Mapping[str, Window] = {"chest": (-600.0, 1500.0), "abdomen": (50.0, 400.0), "head": (40.0, 80.0)}
"""Center and width in HU by region."""
LOWEST, HIGHEST = -1024.0, 1900.0
"""HU that values are cut to for the RMSE."""
PDML_RANGE = 2000.0
"""HU that PDML's networks see as 1: `(HU + 1000) / 2000`."""


def ldct_figures(image: NDArray[Any], truth: NDArray[Any], window: Window) -> dict[str, float | None]:
    """Measure a volume (slices, rows, columns) in HU against its truth.

    `ldct_psnr`: dB, `10 log10(1 / MSE)` of windowed values. `ldct_ssim`: of windowed values, scikit-image's defaults (mean over
    squares of 7 x 7 pixels, sample covariance, range 1). `ldct_rmse`: HU, cut to [-1024, 1900] HU. `psnr_2000`: dB,
    `20 log10(2000 / RMSE)`, nothing cut: with the peak at 1 of `(HU + 1000) / 2000`. None where a slice has no error at all.
    """
    rows = [_of_slice(one, other, window) for one, other in zip(image, truth, strict=True)]
    return {name: _mean([row[name] for row in rows]) for name in rows[0]}


def windowed(values: NDArray[Any], window: Window) -> NDArray[np.float64]:
    """Bring values in HU to 0 ... 1 by the formula of DICOM, center and width in HU."""
    center, width = window
    return np.clip((np.asarray(values, np.float64) - (center - 0.5)) / (width - 1.0) + 0.5, 0.0, 1.0)


def _of_slice(image: NDArray[Any], truth: NDArray[Any], window: Window) -> dict[str, float]:
    one, other = windowed(image, window), windowed(truth, window)
    cut = (np.clip(np.asarray(values, np.float64), LOWEST, HIGHEST) for values in (image, truth))
    whole = _mse(np.asarray(image, np.float64), np.asarray(truth, np.float64))
    alike = structural_similarity(other, one, data_range=1.0)  # type: ignore[no-untyped-call]
    return {
        "ldct_psnr": _decibels(1.0, _mse(one, other)),
        "ldct_ssim": float(alike),
        "ldct_rmse": float(np.sqrt(_mse(*cut))),
        "psnr_2000": _decibels(PDML_RANGE**2, whole),
    }


def _mse(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.mean((one - other) ** 2))


def _decibels(peak: float, error: float) -> float:
    return float(10 * np.log10(peak / error)) if error else float("inf")


def _mean(values: list[float]) -> float | None:
    found = float(np.mean(values))
    return found if np.isfinite(found) else None
