"""Suite lies: are lesions that were erased from, or invented in, honest results found by the gate?

Every case is a small scan, an honest result of one of our methods, and ten copies of it with one lesion each: discs, spheres and
rods of 4 to 20 mm and 15 to 100 HU, at random places in soft tissue, erased or invented in turn; three of them spheres of 6 mm
whose contrast is 2.5 times the noise that the method left. What counts as found is the score of `quality.check.spots` at the
lesion, with its sign; what could be found is what an ideal observer would (`ideal`). Limits were chosen on "tune: ..." alone,
whose seeds are not those of "judge: ...".
"""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import binary_erosion

from demottle.benchmark.suites.cases import CaseSpec, Choices, Finding
from demottle.benchmark.suites.lies.forgeries import Lesion, Shown, erased, invented
from demottle.benchmark.suites.lies.ideal import Observer, observer_of, possible
from demottle.benchmark.suites.lies.losses import judged_spots, largest_false
from demottle.benchmark.suites.lies.scans import PHANTOM, scan_of
from demottle.image import Image, Mask, Voxels
from demottle.pipeline.run import denoise
from demottle.quality.check.spots.residue import residue_of, residue_planes
from demottle.quality.check.spots.spots import spot_map
from demottle.quality.limits import Limits

TUNING, JUDGING = "tune", "judge"
FIRST = {TUNING: 8000, JUDGING: 8500}
DOSES = (12.0, 20.0, 30.0, 45.0, 65.0)
"""Noise in HU."""
CORRELATIONS = (0.0, 0.12, 0.28, 0.45)
WHAT = (PHANTOM, "abdomen", PHANTOM, "chest", PHANTOM, "pelvis", PHANTOM, "head", PHANTOM, "shoulders")
KERNELS = ("soft", "standard", "sharp")
METHODS = ("nl-bayes", "matched-neighbors", "spectral-wiener")
STEPS = 30
"""Of learning: enough for an honest result, not for a good one."""
DEFAULT_EACH = 10
"""One scan in so many is denoised as a user does it without options."""
SMALL_MM, SMALL_TIMES = 6.0, 2.5
_SMALL, _LESIONS = 3, 10
_SIZES, _CONTRASTS = (4.0, 20.0), (15.0, 100.0)
_SHAPES = ("sphere", "disc", "rod")
_SOFT_HU = (-20.0, 120.0)


def specs(choices: Choices) -> tuple[CaseSpec, ...]:
    """Return the scans: every dose with every correlation, each with one method; both halves in turn."""
    every = len(DOSES) * len(CORRELATIONS)
    count = 2 if choices.quick else every * (choices.seeds or 1)
    return tuple(
        CaseSpec(
            "lies", f"{half}: {_recipe(number)['method']}", FIRST[half] + number, {**_recipe(number), "half": half}
        )
        for number in range(count)
        for half in (TUNING, JUDGING)
    )


def _recipe(number: int) -> dict[str, Any]:
    method = "default" if number % DEFAULT_EACH == DEFAULT_EACH - 1 else METHODS[number % len(METHODS)]
    return {
        "what": WHAT[number % len(WHAT)],
        "sigma": DOSES[number % len(DOSES)],
        "rho": CORRELATIONS[number % len(CORRELATIONS)],
        "kernel": KERNELS[(number // len(DOSES)) % len(KERNELS)],
        "method": method,
    }  # fmt: skip


def entrants() -> tuple[str, ...]:
    """What judges."""
    return ("gate",)


def measure(spec: CaseSpec, entrant: str, cache: Path) -> Finding:
    """Make one scan and its honest result, falsify it, and look at the map of each."""
    truth, before = scan_of(spec.recipe, spec.seed)
    after = _honest(before, spec.recipe["method"])
    return judged(Shown(before, after, truth), spec.seed)


def _honest(before: Image, method: str) -> Image:
    if method == "default":
        made = denoise(before)
    else:
        made = denoise(before, method=method, steps=STEPS if method == "matched-neighbors" else None)
    image: Image = made.image
    return image


def judged(shown: Shown, seed: int) -> Finding:
    """Score an honest result and its falsified copies."""
    tissue = (shown.truth.voxels > _SOFT_HU[0]) & (shown.truth.voxels < _SOFT_HU[1])
    left = float((shown.after.voxels - shown.truth.voxels)[_flat(shown.truth, tissue)].std())
    honest = spot_map(shown.before, shown.after)
    assert honest is not None
    spots = judged_spots(shown, honest)
    observers = _observers(shown)
    lesions = [
        {**_found(shown, lesion, number % 2 == 0), **_possible(shown, lesion, observers)}
        for number, lesion in enumerate(lesions_for(shown.truth, tissue, left, seed))
    ]
    limit = Limits().spots or np.inf
    small = [one for one in lesions if one["small"]]
    said = {
        "honest": honest.largest,
        "lost": bool(spots and spots[0]["real"]),
        "false": largest_false(honest, spots),
        "spots": spots,
        "left": left,
        "lesions": lesions,
    }
    quality: dict[str, float | None] = {
        "largest_honest": honest.largest,
        "small_caught": float(np.mean([one["score"] > limit for one in small])),
        "small_possible": float(np.mean([one["possible"] for one in small])),
        "lesions_caught": float(np.mean([one["score"] > limit for one in lesions])),
        "lesions_possible": float(np.mean([one["possible"] for one in lesions])),
    }
    return Finding(quality, said)


def _observers(shown: Shown) -> tuple[Observer, Observer]:
    """Ideal observers of the scan's noise, and of what an honest result took away."""
    noise, removed = residue_of(shown.before, shown.truth), residue_of(shown.before, shown.after)
    assert noise is not None and removed is not None
    return observer_of(noise), observer_of(removed)


def _possible(shown: Shown, lesion: Lesion, observers: tuple[Observer, Observer]) -> dict[str, float]:
    """d' of a lesion in the scan's noise and in what was removed, the score in standard deviations that noise reaches in 5 %
    of scans, and the chance that the better of both observers finds it beyond that."""
    whole = shown.before.with_voxels(lesion.painted(shown.before))
    painted = residue_planes(whole, observers[0].noise.factor)
    in_noise, in_removed = (one.separation(painted) for one in observers)
    threshold = observers[0].threshold(lesion.diameter)
    chance = possible(max(in_noise, in_removed), threshold)
    return {"in_noise": in_noise, "in_removed": in_removed, "threshold": threshold, "possible": chance}


def lesions_for(truth: Image, tissue: Mask, left: float, seed: int) -> list[Lesion]:
    """Draw ten lesions in soft tissue: the first three of 6 mm and 2.5 times the noise left, the others at random."""
    rng = np.random.default_rng([seed, 18])
    places = np.argwhere(binary_erosion(tissue, np.ones((1, 5, 5))))
    made = []
    for number in range(_LESIONS):
        z, row, column = places[rng.integers(len(places))]
        sign = rng.choice((-1.0, 1.0))
        size, contrast = (float(np.exp(rng.uniform(*np.log(ends)))) for ends in (_SIZES, _CONTRASTS))
        shape = _SHAPES[number % len(_SHAPES)]
        if number < _SMALL:
            size, contrast, shape = SMALL_MM, SMALL_TIMES * left, "sphere"
        made.append(Lesion((float(z), float(row), float(column)), size, float(sign) * contrast, shape))
    return made


def _found(shown: Shown, lesion: Lesion, erase: bool) -> dict[str, Any]:
    """The score of a lesion that was erased or invented, at its place and with its sign."""
    forged = (erased if erase else invented)(shown, lesion)
    found = spot_map(forged.before, forged.after)
    assert found is not None
    z, row, column = lesion.place
    tall = max(1, round((2.5 if lesion.shape == "rod" else 1) * lesion.diameter / 2 / shown.before.spacing[0]))
    first, last = max(0, int(z) - tall), min(shown.before.shape[0], int(z) + tall + 1)
    wide = max(1, round(lesion.diameter / 2 / (shown.before.spacing[1] * found.factor)))
    middle = round(row / found.factor), round(column / found.factor)
    near = found.score[
        first:last, max(0, middle[0] - wide) : middle[0] + wide + 1, max(0, middle[1] - wide) : middle[1] + wide + 1
    ]
    sign = np.sign(lesion.contrast) * (1 if erase else -1)
    return {
        "erased": erase, "shape": lesion.shape, "diameter": lesion.diameter, "contrast": lesion.contrast,
        "small": lesion.diameter == SMALL_MM, "place": list(lesion.place), "score": float((near * sign).max(initial=0.0)),
    }  # fmt: skip


def _flat(truth: Image, tissue: Mask) -> Mask:
    """Soft tissue without its edges."""
    inside: Mask = binary_erosion(tissue & (np.abs(_steps(truth.voxels)) < 5), np.ones((1, 3, 3)))
    return inside if inside.any() else tissue


def _steps(voxels: Voxels) -> Voxels:
    return np.asarray(np.hypot(np.gradient(voxels, axis=1), np.gradient(voxels, axis=2)), np.float32)
