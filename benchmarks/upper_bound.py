"""The same network, trained for as many steps with clean targets: what the network itself can reach."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.cases import Case
from demottle.benchmark.engine.upper_bound import fit_on_truth
from demottle.image import Image
from demottle.methods.base import Budget


def clean_targets(
    case: Case, steps: int, seed: int = 0, noise: np.ndarray | None = None, changes: Mapping[str, Any] | None = None
) -> Image:
    """Denoise a case by the default method's network, trained on the truth of the very scan; arguments as `fit_on_truth`."""
    taught = fit_on_truth(case.noisy, case.truth, Budget(steps=steps), seed, noise, changes)
    return taught(case.noisy)
