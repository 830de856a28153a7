"""Random patches of two sets of scans, for one step of a training."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demottle.image import Voxels
from demottle.learning.data.cohort import Scan, Sets, Side
from demottle.learning.data.patches import cut_patches
from demottle.learning.players import Share

Derive = tuple[str, Callable[[Voxels], Voxels]]
"""A name and what it makes of a whole slice: patches are cut from that instead of from the slice."""


class SidePatches:
    """Patches of one side, every place inside a body with the same chance."""

    def __init__(self, side: Side, size: int, margin: int = 0, derive: Derive | None = None) -> None:
        """Open the scans; what is derived from whole slices is computed now, where it is not stored yet."""
        self.size = size
        self._places = side.places(size, margin)
        self._stacks = [_stack(scan, derive) for scan in side.scans]
        counts = np.array([len(places.centres) for places in self._places], float)
        self._chances = np.cumsum(counts / counts.sum())

    def place(self, random: np.random.Generator) -> tuple[int, NDArray[np.int64]]:
        """Draw a scan, and slice, first row and first column in it."""
        scan = min(int(np.searchsorted(self._chances, random.random(), side="right")), len(self._places) - 1)
        return scan, self._places[scan].draw(1, random)

    def cut(self, scan: int, place: NDArray[np.int64]) -> Tensor:
        """Cut the patch at a place, float32 (1, 1, size, size)."""
        return cut_patches(self._stacks[scan], place, self.size)


class UnpairedPatches:
    """Draws low-dose and full-dose patches independently of each other."""

    def __init__(self, sets: Sets, size: int, margin: int = 0, derive: Derive | None = None) -> None:
        """Open both sides."""
        self._low = SidePatches(sets.low, size, margin, derive)
        self._full = SidePatches(sets.full, size, margin, derive)

    def __call__(self, share: Share) -> tuple[Tensor, Tensor]:
        """Return low-dose and full-dose patches in the unit of the images, (items, 1, size, size) each."""
        randoms = share.random(0)
        low = [self._low.cut(*self._low.place(random)) for random in randoms]
        full = [self._full.cut(*self._full.place(random)) for random in randoms]
        return _joined(low, share), _joined(full, share)


class PairedPatches:
    """Draws patches at the same places of scans that show the same, slice for slice.

    The scans of the two sides correspond in order (see `Side`), with the same slices kept.
    """

    def __init__(self, sets: Sets, size: int, margin: int = 0, derive: Derive | None = None) -> None:
        """Open both sides."""
        self._low = SidePatches(sets.low, size, margin, derive)
        self._full = SidePatches(sets.full, size, margin, derive)

    def __call__(self, share: Share) -> tuple[Tensor, Tensor]:
        """Return low-dose and full-dose patches in the unit of the images, (items, 1, size, size) each."""
        places = [self._low.place(random) for random in share.random(0)]
        return (
            _joined([self._low.cut(*place) for place in places], share),
            _joined([self._full.cut(*place) for place in places], share),
        )


def _stack(scan: Scan, derive: Derive | None) -> NDArray[Any]:
    return scan.slices if derive is None else scan.derived(*derive)


def _joined(patches: Sequence[Tensor], share: Share) -> Tensor:
    return torch.cat(list(patches)).to(share.device, non_blocking=True)
