"""Guided Bayes: what was learned from the scan says which cubes are alike, and the cubes then speak for themselves.

First `matched-neighbors` learns from the scan. Its result has hardly any noise, so it is the best there is to find cubes that
look alike in, and to tell how they differ (`group_estimate`, S); but every voxel is still estimated from the noisy cubes. The
network errs where it has seen too little, the cubes where there are too few like them: the two make different mistakes, and the
mean of both results has fewer. `nl-bayes` is guided by a quick look in place of the network.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from demottle.errors import InputError
from demottle.events import Listener, silent
from demottle.image import Image
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.methods.bayes import nl_bayes
from demottle.methods.bayes.measured_volume import MeasuredVolume
from demottle.methods.filters.plane_filter import level_of
from demottle.methods.filters.told_noise import told_noise
from demottle.methods.one_scan import matched_neighbors
from demottle.methods.one_scan.scan_fit import restore_slice_network
from demottle.methods.one_scan.slice_network import SliceNetwork
from demottle.noise.fingerprint import Fingerprint

NAME = "guided-bayes"
_LOOK_STEP = 5  # a cube is seen once: enough for a guide


@dataclass(frozen=True)
class Settings(matched_neighbors.Settings):
    """Settings of the method: those of `matched-neighbors`, and

    Attributes:
        kept: share of the learned result in the mean of both, 0 to 1.
        look: share, 0 to 1, that a first estimate of cubes by themselves, as `nl-bayes` makes it, has in the guide. With 0.5 the
            result is nearest to the truth, but slices come to share much of what is left of the noise.
        side: of a cube in rows and columns.
        depth: of a cube in slices; fewer where the image has fewer.
        similar: cubes in a group.
        search: rows and columns that similar cubes may be away.
        search_slices: slices that they may be away.
        step: rows and columns from one cube to the next.
    """

    kept: float = 0.5
    look: float = 0.0
    side: int = 5
    depth: int = 3
    similar: int = 60
    search: int = 6
    search_slices: int = 1
    step: int = 4

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        for name in ("kept", "look"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}; it is a share, between 0 and 1.")
        self.of_cubes()

    def of_cubes(self, **changes: int) -> nl_bayes.Settings:
        """Return those of one pass over the cubes."""
        told = {name: getattr(self, name) for name in ("side", "depth", "similar", "search", "search_slices", "step")}
        return nl_bayes.Settings(**{**told, "passes": 1, **changes})


class GuidedBayes(Denoiser):
    """A network that was fitted on a scan, and the cubes that it guides."""

    method = NAME

    def __init__(self, settings: Settings, fitted: Mapping[str, Any], network: SliceNetwork) -> None:
        """Keep the network; `fitted` holds what it was made for and the correlation of the noise between slices."""
        self._settings, self._network = settings, network
        self.settings, self.fitted = asdict(settings), dict(fitted)

    def tensors(self) -> Tensors:
        """Return the network's weights and the noise spectrum."""
        return self._network.tensors()

    def __call__(self, image: Image, listener: Listener = silent) -> Image:
        """Denoise with the network, then estimate the cubes; the local noise level is measured on the image itself."""
        level = level_of(image, self.fitted)
        if level == 0:
            return image  # without noise there is nothing to remove
        learned, spectrum = self._network(image, listener), self._network.tensors()["noise.spectrum"]
        settings, volume = self._settings, MeasuredVolume.of(image, level)
        guide = volume.in_units_of_noise(learned.voxels)
        if settings.look > 0:
            cubes = settings.of_cubes(step=min(_LOOK_STEP, settings.side), search_slices=max(2, settings.search_slices))
            first = nl_bayes.NonLocalBayes(cubes, self.fitted, spectrum).estimate(volume, None, listener)
            guide = (1 - settings.look) * guide + settings.look * first
        made = nl_bayes.NonLocalBayes(settings.of_cubes(), self.fitted, spectrum).estimate(volume, guide, listener)
        clean = volume.put_back(made)
        clean += np.float32(settings.kept) * (learned.voxels - clean)
        volume.restore(clean, spectrum, listener)
        return image.with_voxels(clean)


def fit(
    image: Image,
    settings: Settings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> GuidedBayes:
    """Fit a network on the scan, as `matched-neighbors` does.

    Raises:
        UnsuitableError: where the scan cannot be learned from; the sentence says why.
        InputError: where a slice is smaller than a patch.
    """
    network = matched_neighbors.fit(image, settings, fingerprint, seed=seed, budget=budget, listener=listener)
    facts, _ = told_noise(image, fingerprint)
    return GuidedBayes(settings, {**facts, **network.fitted}, network)


def restore(settings: Settings, fitted: Mapping[str, Any], tensors: Tensors) -> GuidedBayes:
    """Rebuild a saved one."""
    return GuidedBayes(settings, fitted, restore_slice_network(NAME, settings, fitted, tensors))
