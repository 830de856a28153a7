"""The arrays that patches are cut from, kept where learning happens: on a GPU nothing travels from step to step."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from demottle.image import Voxels
from demottle.learning.data.patches import Positions


class Stacks:
    """Arrays by name, each float32 (frames, rows, columns)."""

    def __init__(self, arrays: Mapping[str, Voxels], device: torch.device) -> None:
        """Take them to a device; on the processor nothing is copied."""
        known: dict[int, Tensor] = {}  # one array under two names travels once
        for array in arrays.values():
            if id(array) not in known:
                known[id(array)] = torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(device)
        self._stacks = {name: known[id(array)] for name, array in arrays.items()}
        self._device = device

    def cut(self, name: str, places: Positions, size: int) -> Tensor:
        """Cut patches out of one array; `places` as in `PatchPlaces.draw`, returns (n, 1, size, size)."""
        at = torch.from_numpy(np.asarray(places, np.int64)).to(self._device)
        side = torch.arange(size, device=self._device)
        rows, columns = (at[:, axis, None] + side for axis in (1, 2))
        return self._stacks[name][at[:, 0, None, None], rows[:, :, None], columns[:, None, :]][:, None]
