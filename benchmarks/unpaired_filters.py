"""Rivals that learn nothing; how strongly they filter follows from the noise measured on the scan (`noise.level`).

- NLM: `h = 0.8 sigma`, patches of 5 x 5, distance 6, the rule of scikit-image's documentation.
- TV: the weight at which what is removed has the noise's variance (Rudin, Osher, Fatemi 1992; Chambolle 2004), in the body.
- BM3D told that the noise is white, of that level (Dabov et al. 2007).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

from benchmarks.rivals import bm3d_white
from demottle.image import Image, Voxels
from demottle.noise import guide
from demottle.noise.body import body_plane
from demottle.noise.level import noise_level

FACTORS = (0.65, 0.8, 1.25, 1.55)
"""By which the strength of the rule is multiplied to find the one that suits the truth best; 1 is tried too."""
_LOWEST, _HIGHEST = -1000.0, 1500.0  # metal would change what NLM and BM3D take for similar
_HALVINGS = 7


@dataclass(frozen=True)
class Filter:
    """One rival.

    Attributes:
        name: as tables call it.
        strength: from a scan, by the rule.
        clean: one slice, and the strength times a factor.
    """

    name: str
    strength: Callable[[Image], float]
    clean: Callable[[Voxels, float], Voxels]

    def apply(self, image: Image, factor: float = 1.0, strength: float | None = None) -> Image:
        """Filter every slice; `strength` as found on the scan, None: find it."""
        wanted = factor * (self.strength(image) if strength is None else strength)
        planes = [np.clip(plane, _LOWEST, _HIGHEST) for plane in image.voxels]
        return image.with_voxels(np.stack([np.asarray(self.clean(plane, wanted), np.float32) for plane in planes]))


def _nlm(plane: Voxels, sigma: float) -> Voxels:
    return denoise_nl_means(plane, patch_size=5, patch_distance=6, h=0.8 * sigma, sigma=sigma, fast_mode=True)


def _tv(plane: Voxels, weight: float) -> Voxels:
    # Its own limit ends it early here: edges of 1000 HU make up most of the energy that it goes by.
    return denoise_tv_chambolle(plane, weight=weight, eps=1e-5, max_num_iter=500)


def _tv_weight(image: Image) -> float:
    """Halve an interval until the middle slice loses as much variance as its noise has."""
    plane = np.clip(image.voxels[image.shape[0] // 2], _LOWEST, _HIGHEST)
    body, sigma = body_plane(guide.smooth(plane), image.unit), noise_level(image)
    low, high = np.log(0.1 * sigma), np.log(10 * sigma)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        removed = float(np.std((plane - _tv(plane, float(np.exp(middle))))[body]))
        low, high = (low, middle) if removed > sigma else (middle, high)
    return float(np.exp((low + high) / 2))


FILTERS = (
    Filter("NLM", noise_level, _nlm),
    Filter("TV", _tv_weight, _tv),
    Filter("BM3D, white noise", noise_level, bm3d_white),
)
