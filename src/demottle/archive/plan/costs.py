"""How long a method takes: measured once on one core, or on this machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image

TRIAL = (8, 128, 128)
"""Slices, rows and columns of the simulated scan that is timed."""
_FEW, _MORE = 2, 6
"""Steps of learning, whose difference is timed."""


@dataclass(frozen=True)
class Cost:
    """Seconds of one processor core, or of a GPU.

    Attributes:
        voxels: for a million voxels: measuring, denoising, checking.
        learn: for fitting a network on a series of usual size; 0 for what learns nothing.
    """

    voxels: float
    learn: float = 0.0

    def seconds(self, voxels: float, fits: bool) -> float:
        """Seconds for a series.

        Args:
            voxels: how many it has.
            fits: it fits a network of its own.
        """
        return 1e-6 * voxels * self.voxels + (self.learn if fits else 0.0)


COSTS = {
    "guided-bayes": Cost(11.5, 60.0),
    "matched-neighbors": Cost(3.0, 60.0),
    "nl-bayes": Cost(10.0),
    "spectral-wiener": Cost(2.0),
}
"""Measured with `demottle benchmark --suite speed`, one core of an AMD EPYC with AVX2 (docs/benchmark/speed.md)."""
OTHER = "nl-bayes"
"""What a method that was not measured is taken to cost as much as."""


def usual_cost(method: str) -> Cost:
    """The cost of a method on the machine where it was measured."""
    return COSTS.get(method, COSTS[OTHER])


def timed_cost(method: str, listener: Listener = silent) -> Cost:
    """Measure the cost of a method for volumes on this machine, on a small simulated scan.

    Raises:
        DemottleError: as `demottle.pipeline.run.run`.
    """
    from demottle.methods import method as look_up
    from demottle.pipeline.request import Request
    from demottle.pipeline.run import run

    scan, clock = _scan(), _clock()
    listener(Progress(Stage.TIMING, 0, 1, method))
    learns = look_up(method).learns_from == "the image itself"
    run(scan, Request(method, steps=1 if learns else None))  # what is imported and prepared counts for nothing
    begun = clock()
    few = run(scan, Request(method, steps=_FEW if learns else None))
    first = clock() - begun
    if not learns:
        return Cost(round(first / _millions(scan), 2))
    begun = clock()
    run(scan, Request(model=few.denoiser))
    applied = clock() - begun
    begun = clock()
    more = run(scan, Request(method, steps=_MORE))
    step = max(0.0, clock() - begun - first) / (_MORE - _FEW)
    once = max(0.0, first - applied - _FEW * step)
    return Cost(
        round(applied / _millions(scan), 2),
        round(once + step * _steps(bool(more.record["fitted"].get("start_network"))), 1),
    )


def _steps(started: bool) -> int:
    """Steps that a series of usual size learns for."""
    from demottle.learning.device import best_device
    from demottle.methods.one_scan.scan_samples import MOST_STEPS, STEPS_FROM_START, STEPS_FROM_START_ON_GPU

    if not started:
        return MOST_STEPS
    return STEPS_FROM_START_ON_GPU if best_device().type == "cuda" else STEPS_FROM_START


def _scan() -> Image:
    from demottle.physics.phantoms.phantom import body_phantom, low_dose_scan

    slices, side, _ = TRIAL
    return low_dose_scan(body_phantom(slices, side, (3.0, 2.8, 2.8)), sigma=30.0, rho=0.2)


def _millions(image: Image) -> float:
    return image.voxels.size / 1e6


def _clock() -> Callable[[], float]:
    """Seconds of this process on a processor, which hold on a busy machine too; with a GPU those that pass."""
    from demottle.learning.device import best_device

    return time.perf_counter if best_device().type == "cuda" else time.process_time
