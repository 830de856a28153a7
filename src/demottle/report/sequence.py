"""The page of a denoised sequence: before, after and what was removed as a small film, with the figures."""

import base64
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from demottle.errors import counted
from demottle.image import Image
from demottle.quality.sequence.check import SHIFT_LIMIT, TRAIL_LIMIT, SequenceCheck
from demottle.quality.sequence.compared import structure_lost
from demottle.quality.sequence.measures import error_rows, headed, sequence_measure
from demottle.quality.sequence.response import Response
from demottle.quality.sequence.truth import SequenceErrors
from demottle.report import words
from demottle.report.done import done_groups
from demottle.report.page import environment_and_style, write_whole
from demottle.report.words import Card

_MOST_FRAMES = 32
_WIDEST = 360  # pixels of one of the three pictures
_QUALITY = 70
_REMOVED_SIGMAS = 3.0
_LONGEST = 400  # ms that a volume of MR is shown, however long it took


def write_sequence_page(
    before: Image,
    after: Image,
    check: SequenceCheck,
    record: Mapping[str, Any],
    path: Path,
    response: Response | None = None,
    errors: tuple[SequenceErrors, SequenceErrors] | None = None,
    compared: Image | None = None,
) -> None:
    """Write one self-contained HTML page (a few MB) about a denoised sequence.

    Args:
        before, after: measures of one shape.
        check: what `check_sequence` measured on them.
        record: what was done, as in `run.json`; any key may be missing.
        path: the page; appears only when complete.
        response: what the method does to what moves, where it was tested.
        errors: against the truth, before and after, where there is one.
        compared: `after` with the bias put back that was taken out on purpose: what was removed beside it is shown.

    Raises:
        OutputError: where the page cannot be written.
    """
    environment, css = environment_and_style()
    environment.filters["zip"] = zip
    lost = [sentence for sentence in [structure_lost(errors) if errors else ""] if sentence]
    template = environment.get_template("sequence.html.j2")
    text = template.render(
        css=css,
        title=words.series_title(record),
        facts=_facts(before),
        volumes=before.modality == "MR",
        cards=[
            *words.gate_cards(record.get("gate")),
            *truth_cards(errors),
            *cards(check, record),
            *response_cards(response),
        ],
        warnings=words.warnings([*lost, *check.warnings], record),
        failed=words.gate_failed(record.get("gate")),
        reasons=words.sentences(record.get("plan_reasons")),
        done=done_groups(record),
        version=record.get("version", ""),
        check=check,
        response=response,
        errors=errors,
        error_rows=error_rows(before.modality),
        title_of=lambda key: headed(sequence_measure(key), "", before.modality),
        film=Markup(film_of(before, after, check.noise.before, compared)),
        sigmas=_REMOVED_SIGMAS,
    )
    write_whole(text, path)


def _facts(image: Image) -> list[str]:
    """The line below the title; frames of MR hold all slices of a volume, one below the other."""
    frames, rows, columns = image.shape
    seconds, down, right = image.spacing
    pixels = f"{down:.3g} x {right:.3g} mm"
    if image.modality == "MR":
        size = f"{counted(frames, 'volume')}, {rows} x {columns} pixels with all slices"
        return [image.modality, size, f"one every {seconds:.3g} s", pixels]
    return [
        image.modality,
        f"{frames} frames of {rows} x {columns}",
        f"{1 / seconds:.3g} frames per second",
        pixels,
    ]


def truth_cards(errors: tuple[SequenceErrors, SequenceErrors] | None) -> list[Card]:
    """Return the card of the errors against a truth."""
    if errors is None:
        return []
    before, after = (found.psnr for found in errors)
    low, high = errors[0].window
    against, lost = f"against the truth, range {low:.4g} to {high:.4g}", bool(structure_lost(errors))
    if lost:
        against += "; but not only noise was removed"
    tone = "good" if after > before and not lost else "warn"
    return [Card("PSNR", f"{before:.1f} → {after:.1f} dB", against, tone)]


def response_cards(response: Response | None) -> list[Card]:
    """Return the card of a moving edge, where the method was tested with one."""
    if response is None:
        return []
    (_, still), (speed, fast) = response.widths[0], response.widths[-1]
    wide = f"{fast:.1f}" if isfinite(fast) else "> 60"
    told = f"width at rest and at {speed:g} pixels per frame, in a test" + ("; it trails" if response.trails else "")
    return [Card("Moving edge", f"{still:.1f} → {wide} px", told, "warn" if response.trails else "plain")]


def cards(check: SequenceCheck, record: Mapping[str, Any]) -> list[Card]:
    """Return the headline cards: noise, means, motion, flicker, time; of MR series noise, means and change."""
    noise, made = check.noise, []
    series = check.modality == "MR"  # volumes, of which none is a picture of what moves
    if isfinite(noise.removed_share):
        good = "good" if 0.1 <= noise.removed_share <= 0.95 else "warn"
        change = f"{100 * noise.removed_share:.0f} % less " + (
            "where volumes are alike" if series else "in still parts"
        )
        made.append(Card("Noise", f"{noise.before:.3g} → {noise.after:.3g}", change, good))
    shifts = [shift for shift in check.shifts if isfinite(shift.share)]
    if shifts:
        worst = max(shifts, key=lambda shift: abs(shift.share))
        tone = "warn" if abs(worst.share) > SHIFT_LIMIT else "good"
        detail = f"largest: {worst.name} parts, {100 * worst.share:+.1f} % of the noise"
        made.append(Card("Mean signal", "moved" if tone == "warn" else "kept", detail, tone))
    if isfinite(check.trail):
        tone = "warn" if check.trail > TRAIL_LIMIT else "plain"
        look = "look for lost detail" if series else "look for trails"
        told = look if tone == "warn" else "noise alone gives about 1; small things may escape it"
        where = "where volumes differ, over where they do not" if series else "where it moves, over at rest"
        label = "Removed in change" if series else "Removed in motion"
        made.append(Card(label, f"× {check.trail:.2f}", f"removed {where}; {told}", tone))
    if series:
        return made
    if isfinite(check.flicker_before):
        flickers = f"{check.flicker_before:.3g} → {check.flicker_after:.3g}"
        made.append(Card("Flicker", flickers, "of blocks of 32 x 32 pixels where nothing moves", "plain"))
    delay, speed = record.get("delay_frames"), record.get("ms_per_frame")
    if delay is not None and speed is not None:
        made.append(Card("Live", f"{speed:.3g} ms", f"per frame; delayed by {delay} frames", "plain"))
    return made


def film_of(before: Image, after: Image, deviation: float, compared: Image | None = None) -> str:
    """Return before, after and removed, side by side in one animated picture, as a data URL (WebP)."""
    count = min(before.shape[0], _MOST_FRAMES)
    some = before.voxels[:: max(1, before.shape[0] // 8)]
    low, high = (float(value) for value in np.percentile(some, [0.5, 99.5]))
    around = _REMOVED_SIGMAS * (deviation if deviation > 0 else max(high - low, 1e-6) / 10)
    scale = min(1.0, _WIDEST / before.shape[2])
    animation = cv2.Animation()
    pictures = []
    for index in range(count):
        removed = before.voxels[index] - (compared or after).voxels[index]
        parts = [_gray(before.voxels[index], low, high), _gray(after.voxels[index], low, high)]
        parts.append(_gray(removed, -around, around))
        pictures.append(np.concatenate([_small(part, scale) for part in parts], axis=1))
    animation.frames = [cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) for picture in pictures]
    shown = max(20, round(1000 * before.spacing[0]))
    animation.durations = [min(shown, _LONGEST) if before.modality == "MR" else shown] * count
    done, data = cv2.imencodeanimation(".webp", animation, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    return "data:image/webp;base64," + base64.b64encode(np.asarray(data).tobytes()).decode() if done else ""


def _gray(plane: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    return np.asarray(np.clip((plane - low) / max(high - low, 1e-6) * 255, 0, 255), np.uint8)


def _small(plane: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """A picture with a dark line at its right."""
    small = plane if scale == 1 else cv2.resize(plane, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(np.pad(small, ((0, 0), (0, 2))), np.uint8)
