"""The same network, trained for as many steps with clean targets: what the network itself can reach."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.cases import Case
from demottle.events import silent
from demottle.image import Image
from demottle.methods.base import Budget
from demottle.methods.one_scan.matched_neighbors import NAME, Lesson, Settings
from demottle.methods.one_scan.scan_fit import Ground, fit_on_scan
from demottle.noise.fingerprint import measure


def clean_targets(
    case: Case, steps: int, seed: int = 0, noise: np.ndarray | None = None, changes: Mapping[str, Any] | None = None
) -> Image:
    """Denoise a case by the default method's network, trained on the truth of the very scan.

    Args:
        case, steps, seed: what, how long, and the seed of learning.
        noise: independent noise added to the targets (perfect neighbors) instead of clean ones.
        changes: settings of the method that differ from its defaults.
    """
    fingerprint = measure(case.noisy)
    settings = replace(
        Settings(), **{"recorruption": 0.0, "start_kept": (0.0,), "early_stop": False, **(changes or {})}
    )
    ideal = case.truth.voxels if noise is None else case.truth.voxels + noise

    class Taught(Lesson):
        """The method's lesson with other targets, all of them certain."""

        def __init__(self, ground: Ground) -> None:
            super().__init__(case.noisy, ground, settings, fingerprint, seed)
            samples = ground.samples
            self._targets = np.stack([ideal[index][samples.box] for index in samples.indices])
            self._weights, self._unsure = np.ones_like(self._targets), np.zeros_like(self._targets)

    taught = fit_on_scan(
        NAME, case.noisy, settings, fingerprint, Taught, seed=seed, budget=Budget(steps=steps), listener=silent
    )
    return taught(case.noisy)
