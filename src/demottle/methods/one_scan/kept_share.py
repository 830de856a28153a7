"""How much of the shipped weights to keep: the scan itself says, by Stein's unbiased risk estimate.

The shipped weights do not mistake this scan's noise for tissue, the learned ones know its tissue; which are nearer to the clean
scan s depends on the scan. With x = s + n the noisy one and f a network, the squared error against s needs no s:

    E (f(x) - s)^2 = E (f(x) - x)^2 + 2 E n f(x) - sigma^2,    E n f(x) ~ E n' (f(x + e n') - f(x)) / e,

n' being other noise of the same covariance (C. Stein 1981; by Monte Carlo as in S. Ramani, T. Blu, M. Unser 2008). Here n' comes
from the scan's own slice differences (`scan_noise`), and every pixel counts in units of its local noise variance: the level is
known least well where it is highest, in shoulders, and there an error of it would decide alone.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from demottle.image import Mask, Voxels
from demottle.learning.data.patches import Positions, cut_patches, patch_places
from demottle.methods.one_scan.scan_samples import ScanSamples

_PATCHES = 32
_AT_ONCE = 4
_STEP = 0.2  # e: small enough for a derivative, large enough for half precision
_STREAM = 0x5E1  # numbered apart from what the lesson draws


class NoiseStacks(Protocol):
    """Where noise like the scan's own comes from."""

    def draw_stack(self, places: Positions, size: int, random: np.random.Generator) -> Voxels:
        """Return noise of unit variance (n, slices seen, size, size)."""


@torch.no_grad()
def keep_what_the_scan_says(
    student: nn.Module,
    begun: Mapping[str, Tensor],
    network: nn.Module,
    shares: Sequence[float],
    samples: ScanSamples,
    noise: NoiseStacks,
    patch: int,
    seed: int,
) -> float:
    """Give `network` (inside of `student`) the mean of begun and learned weights with the least estimated error.

    Args:
        student: maps slices and their noise level to the denoised slice.
        begun: weights that learning began with.
        network: holds what was learned, and then the mean.
        shares: shares of the begun weights to choose from; one: that one.
        samples, noise, patch: what to estimate the error on.
        seed: seed of the places and the noise.

    Returns:
        The share chosen.
    """
    learned = {name: value.clone() for name, value in network.state_dict().items()}

    def take(share: float) -> None:
        network.load_state_dict({name: value.lerp(begun[name], share) for name, value in learned.items()})

    if len(shares) == 1:
        take(shares[0])
        return shares[0]
    device = next(network.parameters()).device
    random = np.random.default_rng([seed, _STREAM])
    places = patch_places(samples.body, patch).draw(_PATCHES, random)
    drawn = [
        _Patches(samples, some, noise.draw_stack(some, patch, random), patch, device)
        for some in np.array_split(places, _PATCHES // _AT_ONCE)
    ]
    risks = []
    for share in shares:
        take(share)
        risks.append(sum(one.risk(student) for one in drawn))
    best = shares[int(np.argmin(risks))]
    take(best)
    return best


class _Patches:
    """Some patches of the scan, with other noise of the same kind."""

    def __init__(
        self, samples: ScanSamples, places: Positions, noise: Voxels, patch: int, device: torch.device
    ) -> None:
        def cut(stack: Voxels | Mask) -> Tensor:
            return cut_patches(stack, places, patch).to(device)

        self._image = torch.cat([cut(stack) for stack in samples.stacks], dim=1)
        self._deviation, self._body = cut(samples.deviation), cut(samples.body)
        self._noise = torch.from_numpy(np.asarray(noise, np.float32)).to(device)
        self._middle = self._image.shape[1] // 2

    def risk(self, student: nn.Module) -> float:
        """Estimated squared error in the body over the noise variance, summed, less what does not depend on the network."""
        output = student(self._image, self._deviation)
        moved = student(self._image + _STEP * self._noise * self._deviation, self._deviation)
        own = self._image[:, self._middle : self._middle + 1]
        noise = self._noise[:, self._middle : self._middle + 1]
        left = ((output - own) / self._deviation) ** 2
        share_of_noise = noise * (moved - output) / (_STEP * self._deviation)
        return float((self._body * (left + 2 * share_of_noise)).sum(dtype=torch.float64))
