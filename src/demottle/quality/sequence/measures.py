"""SEQUENCE_MEASURES: one row for each thing that is told of a run of frames or a series of volumes; as `MEASURES` for volumes."""

from collections.abc import Callable
from math import nan
from typing import Any

from demottle.quality.measures import IMAGE_UNIT, Better, Measure


def _error(key: str, title: str, unit: str, digits: int, better: Better, **given: Any) -> Measure:
    """A row of what `SequenceErrors` holds under its key, before and after."""

    def of(pair: tuple[Any, Any]) -> tuple[float, float]:
        return getattr(pair[0], key), getattr(pair[1], key)

    return Measure(key, title, unit, digits, better, "errors", of, **given)


def _after(of: Callable[[Any], float]) -> Callable[[Any], tuple[float, float]]:
    return lambda item: (nan, of(item))


SEQUENCE_ERRORS = (
    _error("psnr", "PSNR", "dB", 2, "up", windowed=True),
    _error("psnr_still", "PSNR where nothing moves", "dB", 2, "up", windowed=True, cameras_only=True),
    _error("psnr_moving", "PSNR where something moves", "dB", 2, "up", windowed=True, cameras_only=True),
    _error("ssim", "SSIM", "", 3, "up", windowed=True),
    _error("bias", "mean error", IMAGE_UNIT, 2, "zero"),
    _error("temporal", "error over time", IMAGE_UNIT, 1, "down", cameras_only=True),
    _error("spatial", "error over space", IMAGE_UNIT, 1, "down", cameras_only=True),
    _error("flicker", "flicker of the error", IMAGE_UNIT, 2, "down", listed="flicker of the error", cameras_only=True),
    _error("means_moving", "error of 8 x 8 means in motion", IMAGE_UNIT, 1, "down", cameras_only=True,
           listed="error of 8 x 8 means where something moves"),
)  # fmt: skip
"""What is told of errors against a truth."""

_WITHOUT_TRUTH = (
    Measure("noise", "noise of a frame", IMAGE_UNIT, 1, "down", "run", lambda check: (check.noise.before, check.noise.after),
            limit="noise", listed="noise of a frame in still parts"),
    Measure("noise_removed", "noise removed", "", 2, "none", "run", _after(lambda check: check.noise.removed_share),
            tested=False),
    Measure("held_over", "held over to the next frame", "", 2, "none", "run",
            lambda check: (check.held_before, check.held_after), listed="noise held over to the next frame"),
    Measure("flicker_still", "flicker, still parts", IMAGE_UNIT, 2, "down", "run",
            lambda check: (check.flicker_before, check.flicker_after), listed="flicker in still parts", cameras_only=True),
    Measure("trail", "removed, motion over rest", "", 2, "none", "run", _after(lambda check: check.trail),
            listed="removed where it moves, over at rest"),
    Measure("edge_loss", "share of edges removed", "", 3, "zero", "run edges", _after(lambda edges: edges.lost_share),
            limit="edge_loss"),
    Measure("mean", "mean", IMAGE_UNIT, 1, "none", "shifts", lambda shift: (shift.before, shift.after),
            listed="mean of the {name} parts", tested=False),
    Measure("shift_share", "shift, share of the noise", "", 2, "zero", "shifts", _after(lambda shift: shift.share),
            limit="mean_signal", listed="shift of the {name} parts, share of the noise"),
)  # fmt: skip

SEQUENCE_MEASURES = (*SEQUENCE_ERRORS, *_WITHOUT_TRUTH)
"""Every measure of a run, in the order in which it is told."""
_BY_KEY = {row.key: row for row in SEQUENCE_MEASURES}


def sequence_measure(key: str) -> Measure:
    """Return the row of a key."""
    return _BY_KEY[key]


def headed(row: Measure, unit: str, modality: str, name: str = "") -> str:
    """Return the title for a table; a series of MR volumes has volumes for frames, and change for motion."""
    told = row.headed(unit, name)
    return told.replace("frame", "volume").replace("motion", "change") if modality == "MR" else told


def error_rows(modality: str) -> list[Measure]:
    """Return the rows of errors that mean something: of series of MR volumes those of what moves before a camera do not."""
    return [row for row in SEQUENCE_ERRORS if modality != "MR" or not row.cameras_only]
