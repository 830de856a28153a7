"""The check of a denoised sequence without a truth: noise, means, flicker, and what was removed where something moves."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image
from demottle.noise.sequence.aligned import moving_noise
from demottle.noise.sequence.blocks import (
    BLOCK,
    Blocks,
    averaged,
    frames_to_look_at,
    held_over,
    measure_blocks,
    pixels_of,
)
from demottle.noise.sequence.fingerprint import PANNING
from demottle.noise.sequence.motion import Motions, find_motions
from demottle.quality.check.level import Levels
from demottle.quality.check.residual import EdgeTest
from demottle.quality.check.verdicts import edge_warnings
from demottle.quality.identical_images import SAME_OUTPUT, same_voxels
from demottle.quality.sequence.series_slices import series_edges, signal_range
from demottle.quality.sequence.truth import flicker
from demottle.quality.to_plain import plain

_NAN = float("nan")
SHIFT_LIMIT = 0.1
"""How far a mean may move before it is worth a warning, as a share of the noise level."""
TRAIL_LIMIT = 1.4
"""How much more the removed part may hold in moving blocks than in still ones. The truth itself gives up to 1.3 (blocks that are
taken for moving hold a little more noise), filters whose trails outweigh the noise 1.4 and more."""
NOTHING_STILL = (
    "The whole image moves, so nothing stands still: how much noise is left, flicker and trails were not measured. Look at what "
    "was removed."
)
NOTHING_ALIKE = (
    "No part of the image stays the same from volume to volume: how much noise is left was not measured. Look at what was "
    "removed."
)


@dataclass(frozen=True)
class BrightnessShift:
    """How the mean of one third of the signal moved, in the image's unit; `share` is of the noise level."""

    name: str
    before: float
    after: float
    share: float


@dataclass(frozen=True)
class SequenceCheck:
    """What was measured on a sequence before and after denoising.

    Attributes:
        modality, unit: as in `Image`.
        noise: standard deviation of a frame's noise in still parts, before and after; where the whole image moves, of aligned
            frames, and before only.
        held_before, held_after: part of a frame's noise that the next one still holds.
        flicker_before, flicker_after: standard deviation over time of the means of blocks of 32 x 32 pixels in which nothing
            moves; NaN where there is none.
        shifts: means of dark, middle and bright parts.
        trail: spread of the removed part's block means where something moves over that where nothing does, in units of the
            noise: about 1 where only noise was removed; NaN where nothing moves.
        warnings: what a reader should know, in sentences.
        edges: whether what was removed from an MR series holds edges (`quality.sequence.series_slices`); None for X-rays.
        signal_range: from the 1st to the 99th percentile of the voxels, of MR series; NaN for X-rays.
        volumes: how many volumes or frames the means are of.
    """

    modality: str
    unit: str
    noise: Levels
    held_before: float
    held_after: float
    flicker_before: float
    flicker_after: float
    shifts: tuple[BrightnessShift, ...]
    trail: float
    warnings: tuple[str, ...] = ()
    edges: EdgeTest | None = None
    signal_range: float = float("nan")
    volumes: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what could not be measured is None."""
        found: dict[str, Any] = plain(self)
        return found


def check_sequence(
    before: Image, after: Image, listener: Listener = silent, compared: Image | None = None
) -> SequenceCheck:
    """Measure what denoising did to a sequence; at most 40 frames are looked at.

    `compared` is `after` with the bias put back that was taken out on purpose; means and edges are compared with it.

    Raises:
        InputError: where the shapes differ.
    """
    if before.shape != after.shape:
        raise InputError(f"Before ({before.shape}) and after ({after.shape}) must have one shape.")
    restored = compared is not None
    before, after = (replace(image, phase=None, maps={}) for image in (before, after))  # parts are looked at
    compared = after if compared is None else replace(compared, phase=None, maps={})
    listener(Progress(Stage.CHECK, 0, 2))
    frames = frames_to_look_at(before)
    motions = find_motions(before, frames)
    pans = motions.speed() >= PANNING
    if len(frames) < 2 or pans:
        checked = _without_still_parts(_moving_level(before, motions) if pans else _NAN)
    else:
        checked = _with_still_parts(before, after, compared, frames)
    noise, held, trail, flickers = checked
    shifts = _shifts(before, compared, frames, noise.before, restored)
    listener(Progress(Stage.CHECK, 2, 2))
    warnings = tuple(_warnings(shifts, trail, noise, before.modality == "MR"))
    if pans:
        warnings = (*warnings, NOTHING_ALIKE if before.modality == "MR" else NOTHING_STILL)
    edges, spread = None, _NAN
    if before.modality == "MR":
        edges, spread = series_edges(before, compared), signal_range(before)
        warnings = (*edge_warnings(edges), *warnings)
    if same_voxels(before, after):
        warnings = (SAME_OUTPUT, *warnings)
    return SequenceCheck(
        before.modality,
        before.unit,
        noise,
        *held,
        *flickers,
        shifts,
        trail,
        warnings,
        edges,
        spread,
        len(frames),
    )


_Checked = tuple[Levels, tuple[float, float], float, tuple[float, float]]
"""Noise, what is held over before and after, trail, flicker before and after."""


def _without_still_parts(level: float) -> _Checked:
    """Where nothing stays the same there is a noise level at most."""
    return Levels(level, _NAN, _NAN, _NAN), (_NAN, _NAN), _NAN, (_NAN, _NAN)


def _with_still_parts(before: Image, after: Image, compared: Image, frames: range) -> _Checked:
    blocks, cleaned = measure_blocks(before, frames), measure_blocks(after, frames)
    cleaned = Blocks(cleaned.mean, cleaned.structure, blocks.still, cleaned.moving_share, frames)
    held = _held(blocks), _held(cleaned)
    low, high = _level(cleaned, held[1]), _level(blocks, held[0])
    noise = Levels(high, low, _removed(before, after, blocks), 1 - low / high if high > 0 else _NAN)
    still = pixels_of(blocks.still, before.shape[1:])
    one, other = (flicker(image.voxels[frames.start : frames.stop], still) for image in (before, after))
    return noise, held, _trail(before, compared, blocks), (one, other)


def _held(blocks: Blocks) -> float:
    """Part of a frame's noise that the next one holds; NaN where it cannot be measured."""
    held, shared = held_over(blocks)
    count = averaged(held, shared)
    return held if count == 1 else 1 - 1 / count


def _level(blocks: Blocks, held: float) -> float:
    """Median standard deviation in still blocks, corrected for what frames share."""
    if not blocks.still.any():
        return float("nan")
    kept = 1 - held if np.isfinite(held) else 1.0
    return float(np.sqrt(np.median(blocks.structure[0][blocks.still]) / max(kept, 0.02)))


def _moving_level(image: Image, motions: Motions) -> float:
    """Standard deviation of a frame's noise, from frames brought onto each other; NaN where too little of them can be."""
    found = moving_noise(image, motions)
    return float("nan") if found is None else found.curve.level


def _removed(before: Image, after: Image, blocks: Blocks) -> float:
    """Root mean square of what was removed in still blocks."""
    where = pixels_of(blocks.still, before.shape[1:])
    if not where.any():
        return float("nan")
    squares = [np.mean((before.voxels[t] - after.voxels[t])[where] ** 2) for t in blocks.frames]
    return float(np.sqrt(np.mean(squares)))


def _trail(before: Image, after: Image, blocks: Blocks) -> float:
    moving = ~blocks.still & (blocks.structure[0] > 0)
    if moving.sum() < 8 or blocks.still.sum() < 8:
        return float("nan")
    deviation = np.sqrt(np.maximum(np.median(blocks.structure[0][blocks.still]), 1e-30))
    rows, columns = blocks.still.shape
    spread = []
    for t in list(blocks.frames)[:: max(1, len(blocks.frames) // 12)]:
        removed = (before.voxels[t] - after.voxels[t])[: rows * BLOCK, : columns * BLOCK]
        means = cv2.resize(np.ascontiguousarray(removed), (columns, rows), interpolation=cv2.INTER_AREA) / deviation
        spread.append([float(np.sqrt(np.mean(means[where] ** 2))) for where in (moving, blocks.still)])
    in_motion, at_rest = np.mean(spread, axis=0)
    return float(in_motion / at_rest) if at_rest > 0 else float("nan")


def _shifts(before: Image, after: Image, frames: range, level: float, by_after: bool) -> tuple[BrightnessShift, ...]:
    """Means of the thirds of the signal, told apart by the mean over time, which noise hardly moves.

    Of air there is much in MR, and nothing but noise: what is its darkest part is chosen by that noise, and would come back
    towards the mean. `by_after`: chosen by what was denoised.
    """
    window = slice(frames.start, frames.stop)
    one, other = (image.voxels[window].mean(axis=0, dtype=np.float64) for image in (before, after))
    valid = np.ones(one.shape, np.bool_) if before.valid is None else before.valid[frames.start]
    guide = other if by_after else one
    ends = np.quantile(guide[valid], [1 / 3, 2 / 3])
    found = []
    third: NDArray[np.intp] = np.digitize(guide, ends)
    for index, name in enumerate(("dark", "middle", "bright")):
        part = valid & (third == index)
        if part.any():
            low, high = float(one[part].mean()), float(other[part].mean())
            found.append(BrightnessShift(name, low, high, (high - low) / level if level > 0 else float("nan")))
    return tuple(found)


def _warnings(shifts: tuple[BrightnessShift, ...], trail: float, noise: Levels, series: bool) -> list[str]:
    found = [
        f"The mean of the {shift.name} parts moved by {100 * shift.share:+.0f} % of the noise level."
        for shift in shifts
        if abs(shift.share) > SHIFT_LIMIT
    ]
    if trail > TRAIL_LIMIT and series:
        found.append(
            f"What was removed holds {trail:.1f} times as much where the volumes differ as elsewhere: look there for detail that "
            "is gone."
        )
    elif trail > TRAIL_LIMIT:
        found.append(
            f"What was removed holds {trail:.1f} times as much where something moves as elsewhere: look there for trails and "
            "for detail that is gone."
        )
    if noise.after > noise.before:
        found.append(f"The noise {'where volumes are alike' if series else 'in still parts'} grew.")
    return found
