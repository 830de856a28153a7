"""Networks shown other slices in the same batch, and loops that take fewer at a time: what should make no difference."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import pytest


def in_other_batches(at_once: Mapping[str, int], patch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """From now on every network that is applied gets its batch and, behind it, the same one upside down.

    Args:
        at_once: numbers that say how much is computed at a time ("module.NAME"), and what they are instead.
        patch: takes it all back.

    Returns:
        What says whether a network was applied since.
    """
    import torch

    for name, value in at_once.items():
        module, _, constant = name.rpartition(".")
        assert getattr(import_module(module), constant) > value
        patch.setattr(f"{name}", value)
    plain = torch.nn.Module.__call__
    inside = False
    applied = False

    def crowded(self: torch.nn.Module, *given: Any, **named: Any) -> Any:
        nonlocal inside, applied
        images = [value for value in given if isinstance(value, torch.Tensor) and value.ndim == 4]
        if inside or not torch.is_inference_mode_enabled() or len(images) != len(given) or not images:
            return plain(self, *given, **named)
        inside, count = True, len(images[0])
        try:
            answer = plain(self, *(torch.cat([image, image.flip(-2)]) for image in images), **named)
        finally:
            inside = False
        applied = True
        return answer[:count] if isinstance(answer, torch.Tensor) else type(answer)(part[:count] for part in answer)

    patch.setattr(torch.nn.Module, "__call__", crowded)
    return lambda: applied
