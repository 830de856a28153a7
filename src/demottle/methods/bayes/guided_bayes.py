"""Guided Bayes, the default for CT: what was learned and what cubes tell by themselves say together which cubes are alike.

First `matched-neighbors` learns from the scan. Its result has hardly any noise; a first look at the cubes by themselves, as that
of `nl-bayes`, keeps edges that no network has seen. The mean of both is the best there is to find cubes that look alike in and
to tell how they differ (`group_estimate`, S); but every voxel is then estimated from the noisy cubes. Beside bone and air, which
a network is blind to, the first look guides alone. What is coarser than some pixels, faint contrast of lesions, is taken from
the learned result again, and what both lost of it is put back from the scan (`coarse_contrast`); what alike cubes have in common
and the guide lost comes from the noisy cubes (`group_mean`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.methods.bayes import nl_bayes
from demottle.methods.bayes.measured_volume import MeasuredVolume
from demottle.methods.filters.plane_filter import level_of
from demottle.methods.filters.told_noise import told_noise
from demottle.methods.one_scan import matched_neighbors
from demottle.methods.one_scan.protection import changeable
from demottle.methods.one_scan.scan_fit import restore_slice_network
from demottle.methods.one_scan.slice_network import SliceNetwork
from demottle.methods.registry import name_of
from demottle.noise import guide
from demottle.noise.fingerprint import Fingerprint

NAME = name_of(__name__)
_LOOK_EVERY = 2  # places: half of them look as well as all
_SLAB = 24  # slices at a time, so that memory does not grow with the scan
_SOFT_HU = (-500.0, 300.0)  # beyond lie air, lung and bone
_BLIND = 5  # pixels beside those in which a network errs
_PASSAGE = 2.0  # pixels, of that
_NOT_KNOWN = 1e9  # what slices share: then nothing is believed
_LITTLE_SHARED = 0.2
"""Correlation of the noise of neighboring slices up to which cubes of several slices average it out."""


@dataclass(frozen=True)
class GuidedBayesSettings(matched_neighbors.MatchedNeighborsSettings):
    """Settings of the method: those of `matched-neighbors`, and

    Attributes:
        look: share, 0 to 1, that a first look at cubes by themselves, that of `nl-bayes`, has in the guide; where it has any, it
            has all beside bone and air.
        coarse: share, 0 to 1, of the learned result in what is coarser than `coarse_sigma`, where the network had a say.
        coarse_sigma: pixels.
        kept: share, 0 to 1, of the learned result in the mean of both.
        side: side of a cube in rows and columns.
        depth: depth of a cube in slices; 1 in stacks of fewer than five.
        similar: cubes in a group.
        search: rows and columns that similar cubes may be away.
        search_slices: slices that they may be away.
        step: rows and columns from one cube to the next.
        shrink: how often what chance would explain is taken off before what noisy cubes have in common, and the guide lost, is
            believed (`group_mean`); 0 believes all of it, a large number nothing. More is taken off where neighboring
            slices share more than a fifth of their noise. In stacks of fewer than five slices nothing is.
    """

    look: float = 0.2
    coarse: float = 1.0
    coarse_sigma: float = 5.0
    kept: float = 0.0
    side: int = 5
    depth: int = 3
    similar: int = 60
    search: int = 6
    search_slices: int = 1
    step: int = 4
    spare_steps: bool = True
    start_kept: tuple[float, ...] = (0.75,)
    shrink: float = 0.5

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        super().__post_init__()
        for name in ("kept", "look", "coarse"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}; it is a share, between 0 and 1.")
        if not self.shrink >= 0:
            raise InputError(f"shrink is {self.shrink}; it must not be negative.")
        if not np.isfinite(self.shrink):
            raise InputError(f"shrink is {self.shrink}; 1e9 does what is meant, and can be written to a header.")
        if not self.coarse_sigma > 0:
            raise InputError(f"coarse_sigma is {self.coarse_sigma}; it has to be positive.")
        self.of_cubes()

    def of_cubes(self, **changes: int) -> nl_bayes.NlBayesSettings:
        """Return those of one pass over the cubes."""
        told = {name: getattr(self, name) for name in ("side", "depth", "similar", "search", "search_slices", "step")}
        return nl_bayes.NlBayesSettings(**{**told, "passes": 1, **changes})


Settings = GuidedBayesSettings


class GuidedBayes(Denoiser):
    """A network that was fitted on a scan, and the cubes that it guides."""

    method = NAME

    def __init__(self, settings: GuidedBayesSettings, fitted: Mapping[str, Any], network: SliceNetwork) -> None:
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
        learned, spectrum = (
            self._network.applied(image, listener, coarse=False).voxels,
            self._network.tensors()["noise.spectrum"],
        )
        whole = MeasuredVolume.of(image, level)
        clean, trust = self._cubes(whole, learned, spectrum, listener)
        clean += np.float32(self._settings.kept) * (learned - clean)
        self._take_coarse(image, clean, learned, trust)
        whole.restore(clean, spectrum, listener)
        return image.with_voxels(clean)

    def _cubes(
        self, whole: MeasuredVolume, learned: Voxels, spectrum: NDArray[np.float32], listener: Listener
    ) -> tuple[Voxels, NDArray[np.float16]]:
        """Estimate the cubes, some slices at a time; also how far the network is to be trusted at each voxel, 0 to 1."""
        cubes = nl_bayes.NonLocalBayes(self._settings.of_cubes(), self.fitted, spectrum)
        slices = whole.image.shape[0]
        clean, trust = np.empty_like(learned), np.ones(learned.shape, np.float16)
        estimate = cubes.begin(
            learned.shape,
            lambda done, layers: listener(Progress(Stage.GUIDE, done, layers)),
            shrink=self._settings.shrink * self._shared(),
        )
        at = 0
        for low in range(0, slices, _SLAB):
            high = min(low + _SLAB, slices)
            part, seen = whole.part(low, high), learned[low:high]
            if self._settings.look > 0:
                first = part.put_back(cubes.first_look(whole, low, high, _LOOK_EVERY))
                trusted = (
                    np.stack([soft_around(plane) for plane in first]) if whole.image.unit == "HU" else np.float32(1)
                )
                trust[low:high] = trusted
                seen = first + np.float32(1 - self._settings.look) * trusted * (seen - first)
            made = estimate.add(part.noisy(), part.in_units_of_noise(seen), part.allowed > 0)
            if len(made):  # the first slices may wait for those behind them
                clean[at : at + len(made)] = whole.part(at, at + len(made)).put_back(made)
            at += len(made)
        return clean, trust

    def _shared(self) -> float:
        """How many times more is to be taken off because slices share noise: then alike cubes of other slices do too."""
        first = next(iter(self.fitted.get("slice_correlation", ())), None)
        return _NOT_KNOWN if first is None else max(1.0, (float(first) / _LITTLE_SHARED) ** 4)

    def _take_coarse(self, image: Image, clean: Voxels, learned: Voxels, trust: NDArray[np.float16]) -> None:
        """Give `clean`, in place, what the learned result has of coarse contrast."""
        settings = self._settings
        if settings.coarse == 0:
            return
        for index, (made, plane, trusted) in enumerate(zip(clean, learned, trust, strict=True)):
            # What must not change at all (air, metal, padding) does not take part.
            share = trusted.astype(np.float32) * np.float32(settings.coarse) * changeable(image, index)
            made += share * guide.smooth(share * (plane - made), settings.coarse_sigma)


def soft_around(plane: Voxels) -> Voxels:
    """Say of each pixel of a clean slice in HU how far there is only soft tissue around it: 1, and 0 beside bone and air."""
    low, high = _SOFT_HU
    smooth = guide.smooth(plane, 0.7)
    other = ((smooth < low) | (smooth > high)).astype(np.float32)
    size = 2 * _BLIND + 1
    near = cv2.dilate(other, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return np.asarray(1 - guide.smooth(np.asarray(near, np.float32), _PASSAGE), np.float32)


def fit(
    image: Image,
    settings: GuidedBayesSettings,
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


def restore(settings: GuidedBayesSettings, fitted: Mapping[str, Any], tensors: Tensors) -> GuidedBayes:
    """Rebuild a saved one."""
    return GuidedBayes(settings, fitted, restore_slice_network(NAME, settings, fitted, tensors))
