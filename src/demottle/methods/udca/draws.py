"""Which patches to learn from next: from all runs alike, mirrored at random, all from one seed."""

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from demottle.learning.data.patches import Positions, patch_places
from demottle.methods.udca.clip import Clip


class Draws:
    """Draws batches. A batch comes from one clip, clips as often as they have examples."""

    def __init__(self, clips: Sequence[Clip], patch: int, batch: int, seed: int) -> None:
        """Find every place a patch may lie at."""
        self.random = np.random.default_rng(seed)
        self._clips, self._batch = clips, batch
        self._places = [patch_places(clip.wanted, patch) for clip in clips]
        counts = np.array([len(clip.frames) for clip in clips], np.float64)
        self._share = counts / counts.sum()

    def next(self) -> tuple[Clip, Positions, Callable[[Tensor], Tensor]]:
        """Return a clip, places in it, and how its patches are to be mirrored."""
        index = int(self.random.choice(len(self._clips), p=self._share))
        places = self._places[index].draw(self._batch, self.random)
        axes = [axis for axis in (-1, -2) if self.random.random() < 0.5]
        return self._clips[index], places, lambda patch: patch.flip(axes)
