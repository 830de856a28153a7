"""What the spots of an honest result truly are: structure that it lost, or false alarms."""

from typing import Any

import numpy as np

from demottle.benchmark.suites.lies.forgeries import Shown
from demottle.quality.check.spots.spots import REMOVED, Spot, SpotMap

_REAL = 0.5
"""Share of the told contrast that has to be lost, or added, in truth."""


def judged_spots(shown: Shown, honest: SpotMap) -> list[dict[str, Any]]:
    """Return each listed spot of an honest result with what is true of it, the strongest first.

    "told" and "true" in HU, of what was removed: contrast against the surroundings that the scan had and the result has not,
    and that the truth had and the result has not. "real": of one sign, and "true" at least half of "told".
    """
    made = []
    for spot in honest.spots:
        told = spot.hu if spot.kind == REMOVED else -spot.hu
        true = _lost(shown, spot)
        real = bool(true * np.sign(told) >= _REAL * abs(told))
        score = abs(spot.score)
        made.append({"sentence": spot.sentence, "score": score, "told": told, "true": true, "real": real})
    return made


def largest_false(honest: SpotMap, spots: list[dict[str, Any]]) -> float:
    """Return the score of the strongest spot that is none in truth; where all that are listed are real, 1 at most is left."""
    return max((one["score"] for one in spots if not one["real"]), default=min(honest.largest, 1.0))


def _lost(shown: Shown, spot: Spot) -> float:
    """Contrast of truth less result, a disc against a ring around it, over the height of the spot."""
    between, step = shown.truth.spacing[0], shown.truth.spacing[1]
    height = max(1, round(spot.height_mm / between))
    first = max(0, spot.slice - (height - 1) // 2)
    part = slice(first, first + height)
    lost = (shown.truth.voxels[part] - shown.after.voxels[part]).mean(axis=0)
    reach = spot.diameter_mm / 2 / step
    rows, columns = np.ogrid[: lost.shape[0], : lost.shape[1]]
    away = np.hypot(rows - spot.row, columns - spot.column)
    return float(lost[away <= reach].mean() - lost[(away > 1.2 * reach) & (away <= 2 * reach + 1)].mean())
