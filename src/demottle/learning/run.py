"""Where a training leaves its traces, and who watches it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from demottle.learning.observing import Observer


@dataclass(frozen=True)
class Run:
    """What surrounds a training.

    Attributes:
        folder: for checkpoints; where it holds one, the training goes on from it. None: nothing is kept.
        observers: told how it goes (`learning.observing`).
        device: where to compute; None: a GPU where there is one.
        save_every: steps between two checkpoints.
        show_every: steps between two reports with sample pictures; 0: none.
        stop: asked after every step; True: a checkpoint is written, and `KeyboardInterrupt` raised.
    """

    folder: Path | None = None
    observers: tuple[Observer, ...] = ()
    device: torch.device | None = None
    save_every: int = 500
    show_every: int = 0
    stop: Callable[[], bool] | None = None

    def saved(self, part: str = "checkpoint") -> Path | None:
        """File of the checkpoint of one part of the training; a method that trains in parts has several."""
        return None if self.folder is None else self.folder / f"{part}.safetensors"
