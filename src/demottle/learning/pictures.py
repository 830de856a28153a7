"""Sample pictures along the way of a training."""

from collections.abc import Callable, Sequence

import numpy as np

from demottle.image import Voxels

WINDOW_HU = (-160.0, 240.0)
_RESIDUAL_HU = 100.0


def before_and_after(
    samples: Sequence[Voxels], denoise: Callable[[Voxels], Voxels], window: tuple[float, float] = WINDOW_HU
) -> dict[str, Voxels]:
    """Draw each sample beside what a network makes of it and what that removes.

    Args:
        samples: slices or pieces of them (rows, columns).
        denoise: one slice in, one out.
        window: values drawn black and white; the removed part is drawn from -100 to 100.

    Returns:
        By name, float32 (rows, 3 columns) in [0, 1].
    """
    drawn = {}
    for number, before in enumerate(samples, start=1):
        after = denoise(before)
        parts = [_shown(before, *window), _shown(after, *window), _shown(before - after, -_RESIDUAL_HU, _RESIDUAL_HU)]
        drawn[f"sample-{number}"] = np.concatenate(parts, axis=1)
    return drawn


def _shown(plane: Voxels, low: float, high: float) -> Voxels:
    return np.asarray(np.clip((plane - low) / (high - low), 0, 1), np.float32)
