"""How long a method takes: measured once on one core, or on this machine."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image

Size = tuple[int, int]
TRIAL: tuple[Size, Size] = ((4, 96), (10, 144))
"""Slices, and rows and columns, of the two simulated scans that are timed for a plan."""
BENCHMARK: tuple[Size, Size] = ((8, 128), (24, 256))
"""Of those that are timed by `demottle benchmark --suite speed`."""
_FEW, _MORE = 2, 6
"""Steps of learning, whose difference is timed."""
_FIELD_MM = 358.0


@dataclass(frozen=True)
class Cost:
    """Seconds of one processor core, or of a GPU.

    Attributes:
        each: for a series, however small: its page, what is measured on so many slices.
        voxels: for a million voxels: measuring, denoising, checking, writing.
        learn: for fitting a network on a series of usual size; 0 for what learns nothing.
    """

    each: float
    voxels: float
    learn: float = 0.0

    def seconds(self, voxels: float, fits: bool, minutes: float | None = None) -> float:
        """Seconds for a series.

        Args:
            voxels: how many it has.
            fits: it fits a network of its own.
            minutes: it may learn for; None: as long as is usual.
        """
        learn = self.learn if minutes is None else min(self.learn, 60 * minutes)
        return self.each + 1e-6 * voxels * self.voxels + (learn if fits else 0.0)


COSTS = {
    "guided-bayes": Cost(1.3, 8.9, 8.7),
    "matched-neighbors": Cost(0.8, 4.9, 11.1),
    "nl-bayes": Cost(1.6, 11.9),
    "spectral-wiener": Cost(0.5, 3.4),
}
"""Measured with `demottle benchmark --suite speed`, one core of an AMD EPYC with AVX2 (docs/benchmark/speed.md)."""
OTHER = "nl-bayes"
"""What a method that was not measured is taken to cost as much as."""


def usual_cost(method: str) -> Cost:
    """The cost of a method on the machine where it was measured."""
    return COSTS.get(method, COSTS[OTHER])


def timed_cost(method: str, sizes: tuple[Size, Size] = TRIAL, listener: Listener = silent) -> Cost:
    """Measure the cost of a method for volumes on this machine, on simulated scans of two sizes.

    Raises:
        DemottleError: as `demottle.pipeline.run.run`.
    """
    from demottle.methods import method as look_up
    from demottle.pipeline.request import Request

    listener(Progress(Stage.TIMING, 0, 1, method))
    small, large = (_scan(*size) for size in sizes)
    learns = look_up(method).learns_from == "the image itself"
    steps = _FEW if learns else None
    model, _ = _spent(small, Request(method, steps=steps))  # what is imported and prepared counts for nothing
    asked = Request(model=model.denoiser) if learns else Request(method)
    _, less = _spent(small, asked)
    _, more = _spent(large, asked)
    voxels = max(0.0, more - less) / ((large.voxels.size - small.voxels.size) / 1e6)
    each = max(0.0, less - voxels * small.voxels.size / 1e6)
    learn = _learning(method, large, more) if learns else 0.0
    return Cost(round(each, 2), round(voxels, 2), round(learn, 1))


def _learning(method: str, scan: Image, applied: float) -> float:
    """Seconds for fitting: what takes so long however few the steps, and as many steps as a usual series learns for."""
    from demottle.learning.device import best_device
    from demottle.methods.one_scan.scan_samples import MOST_STEPS, STEPS_FROM_START, STEPS_FROM_START_ON_GPU
    from demottle.pipeline.request import Request

    _, few = _spent(scan, Request(method, steps=_FEW))
    made, more = _spent(scan, Request(method, steps=_MORE))
    step = max(0.0, more - few) / (_MORE - _FEW)
    started = STEPS_FROM_START_ON_GPU if best_device().type == "cuda" else STEPS_FROM_START
    steps = started if made.record["fitted"].get("start_network") else MOST_STEPS
    return max(0.0, few - applied - _FEW * step) + steps * step


def _spent(scan: Image, request: Any) -> tuple[Any, float]:
    """Denoise and write, with a page; return what came of it, and seconds."""
    from demottle import io
    from demottle.pipeline.run import run

    clock = _clock()
    begun = clock()
    with tempfile.TemporaryDirectory() as folder:
        result = run(scan, request)
        io.write(result.image, Path(folder) / "images", format="dicom")
        result.save_page(Path(folder) / "report.html", result.record)
    return result, clock() - begun


def _scan(slices: int, side: int) -> Image:
    from demottle.physics.phantoms.phantom import body_phantom, low_dose_scan

    return low_dose_scan(body_phantom(slices, side, (3.0, _FIELD_MM / side, _FIELD_MM / side)), sigma=30.0, rho=0.2)


def _clock() -> Callable[[], float]:
    """Seconds of this process on a processor, which hold on a busy machine too; with a GPU those that pass."""
    from demottle.learning.device import best_device

    return time.perf_counter if best_device().type == "cuda" else time.process_time
