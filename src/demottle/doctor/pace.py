"""How fast this machine is: the default method on a small simulated scan for a few steps, scaled to a usual scan."""

import time
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image
from demottle.methods.base import Budget
from demottle.methods.one_scan import matched_neighbors
from demottle.methods.one_scan.scan_samples import default_steps, scan_samples
from demottle.noise.fingerprint import Fingerprint, measure
from demottle.physics.phantoms.phantom import body_phantom, low_dose_scan
from demottle.quality.check.whole import check

USUAL = (64, 512, 512)
"""Slices, rows and columns of the scan whose time is told."""
_SMALL = (6, 192)  # slices, rows and columns of the scan that is timed
_STEPS = 8
_FIRST = 2  # steps that do not count: PyTorch prepares itself


@dataclass(frozen=True)
class Pace:
    """How long the parts of a fit take here.

    Attributes:
        step: seconds for one step of learning (median).
        once: seconds that a fit takes besides its steps, whatever the scan: the exams, and what is decided by the scan.
        slice: seconds for one slice of 512 x 512: measuring, denoising, checking.
        steps: steps of learning that a scan of `USUAL` size takes at most.
    """

    step: float
    once: float
    slice: float
    steps: int

    @property
    def scan(self) -> float:
        """Seconds for a scan of `USUAL` size, from voxels to voxels."""
        return USUAL[0] * self.slice + self.once + self.steps * self.step


def measure_pace(listener: Listener = silent) -> Pace:
    """Time the default method with its default network on a small simulated scan: some seconds on a usual machine."""
    slices, side = _SMALL

    def tell(event: Progress) -> None:
        listener(Progress(Stage.TIMING, 0, 1))

    scan = low_dose_scan(body_phantom(slices, side, (3, 1.9, 1.9)), sigma=30, rho=0.2, listener=tell)
    settings, steps = matched_neighbors.MatchedNeighborsSettings(), _StepTimes(tell)
    budget = Budget(_STEPS)  # without a limit of the clock, which on a busy machine would leave too few to tell
    started = time.perf_counter()
    fingerprint = measure(scan, tell)
    measured = time.perf_counter()
    network = matched_neighbors.fit(scan, settings, fingerprint, budget=budget, listener=steps)
    fitted = time.perf_counter()
    check(scan, network(scan, tell), fingerprint, tell)
    by_slice = measured - started + time.perf_counter() - fitted
    share = slices * side**2 / (USUAL[1] * USUAL[2])
    once = fitted - measured - steps.total
    return Pace(steps.usual, once, by_slice / share, _steps_of_usual(scan, fingerprint, settings))


def _steps_of_usual(scan: Image, fingerprint: Fingerprint, settings: matched_neighbors.MatchedNeighborsSettings) -> int:
    """As many as the method takes for a scan of usual size whose body fills as much of a slice as here."""
    samples = scan_samples(scan, fingerprint.correlation, fingerprint.noise_level, settings.patch)
    share = samples.body.sum() / scan.voxels.size
    body = np.broadcast_to(np.True_, int(share * np.prod(USUAL)))
    return default_steps(replace(samples, body=body), settings.patch, settings.batch, settings.start)


class _StepTimes:
    """A listener that notes when learning began and each of its steps ended, and passes on what it hears."""

    def __init__(self, listener: Listener) -> None:
        self._listener, self._ends = listener, [0.0]

    def __call__(self, event: Progress) -> None:
        if event.stage == Stage.LEARN:
            self._ends.append(time.perf_counter())
        else:
            self._ends[0] = time.perf_counter()
        self._listener(event)

    @property
    def total(self) -> float:
        return self._ends[-1] - self._ends[0]

    @property
    def usual(self) -> float:
        return float(median(np.diff(self._ends)[_FIRST:]))
