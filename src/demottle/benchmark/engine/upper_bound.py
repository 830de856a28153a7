"""The default method's network, learned for as long with clean targets: what the network itself can reach."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.methods.base import Budget
from demottle.methods.one_scan.matched_neighbors import NAME, Lesson, MatchedNeighborsSettings
from demottle.methods.one_scan.scan_fit import Ground, fit_on_scan
from demottle.methods.one_scan.slice_network import SliceNetwork
from demottle.noise.fingerprint import measure


def fit_on_truth(
    noisy: Image,
    truth: Image,
    budget: Budget,
    seed: int = 0,
    noise: Voxels | None = None,
    changes: Mapping[str, Any] | None = None,
    listener: Listener = silent,
) -> SliceNetwork:
    """Teach the network of matched-neighbors with the truth of the very scan.

    Args:
        noisy, truth: the scan.
        budget, seed: how long, and the seed of learning.
        noise: independent noise added to the targets (perfect neighbors) instead of clean ones.
        changes: settings of the method that differ from its defaults.
        listener: told of progress.
    """
    fingerprint = measure(noisy)
    # Larger batches than the method's own: a bound may take its time.
    settings = replace(
        MatchedNeighborsSettings(),
        **{"recorruption": 0.0, "start_kept": (0.0,), "early_stop": False, "batch": 8, **(changes or {})},
    )
    ideal = truth.voxels if noise is None else truth.voxels + noise

    class Taught(Lesson):
        """The method's lesson with other targets, all of them certain."""

        def __init__(self, ground: Ground) -> None:
            super().__init__(noisy, ground, settings, fingerprint, seed)
            samples = ground.samples
            self._targets = np.stack([ideal[index][samples.box] for index in samples.indices])
            self._weights, self._unsure = np.ones_like(self._targets), np.zeros_like(self._targets)

    return fit_on_scan(NAME, noisy, settings, fingerprint, Taught, seed=seed, budget=budget, listener=listener)
