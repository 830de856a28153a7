"""Winding tubes and branching trees, made of capsules: vessels, bowel, ribs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from demottle.physics.phantoms.shapes import Capsule, Point

Vector = NDArray[np.float64]


def chain(points: Sequence[Point] | Vector, radii: float | Sequence[float]) -> list[Capsule]:
    """A tube through `points` (z, y, x in mm) with one radius, or one per point."""
    places = [(float(p[0]), float(p[1]), float(p[2])) for p in points]
    widths = [float(radii)] * len(places) if isinstance(radii, int | float) else [float(r) for r in radii]
    return [Capsule(places[i], places[i + 1], widths[i], widths[i + 1]) for i in range(len(places) - 1)]


def smooth_path(points: Sequence[Point], pieces: int = 5) -> Vector:
    """A smooth curve through `points` (Catmull-Rom spline), `pieces` straight pieces between two of them."""
    p = np.array([points[0], *points, points[-1]], np.float64)
    t = (np.arange(pieces) / pieces)[:, None]
    curve = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.concatenate([*curve, p[-1:]])


def tree(
    start: Point, heading: Point, radius: float, length: float, depth: int, rng: np.random.Generator
) -> list[Capsule]:
    """A vessel that forks `depth` times; both branches keep 2^(-1/3) of the radius (Murray's law) and turn by 20 to 50 deg."""
    direction = np.array(heading, np.float64)
    direction /= np.linalg.norm(direction)
    here = np.array(start, np.float64)
    bend = direction + rng.normal(0, 0.15, 3)
    middle = here + direction * length / 2
    end = middle + bend / np.linalg.norm(bend) * length / 2
    capsules = chain(np.stack([here, middle, end]), [radius, radius, radius * 0.9])
    if depth == 0:
        return capsules
    aside = np.cross(direction, rng.normal(size=3))
    aside /= np.linalg.norm(aside)
    for side in (-1.0, 1.0):
        angle = np.deg2rad(rng.uniform(20, 50))
        turned = np.cos(angle) * direction + side * np.sin(angle) * aside
        z, y, x = (float(v) for v in end)
        next_length = length * rng.uniform(0.7, 0.95)
        capsules += tree((z, y, x), (turned[0], turned[1], turned[2]), radius * 0.79, next_length, depth - 1, rng)
    return capsules


def wander(start: Point, heading: Point, step: float, steps: int, rng: np.random.Generator) -> Vector:
    """A random winding path of `steps` steps of `step` mm that turns gently, shape (steps + 1, 3)."""
    direction = np.array(heading, np.float64)
    path = [np.array(start, np.float64)]
    for _ in range(steps):
        direction = direction / np.linalg.norm(direction) + rng.normal(0, 0.6, 3)
        path.append(path[-1] + step * direction / np.linalg.norm(direction))
    return np.array(path)
