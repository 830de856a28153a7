"""Errors of a sequence against its truth: noise over time and over space, motion apart from rest, flicker."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image, Mask
from demottle.quality.errors import bias, psnr, ssim

FLICKER_BLOCK = 32
"""Side in pixels of the blocks whose mean flickers."""


@dataclass(frozen=True)
class SequenceErrors:
    """Errors of one sequence against the truth, in the image's unit unless said otherwise.

    Attributes:
        window: the range of PSNR and SSIM.
        psnr: over all valid pixels and frames, dB.
        psnr_still, psnr_moving: where nothing moves and where something does; NaN without a mask or without such pixels.
        ssim: mean structural similarity of frames (every fourth), clipped to `window`.
        bias: mean error.
        temporal: standard deviation of the error over time, root mean square over pixels: grain that moves.
        spatial: standard deviation of the error over a frame, root mean square over frames.
        flicker: standard deviation over time of block means of the error, root mean square over blocks of 32 x 32.
    """

    window: tuple[float, float]
    psnr: float
    psnr_still: float
    psnr_moving: float
    ssim: float
    bias: float
    temporal: float
    spatial: float
    flicker: float


def sequence_errors(
    image: Image,
    truth: Image,
    window: tuple[float, float] | None = None,
    moving: Mask | None = None,
    skip: int = 0,
) -> SequenceErrors:
    """Compare a sequence with its truth.

    Args:
        image: noisy or denoised.
        truth: without noise, same shape.
        window: range of PSNR and SSIM; None: from 0.5 % to 99.5 % of the truth's values, so that one truth has one range.
        moving: where something moves, shape of the image.
        skip: frames at the beginning to leave out, while a filter settles.

    Raises:
        InputError: shapes that differ, or no frames left.
    """
    if image.shape != truth.shape:
        raise InputError(f"The sequence has shape {image.shape}, its truth {truth.shape}; they have to be the same.")
    if skip >= image.shape[0]:
        raise InputError(f"{skip} of {image.shape[0]} frames are to be left out, which leaves none.")
    found, reference = image.voxels[skip:], truth.voxels[skip:]
    if window is None:
        low, high = (float(value) for value in np.percentile(reference, [0.5, 99.5]))
        window = low, high
    valid = np.ones(image.shape[1:], np.bool_) if image.valid is None else image.valid[skip]
    everywhere = np.broadcast_to(valid, found.shape)
    parts = [float("nan")] * 2
    if moving is not None:
        masks = (everywhere & ~moving[skip:], everywhere & moving[skip:])
        parts = [psnr(found, reference, mask, window) if mask.any() else float("nan") for mask in masks]
    error = found - reference
    return SequenceErrors(
        window=window,
        psnr=psnr(found, reference, everywhere, window),
        psnr_still=parts[0],
        psnr_moving=parts[1],
        ssim=ssim(found[::4], reference[::4], everywhere[::4], window),
        bias=bias(found, reference, everywhere),
        temporal=float(np.sqrt(error.var(axis=0, dtype=np.float64)[valid].mean())),
        spatial=float(np.sqrt(np.mean([frame[valid].var(dtype=np.float64) for frame in error]))),
        flicker=flicker(error),
    )


def flicker(frames: NDArray[np.float32]) -> float:
    """Standard deviation over time of the means of blocks of 32 x 32 pixels, root mean square over blocks.

    Of a run of a scene that stands still, or of its error where something moves.
    """
    rows, columns = (max(1, side // FLICKER_BLOCK) for side in frames.shape[1:])
    used = frames[:, : rows * FLICKER_BLOCK, : columns * FLICKER_BLOCK]
    means = np.stack([cv2.resize(np.ascontiguousarray(f), (columns, rows), interpolation=cv2.INTER_AREA) for f in used])
    return float(np.sqrt(means.astype(np.float64).var(axis=0).mean()))
