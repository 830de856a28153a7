"""Scans on which the noise measures are held against the truth: 40 settings on simulated anatomy, with several draws of noise.

The first 20 ("tune") may be looked at while a measure is changed; the others ("judge") only say what it is worth. The halves were
written down before anything was changed. No anatomy is in both. What an iterative reconstruction leaves is simulated
(`physics.ct.iterative`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from demottle.benchmark.suites.store import Parts
from demottle.image import Image, Voxels
from demottle.noise import guide
from demottle.physics.ct.ct_noise import Scanner, central_body, independent_noise, mix_slices
from demottle.physics.ct.iterative import Shrinking, shrink_noise
from demottle.physics.ct.projection import Kernel
from demottle.physics.phantoms.regions.catalog import region_phantom
from demottle.physics.phantoms.scenes import Grid

TUNING, JUDGING = "tune", "judge"
DRAWS = 3
FIRST_SEED = {TUNING: 6100, JUDGING: 6000}
GRAIN = 0.25
"""Share of the grain that tissues have in ct-anatomies: all of it is as strong as the noise of a quiet scan, and no measure can
tell from noise what is new in every slice."""
_SLICES = 12
_ANGLES = 240
_SMOOTH = 8.0  # pixels

_PLACES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    TUNING: {
        "abdomen 3 mm": {"region": "abdomen", "spacing": (3.0, 1.0), "size": 380, "cut": (90, 290, 60, 260)},
        "chest 1.25 mm": {"region": "chest", "spacing": (1.25, 0.9), "size": 400, "cut": (110, 310, 180, 380)},
        "pelvis 2 mm": {"region": "pelvis", "spacing": (2.0, 1.3), "size": 300, "cut": (40, 240, 50, 250)},
        "head 3 mm": {"region": "head", "spacing": (3.0, 0.8), "size": 270, "cut": (30, 230, 35, 235)},
        "child 1.5 mm": {"region": "abdomen", "spacing": (1.5, 1.1), "size": 210, "cut": (5, 205, 5, 205), "shrink": 0.6},
    },
    JUDGING: {
        "abdomen 1 mm": {"region": "abdomen", "spacing": (1.0, 0.8), "size": 470, "cut": (180, 380, 130, 330), "from_mm": 25.0},
        "chest 3 mm": {"region": "chest", "spacing": (3.0, 1.1), "size": 330, "cut": (80, 280, 20, 220), "from_mm": -20.0},
        "pelvis 5 mm": {"region": "pelvis", "spacing": (5.0, 1.5), "size": 260, "cut": (30, 230, 30, 230), "from_mm": -25.0},
        "shoulders 2 mm": {"region": "shoulders", "spacing": (2.0, 1.6), "size": 300, "cut": (70, 230, 50, 250)},
        "abdomen 5 mm": {"region": "abdomen", "spacing": (5.0, 1.2), "size": 320, "cut": (60, 260, 60, 260), "from_mm": -30.0},
    },
}  # fmt: skip

_FBP = None
_NOISE: Mapping[str, Mapping[str, tuple[tuple[Kernel, float, float, Shrinking | None], ...]]] = {
    # kernel, HU before shrinking, correlation of adjacent slices, what iterative reconstruction takes
    TUNING: {
        "abdomen 3 mm": (
            ("soft", 5, 0.25, _FBP), ("soft", 25, 0.25, Shrinking(0.7, 1.5, by="edge")),
            ("standard", 20, 0.12, Shrinking(0.6, 1.2)), ("soft", 12, 0.0, Shrinking(0.8, 2.0, by="level")),
        ),
        "chest 1.25 mm": (
            ("standard", 35, 0.45, Shrinking(0.8, 1.5)), ("sharp", 60, 0.3, _FBP),
            ("soft", 20, 0.6, Shrinking(0.7, 1.5, 0.8, "edge")), ("standard", 12, 0.25, Shrinking(0.5, 1.0, by="level")),
        ),
        "pelvis 2 mm": (
            ("soft", 40, 0.25, Shrinking(0.8, 1.5)), ("standard", 20, 0.45, _FBP),
            ("standard", 45, 0.12, Shrinking(0.7, 1.5, by="level")), ("soft", 15, 0.25, Shrinking(0.9, 1.2, 0.6)),
        ),
        "head 3 mm": (
            ("soft", 5, 0.12, _FBP), ("standard", 12, 0.25, Shrinking(0.7, 1.5, by="edge")),
            ("soft", 10, 0.45, Shrinking(0.6, 2.0)), ("sharp", 20, 0.0, Shrinking(0.8, 1.2, by="level")),
        ),
        "child 1.5 mm": (
            ("soft", 15, 0.25, Shrinking(0.8, 1.8, by="edge")), ("standard", 8, 0.3, _FBP),
            ("standard", 25, 0.6, Shrinking(0.7, 1.2, 0.7)), ("soft", 30, 0.12, Shrinking(0.6, 1.5, by="level")),
        ),
    },
    JUDGING: {
        "abdomen 1 mm": (
            ("standard", 30, 0.5, Shrinking(0.7, 1.5, by="edge")), ("soft", 25, 0.25, _FBP),
            ("standard", 50, 0.35, Shrinking(0.8, 1.8)), ("soft", 18, 0.6, Shrinking(0.8, 1.5, 0.8)),
        ),
        "chest 3 mm": (
            ("soft", 15, 0.25, Shrinking(0.7, 1.5)), ("standard", 10, 0.12, _FBP),
            ("sharp", 50, 0.25, Shrinking(0.8, 1.2, by="level")), ("soft", 30, 0.4, Shrinking(0.6, 1.3, by="edge")),
        ),
        "pelvis 5 mm": (
            ("soft", 15, 0.0, Shrinking(0.8, 1.5)), ("soft", 8, 0.25, _FBP),
            ("standard", 25, 0.2, Shrinking(0.7, 1.3, by="level")), ("standard", 12, 0.12, Shrinking(0.9, 1.5, 0.5, "edge")),
        ),
        "shoulders 2 mm": (
            ("soft", 45, 0.3, Shrinking(0.7, 1.5)), ("standard", 40, 0.25, _FBP),
            ("standard", 25, 0.12, Shrinking(0.6, 1.2, by="edge")), ("soft", 20, 0.45, Shrinking(0.8, 1.5, by="level")),
        ),
        "abdomen 5 mm": (
            ("soft", 5, 0.12, _FBP), ("soft", 20, 0.25, Shrinking(0.8, 1.7, by="edge")),
            ("standard", 15, 0.0, Shrinking(0.6, 1.5)), ("standard", 10, 0.2, Shrinking(0.7, 1.2, 0.5, "level")),
        ),
    },
}  # fmt: skip


@dataclass(frozen=True)
class NoiseSetting:
    """One scan: half, anatomy with its grid, and what noise it has."""

    half: str
    place: str
    seed: int
    kernel: Kernel
    sigma: float
    rho: float
    shrinking: Shrinking | None

    @property
    def name(self) -> str:
        """Anatomy, slice, kernel, level, correlation and reconstruction."""
        how = self.shrinking
        kind = "FBP" if how is None else f"IR by {how.by} {how.strength:g}, {how.width:g} px"
        kind += f", {how.across:g} slices" if how is not None and how.across else ""
        return f"{self.place}, {self.kernel} {self.sigma:g} HU, rho {self.rho:g}, {kind}"


def settings(half: str) -> list[NoiseSetting]:
    """The 20 settings of a half."""
    every = [(place, one) for place, several in _NOISE[half].items() for one in several]
    return [NoiseSetting(half, place, FIRST_SEED[half] + n, *one) for n, (place, one) in enumerate(every)]


def drawn(setting: NoiseSetting) -> Parts:
    """Paint the anatomy and draw its scan `DRAWS` times, in HU: "plain" and "scans" (draws, slices, rows, columns)."""
    place = _PLACES[setting.half][setting.place]
    slice_mm, pixel = place["spacing"]
    grid = Grid(_SLICES, place["size"], (slice_mm, pixel, pixel))
    whole = region_phantom(
        place["region"], grid, setting.seed, place.get("shrink", 1.0), place.get("from_mm", 0.0), grain=GRAIN
    )
    top, bottom, left, right = place["cut"]
    part = (slice(None), slice(top, bottom), slice(left, right))
    region = np.zeros(whole.shape, np.bool_)
    region[part] = central_body(whole)[part]
    if not region.any():
        region[part] = (whole.voxels[part] > -150) & (whole.voxels[part] < 200)
    plain = np.ascontiguousarray(whole.voxels[part])
    scanner = Scanner(_ANGLES, setting.kernel)
    seeds = (DRAWS * setting.seed + draw for draw in range(DRAWS))
    drawn = (independent_noise(whole, setting.sigma, scanner, seed, region=region)[part] for seed in seeds)
    noise = np.stack([mix_slices(one, setting.rho) for one in drawn])
    scans = plain + noise
    if setting.shrinking is not None:
        level = local_level(noise)
        scans = np.stack([shrink_noise(scan, level, setting.shrinking) for scan in scans])
    return {"plain": plain, "scans": scans.astype(np.float32), "spacing": np.array(grid.spacing, np.float32)}


def images_of(parts: Parts) -> tuple[Image, Image, Voxels]:
    """Return the anatomy, one scan of it in whole HU, and the noise of all draws about their mean, its variance put right."""
    z, y, x = (float(round(float(step), 4)) for step in parts["spacing"])
    plain = Image(parts["plain"], (z, y, x), "CT", "HU", slice_thickness=z)
    scans = parts["scans"]
    noise = (scans - scans.mean(axis=0)) * np.float32(np.sqrt(len(scans) / (len(scans) - 1)))
    return plain, plain.with_voxels(np.rint(scans[0])), noise


def local_level(noise: Voxels) -> Voxels:
    """Local standard deviation of draws (draws, slices, rows, columns) of noise of mean 0, smoothed over 8 pixels."""
    return np.stack([np.sqrt(guide.smooth(plane, _SMOOTH)) for plane in (noise**2).mean(axis=0)])
