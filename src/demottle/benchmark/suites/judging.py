"""What a CT or MR result is worth against the truth. Every figure names its range and region; none is of an image's maximum."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, binary_fill_holes

from demottle.benchmark.suites.cases import Case
from demottle.benchmark.suites.discs import disc_figures
from demottle.errors import InputError
from demottle.image import Image, Mask
from demottle.quality.objects.nps import nps_of_uniform
from demottle.quality.truth.errors import BODY_WINDOW, bias, rmse, ssim

TISSUES: Mapping[str, tuple[float, float]] = {
    "fat": (-130, -70),
    "fluid": (-10, 25),
    "muscle": (35, 90),
    "bone": (250, 1200),
}
"""By the truth's CT number, in HU."""
SOFT_TISSUE = (-150.0, 250.0)
_FEWEST_VOXELS = 500
_REGION, _FEWEST_REGIONS = 32, 20

Figures = dict[str, float | None]


def judge_ct(case: Case, image: Image) -> Figures:
    """Measure one CT result.

    `rmse`, `bias`: HU, unclipped, in the body. `psnr`: 20 log10(400 / RMSE) dB, values cut to [-160, 240] HU, in the body.
    `ssim`: values cut to that window, in the body. `nps_shift`: mean frequency of the noise power spectrum of the error
    (image - truth) in soft tissue, less that of the input's noise, 1/mm; `nps_peak_shift`: the same of its peak.
    `shift_...`: mean of output minus input in a tissue, HU. Discs: see `disc_figures`.
    """
    truth, body, got = case.truth.voxels, case.body, image.voxels
    window = BODY_WINDOW
    return {
        "psnr": psnr_cut(got, truth, body, window),
        "rmse": rmse(got, truth, body),
        "bias": bias(got, truth, body),
        "ssim": ssim(got, truth, body, window),
        **disc_figures(got, case.truth, case.plain, case.placed),
        **spectrum_shifts(case, image),
        **{f"shift_{name}": value for name, value in tissue_shifts(case.truth, case.noisy, image).items()},
    }


def psnr_cut(
    got: NDArray[np.float32], truth: NDArray[np.float32], body: Mask, window: tuple[float, float]
) -> float | None:
    """PSNR in dB with values cut to a window, whose width is the range; None for no error at all."""
    error = rmse(np.clip(got, *window), np.clip(truth, *window), body)
    return None if error == 0 else float(20 * np.log10((window[1] - window[0]) / error))


def tissue_shifts(truth: Image, before: Image, after: Image) -> Figures:
    """Mean output minus input per tissue, HU; the truth decides what is which, two pixels inside. None where it is rare."""
    found: Figures = {}
    for name, (low, high) in TISSUES.items():
        total = count = 0.0
        for true, one, other in zip(truth.voxels, before.voxels, after.voxels, strict=True):
            inside = cv2.erode(((true > low) & (true < high)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
            total += float((other[inside] - one[inside]).sum(dtype=np.float64))
            count += int(inside.sum())
        found[name] = total / count if count > _FEWEST_VOXELS else None
    return found


def spectrum_shifts(case: Case, image: Image) -> Figures:
    """How far the spectrum of the error has moved from that of the input's noise, 1/mm; None where there is too little tissue."""
    low, high = SOFT_TISSUE
    soft = (case.truth.voxels > low) & (case.truth.voxels < high) & case.body
    spacing = (case.truth.spacing[1], case.truth.spacing[2])
    if np.array_equal(image.voxels, case.noisy.voxels):
        return {"nps_shift": 0.0, "nps_peak_shift": 0.0}
    try:
        before, after = (
            nps_of_uniform(one.voxels - case.truth.voxels, spacing, soft, _REGION, _FEWEST_REGIONS)
            for one in (case.noisy, image)
        )
    except InputError:
        return {"nps_shift": None, "nps_peak_shift": None}
    shift = after.peak - before.peak  # NaN where either has no peak
    return {"nps_shift": after.mean - before.mean, "nps_peak_shift": shift if np.isfinite(shift) else None}


def body_mask(truth: Image, shrink: int = 3, threshold: float = -300.0) -> Mask:
    """The largest piece above a threshold of each slice, holes filled, less `shrink` pixels all round."""
    masks = []
    for plane in truth.voxels:
        _, labels, stats, _ = cv2.connectedComponentsWithStats((plane > threshold).astype(np.uint8))
        if len(stats) < 2:
            masks.append(np.zeros(plane.shape, np.bool_))
            continue
        largest = labels == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])
        masks.append(binary_erosion(binary_fill_holes(largest), iterations=shrink))
    return np.stack(masks)
