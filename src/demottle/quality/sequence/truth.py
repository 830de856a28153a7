"""Errors of a sequence against its truth: over time and over space, motion apart from rest, flicker."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image, Mask, Voxels
from demottle.noise.sequence.blocks import block_means
from demottle.quality.truth.errors import bias, psnr, ssim

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
        temporal: error over time: standard deviation of a pixel's error over all frames, root mean square over pixels. Grain
            that moves is part of it, and so is what trails behind motion.
        spatial: error over space: standard deviation of the error over the pixels of a frame, root mean square over frames.
        flicker: flicker of the error: standard deviation over time of its means over blocks of 32 x 32 pixels, rms over
            all blocks, moving ones too.
        means_moving: root mean square of the error's means over blocks of 8 x 8 pixels, where something moves: noise nearly
            cancels in them, so this is structure that was lost or left behind. NaN like `psnr_moving`.
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
    means_moving: float = float("nan")


def window_of(truth: Voxels) -> tuple[float, float]:
    """The range of PSNR and SSIM: from 0.5 % to 99.5 % of the truth's values, so that one truth has one range."""
    low, high = (float(value) for value in np.percentile(truth, [0.5, 99.5]))
    return low, high


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
        window: range of PSNR and SSIM; None: that of `window_of`.
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
        window = window_of(reference)
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
        means_moving=float("nan") if moving is None else _means(error, moving[skip:].any(axis=0) & valid),
    )


def _means(error: Voxels, where: Mask) -> float:
    """Root mean square of means over blocks of 8 x 8 pixels that lie for the most part in `where`; NaN without any."""
    found = block_means(where.astype(np.float32)) > 0.5
    if not found.any():
        return float("nan")
    return float(np.sqrt(np.mean([np.mean(block_means(frame)[found] ** 2) for frame in error])))


def flicker(frames: NDArray[np.float32], still: Mask | None = None) -> float:
    """Standard deviation over time of the means of blocks of 32 x 32 pixels.

    Args:
        frames: a run, or the error of one, (frames, rows, columns).
        still: (rows, columns), where nothing moves: only blocks that lie wholly in it count, and the median of their variances,
            because what creeps through one is not flicker. None: all blocks, their root mean square.

    Returns:
        NaN where no block is left.
    """
    rows, columns = (max(1, side // FLICKER_BLOCK) for side in frames.shape[1:])
    height, width = rows * FLICKER_BLOCK, columns * FLICKER_BLOCK

    def means(plane: NDArray[np.float32]) -> NDArray[np.float64]:
        whole = np.ascontiguousarray(plane[:height, :width])
        return cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float64)

    variance = np.stack([means(frame) for frame in frames]).var(axis=0)
    if still is not None:
        variance = variance[means(still.astype(np.float32)) > 0.999]
        return float(np.sqrt(np.median(variance))) if variance.size else float("nan")
    return float(np.sqrt(variance.mean()))
