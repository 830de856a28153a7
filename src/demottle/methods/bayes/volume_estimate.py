"""The estimate of a volume that comes slice after slice, the same however many come at a time.

Cubes lie on a grid that is fixed to the whole volume. Their layers are taken in order, each once, as soon as all slices that it
sees have come; a slice is done, and given back, when no later layer sees it. Nothing is computed twice where parts meet.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from demottle.image import Mask
from demottle.methods.bayes.group_estimate import Grouping, layer_estimate


class VolumeEstimate:
    """What is known so far of a volume that is being estimated."""

    def __init__(
        self,
        slices: int,
        covariance: NDArray[np.floating],
        grouping: Grouping,
        device: torch.device,
        listener: Callable[[int, int], None],
    ) -> None:
        """Begin before the first slice.

        Args:
            slices: slices of the whole volume.
            covariance: covariance of the noise in a cube (n, n).
            grouping: grouping of cubes.
            device: where to compute.
            listener: told how many layers of cubes are done, of how many.
        """
        self._slices, self._grouping, self._listener = slices, grouping, listener
        self._noise = torch.from_numpy(np.asarray(covariance, np.float32)).to(device)
        depth = grouping.cube[0]
        upward = range(0, slices - depth + 1, depth)
        self._layers = sorted({*upward, *(slices - depth - first for first in upward)})  # the same seen from either end
        self._done, self._start = 0, 0
        self._open: _Slices | None = None

    def add(self, noisy: Tensor, guide: Tensor, where: Mask) -> Tensor:
        """Take the next slices; return the estimate of those that are done by now (slices, rows, columns), on the processor.

        Every slice comes back once, in order, and all of them have when the last one was given. Outside of `where` the estimate
        may be the noisy volume itself.

        Args:
            noisy: slices in units of the local noise level, as many as one likes.
            guide: the same with hardly any noise.
            where: voxels that are asked for.
        """
        with torch.inference_mode():
            new = _Slices.of(noisy, guide, where, self._grouping)
            here = new if self._open is None else self._open.with_next(new)
            come = self._start + len(here.noisy)
            while self._done < len(self._layers) and self._seen(self._done)[1] <= come:
                self._listener(self._done, len(self._layers))
                low, high = (edge - self._start for edge in self._seen(self._done))
                here.estimate_layer(low, high, self._layers[self._done] - self._start, self._grouping, self._noise)
                self._done += 1
            all_done = self._done == len(self._layers)
            last = self._slices if all_done else self._seen(self._done)[0]
            made, self._open = here.split(last - self._start)
            self._start = last
        if all_done:
            self._listener(self._done, self._done)
        return made[:, : noisy.shape[1], : noisy.shape[2]]

    def _seen(self, number: int) -> tuple[int, int]:
        """First slice that a layer sees, and the one behind its last."""
        first, reach = self._layers[number], self._grouping.reach_slices
        return max(0, first - reach), min(self._slices, first + self._grouping.cube[0] + reach)


@dataclass(frozen=True, eq=False)
class _Slices:
    """Some slices, with rows and columns filled up to the grid of cubes, and the sums over the estimates of each voxel so far."""

    noisy: Tensor
    guide: Tensor
    asked: Tensor
    total: Tensor
    weights: Tensor

    @classmethod
    def of(cls, noisy: Tensor, guide: Tensor, where: Mask, grouping: Grouping) -> "_Slices":
        """Begin with slices that nothing is known of."""
        _, rows, columns = noisy.shape
        _, height, width = grouping.cube
        pad = (0, (width - columns) % grouping.step, 0, (height - rows) % grouping.step)
        x, g = (functional.pad(part[None], pad, mode="replicate")[0] for part in (noisy, guide))
        asked = functional.pad(torch.from_numpy(np.ascontiguousarray(where)), pad)
        return cls(x, g, asked, torch.zeros_like(x), torch.zeros_like(x))

    def parts(self) -> tuple[Tensor, ...]:
        """All that is kept of each slice."""
        return self.noisy, self.guide, self.asked, self.total, self.weights

    def with_next(self, other: "_Slices") -> "_Slices":
        """Return these slices and the ones behind them."""
        return _Slices(*(torch.cat(pair) for pair in zip(self.parts(), other.parts(), strict=True)))

    def estimate_layer(self, low: int, high: int, first: int, grouping: Grouping, noise: Tensor) -> None:
        """Add the estimates of the layer of cubes from slice `first` on, which sees the slices from `low` to before `high`."""
        asked = self.asked[first : first + grouping.cube[0]].any(dim=0)
        made = layer_estimate(self.noisy[low:high], self.guide[low:high], asked, first - low, grouping, noise)
        if made is not None:
            total, weights, box = made
            self.total[low:high, *box] += total
            self.weights[low:high, *box] += weights

    def split(self, done: int) -> tuple[Tensor, "_Slices"]:
        """Return the estimate of the first `done` slices, and the rest."""
        x, total, weights = (part[:done] for part in (self.noisy, self.total, self.weights))
        made = torch.where(weights > 0, total / weights.clamp_min(1e-12), x)
        return made, _Slices(*(part[done:].clone() for part in self.parts()))
