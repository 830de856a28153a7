"""Which phantom is it, and roughly how does it lie? Rings of rods are correlated with those of every layout, turned every way.

A layout whose rods of known CT number correlate best wins. Where several phantoms share these rods (Catphan 503, 504 and 600),
the line pairs, which lie at another distance in each, and the ends of the phantom decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.qa.catphan import LINE_RING
from demottle.physics.phantoms.qa.layout import Layout, Module
from demottle.physics.phantoms.qa.layouts import LAYOUTS
from demottle.physics.phantoms.qa.pose import Pose
from demottle.quality.phantoms.body import Body
from demottle.quality.phantoms.rings import (
    ANGLES,
    SHARP_MM,
    SMOOTH_MM,
    compressed,
    correlations,
    mirrored,
    ring_profiles,
    template,
)

Array = NDArray[np.float64]
LEAST_RODS = 0.75
"""Correlation below which the rods of a layout are not there."""
LEAST_DISCS = 0.55
"""The same for faint discs, which have to be in the noise."""
_LEAST_MARGIN = 0.08  # by which the best layout has to be better than the next
_SIZE = 0.05  # relative difference of diameters
_BARS_HU = 60.0  # spread along the ring of line pairs that is bars and not noise
_ENDS_MM = 8.0  # how far a phantom may seem to be longer than it is: caps
_BARS_WEIGHT = 0.3
_ROOM_MM = 6.0  # around the module with the rods, whose wires and markers are no bars
_NEAR_MM = 3.0


@dataclass(frozen=True)
class Guess:
    """A layout, where it seems to lie, and how well that agrees (0 to about 1.3)."""

    layout: Layout
    pose: Pose
    score: float


def recognize(image: Image, body: Body, kind: str | None = None) -> Guess:
    """Say which phantom it is.

    Args:
        image: CT in HU.
        body: its body.
        kind: a key of `LAYOUTS`, where the user knows it.

    Raises:
        InputError: where it is none of them, where it could be several, or not the one that the user names.
    """
    candidates = [LAYOUTS[kind]] if kind else list(LAYOUTS.values())
    sized = [layout for layout in candidates if layout.scales or _like(layout.diameter, body.radius * 2)]
    if not sized:
        raise InputError(
            f"The body is {2 * body.radius:.0f} mm wide, and "
            + (
                f"a {candidates[0].title} is {candidates[0].diameter:.0f} mm; choose another kind."
                if kind
                else "no known phantom is; name it with its kind."
            ),
            remedy="kind",
        )
    height = float(np.ptp(body.slices) + 1) * image.spacing[0]
    sized = [layout.fitted(2 * body.radius, height) for layout in sized]
    guesses = sorted(_guesses(image, body, sized), key=lambda guess: -guess.score)
    if guesses:
        _refuse_ambiguous(guesses, kind)
        return guesses[0]
    plain = next((layout for layout in sized if layout.key is None), None)
    if plain is not None and _empty(image, body):
        return Guess(plain, _middle_pose(image, body), 1.0)
    raise InputError(_unknown(kind, candidates[0].title), remedy="" if kind else "kind")


def _unknown(kind: str | None, title: str) -> str:
    if kind == "water":
        return "There are things in this body, and a water phantom holds nothing; choose another kind."
    if kind:
        return f"The rods or discs of a {title} were not found in this body; choose another kind, or scan its first module."
    names = ", ".join(layout.title for layout in LAYOUTS.values())
    return f"This body is none of the phantoms that are known ({names}), or its module with rods is not in the scan."


def _like(one: float, other: float) -> bool:
    return abs(one - other) <= _SIZE * one


def _middle_pose(image: Image, body: Body) -> Pose:
    z = float(body.slices[[0, -1]].mean()) * image.spacing[0]
    x, y = body.middle(z)
    return Pose((float(x), float(y), z), 0.0, body.tilt)


def _guesses(image: Image, body: Body, layouts: Sequence[Layout]) -> list[Guess]:
    keys = {layout.kind: layout.key for layout in layouts}
    rings = {key.rods[0].ring for key in keys.values() if key and key.role == "rods"}
    profiles = ring_profiles(image, body, tuple(sorted(rings | {LINE_RING})))
    made = []
    for layout in layouts:
        key = keys[layout.kind]
        if key is None:
            continue
        found = _key_found(image, body, key, profiles)
        if found is not None:
            made += [_placed(image, body, layout, *found, reverse, profiles) for reverse in _ways(layout)]
    return made


def _ways(layout: Layout) -> tuple[bool, ...]:
    return (False, True) if len(layout.modules) > 1 else (False,)


def _key_found(
    image: Image, body: Body, key: Module, profiles: dict[float, Array]
) -> tuple[float, float, float, bool] | None:
    """Correlation, height in mm of the middle, roll in degrees and whether mirrored; None where the rods are not there."""
    rods = tuple(rod for rod in key.rods if not rod.optional and rod.ring == key.rods[0].ring)
    faint, ring = all(rod.faint for rod in rods), rods[0].ring
    smooth = SHARP_MM if faint else SMOOTH_MM
    pattern = template(rods, key.hu, smooth)
    rows = compressed(ring_profiles(image, body, (ring,), smooth)[ring] if faint else profiles[ring])
    best: tuple[float, float, float, bool] | None = None
    for flip in (False, True):
        wanted = mirrored(pattern) if flip else pattern
        if faint:
            scores = correlations(rows.mean(axis=0, keepdims=True), wanted)
            least, z = LEAST_DISCS, float(body.slices[[0, -1]].mean()) * image.spacing[0]
        else:
            scores, z = _slab(correlations(rows, wanted), rows, body, image, key)
            least = LEAST_RODS
        score = float(scores.max())
        if score >= least and (best is None or score > best[0]):
            best = (score, z, _degrees(scores[0]), flip)
    return best


def _slab(scores: Array, rows: Array, body: Body, image: Image, key: Module) -> tuple[Array, float]:
    """Correlation, over all angles, of the slices that show the rods, and the middle of these in mm."""
    strong = np.linalg.norm(rows, axis=1)
    peak = int(np.argmax(scores.max(axis=1) * (strong > 0.3 * strong.max())))
    turn = int(np.argmax(scores[peak]))
    good = scores[:, turn] > 0.85 * scores[peak, turn]
    good &= strong > 0.5 * strong[peak]
    first = last = peak
    while first > 0 and good[first - 1]:
        first -= 1
    while last + 1 < len(good) and good[last + 1]:
        last += 1
    middle = (body.slices[first] + body.slices[last]) / 2 * image.spacing[0]
    return scores[first : last + 1].mean(axis=0, keepdims=True), float(middle)


def _degrees(scores: Array) -> float:
    """Roll of the best agreement, between the angles by a parabola."""
    top = int(np.argmax(scores))
    before, here, after = scores[top - 1], scores[top], scores[(top + 1) % ANGLES]
    curve = before - 2 * here + after
    between = 0.5 * (before - after) / curve if curve < 0 else 0.0
    return float(((top + between) * 360 / ANGLES + 180) % 360 - 180)


def _placed(
    image: Image,
    body: Body,
    layout: Layout,
    score: float,
    z: float,
    roll: float,
    flip: bool,
    reverse: bool,
    profiles: dict[float, Array],
) -> Guess:
    x, y = body.middle(z)
    pose = Pose((float(x), float(y), z), roll, body.tilt, flip, reverse)
    heights = (body.slices.astype(np.float64) * image.spacing[0] - z) * (-1 if reverse else 1)
    total = score + _BARS_WEIGHT * _bars_agree(layout, heights, float(np.hypot(*body.axis[1])), profiles[LINE_RING])
    low, high = layout.ends
    beyond = max(low - heights.min(), heights.max() - high) - _ENDS_MM  # a body longer than the phantom
    if len(layout.modules) > 1 and beyond > 0:
        total -= 0.01 * min(beyond, 30.0)
    return Guess(layout, pose, total)


def _bars_agree(layout: Layout, heights: Array, tilt: float, rows: Array) -> float:
    """How well slices with bars lie where the layout has them: -1 to 1, 0 where there is nothing to tell."""
    spread = np.percentile(rows, 99, axis=1) - np.percentile(rows, 50, axis=1)
    reach = (layout.key.height if layout.key else 0.0) / 2 + _ROOM_MM + tilt * LINE_RING
    shown = np.abs(heights) > reach
    power = np.where(shown & (spread > _BARS_HU), spread, 0.0) ** 2
    where = next((m.middle for m in layout.of("line pairs") if m.bars), None)
    step = float(np.median(np.diff(np.sort(heights)))) if len(heights) > 1 else 1.0
    near = (
        np.zeros(len(heights), bool) if where is None else np.abs(heights - where) < _NEAR_MM + step + tilt * LINE_RING
    )
    if power.any():
        return float(2 * power[near].sum() / power.sum() - 1)
    return -0.5 if near.any() else 0.0


def _empty(image: Image, body: Body) -> bool:
    """True where nothing lies in the body: the mean over its slices is even on every ring."""
    rings = tuple(np.linspace(0.2, 0.75, 8) * body.radius)
    for rows in ring_profiles(image, body, rings).values():
        smooth = rows.mean(axis=0)
        noise = rows.std() / np.sqrt(len(rows)) if len(rows) > 1 else rows.std()
        if np.abs(rows).max() > 100 and np.abs(smooth).max() > 6 * noise:
            return False
    return True


def _refuse_ambiguous(guesses: Sequence[Guess], kind: str | None) -> None:
    best = guesses[0]
    rivals = [g for g in guesses[1:] if g.layout.kind != best.layout.kind and best.score - g.score < _LEAST_MARGIN]
    if rivals and not kind:
        names = " or a ".join(dict.fromkeys(g.layout.title for g in (best, *rivals)))
        raise InputError(
            f"This may be a {names}: what tells them apart (the line pairs) is not in the scan; say which with its kind.",
            remedy="kind",
        )
