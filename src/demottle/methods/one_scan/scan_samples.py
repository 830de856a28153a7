"""What a scan offers for learning: some of its slices, cut to the body, with their noise level."""

from dataclasses import dataclass

import numpy as np

from demottle.errors import InputError, UnsuitableError
from demottle.image import Image, Mask, Voxels
from demottle.methods.one_scan.protection import changeable, fill_invalid
from demottle.noise.correlation import Correlation
from demottle.noise.fingerprint import Fingerprint
from demottle.noise.local import noise_map
from demottle.noise.slices import spread

MOST_SLICES = 64
"""More slices than this teach a network nothing new, and cost memory and time."""


STEPS_FROM_START = 60
MOST_STEPS = 550
STEPS_ON_FEW_SLICES = 20
_FEW_SLICES = 3
STEPS_FROM_START_ON_GPU = 300
FEWEST_STEPS_FROM_START = 30
_LARGE = 1_200_000
"""Voxels of tissue from which on all steps are worth their time."""


@dataclass(frozen=True, eq=False)
class ScanSamples:
    """Slices to learn from, all cut to the same box around the body.

    Attributes:
        indices: which slices of the image.
        slices: float32 (n, rows, columns), padding filled.
        around: the slices before and after each that a network sees with it, in order, each like `slices`; may be empty.
        deviation: local noise level, same shape.
        body: True where a pixel may be learned from and will be changed.
        box: rows and columns of the cut in the full slice.
    """

    indices: tuple[int, ...]
    slices: Voxels
    around: tuple[Voxels, ...]
    deviation: Voxels
    body: Mask
    box: tuple[slice, slice]

    @property
    def stacks(self) -> tuple[Voxels, ...]:
        """All that a network sees, in order: the slices before, the slices themselves, the slices after."""
        half = len(self.around) // 2
        return (*self.around[:half], self.slices, *self.around[half:])


def scan_samples(
    image: Image, correlation: Correlation, noise_level: float, least_side: int, seen_at_once: int = 1
) -> ScanSamples:
    """Choose up to `MOST_SLICES` slices, spread evenly, and cut them to the body, at least `least_side` pixels wide."""
    indices = spread(image.shape[0], MOST_SLICES)
    local = noise_map(image, correlation, noise_level)
    masks = np.stack([changeable(image, index) >= 1 for index in indices])
    box = box_around(np.logical_or.reduce(masks), least_side)
    seen_with = np.array([seen(index, seen_at_once, image.shape[0]) for index in indices])
    stacks = [np.stack([fill_invalid(image, index)[box] for index in column]) for column in seen_with.T]
    own = stacks.pop(seen_at_once // 2)
    return ScanSamples(
        indices=tuple(indices),
        slices=own,
        around=tuple(stacks),
        deviation=np.stack([local.plane(index)[box] for index in indices]),
        body=masks[(slice(None), *box)],
        box=box,
    )


def seen(index: int, slices: int, count: int) -> list[int]:
    """Indices of the slices that a network sees with slice `index` of `count`; mirrored at the ends of the scan."""
    side = slices // 2
    around = [abs(index + step) for step in range(-side, side + 1)]
    return [other if other < count else 2 * (count - 1) - other for other in around]


def learnable_spectrum(method: str, image: Image, fingerprint: Fingerprint, fewest: int = 3) -> Voxels:
    """Return the noise spectrum (n, n), float32, FFT order, of a scan of at least `fewest` slices that a method can learn from.

    Raises:
        UnsuitableError: where it cannot; the sentence says why.
    """
    if fingerprint.spectrum is None or not np.isfinite(fingerprint.noise_level) or fingerprint.noise_level <= 0:
        raise UnsuitableError(f"{method} needs a measurable noise level and spectrum, which this image does not offer.")
    if image.shape[0] < fewest:
        raise UnsuitableError(
            f"{method} learns from neighboring slices and needs at least {fewest}; the image has {image.shape[0]}."
        )
    return fingerprint.spectrum.density_2d.astype(np.float32)


def default_steps(
    samples: ScanSamples, patch: int, batch: int, started: bool = False, on_gpu: bool = False, spare: bool = False
) -> int:
    """Choose how long to learn: enough steps to see the body about ten times, 300 to 550 of them; fewer from the shipped weights.

    Fewer leave a network unfinished even on a short scan. From the shipped weights, 300 steps (of eight patches) gain another
    0.2 dB on 80: seconds on a GPU, minutes without one; 60 are as good as 80. On one to three slices 20 are as good as 60.
    `spare`: as many fewer as there is less tissue than in `_LARGE` voxels, none where so few were left that they change nothing.
    """
    if started and len(samples.indices) <= _FEW_SLICES:
        return STEPS_ON_FEW_SLICES
    if started and spare and not on_gpu:
        share = min(1.0, samples.body.sum() / _LARGE)
        steps = round(STEPS_FROM_START * share)
        return steps if steps >= FEWEST_STEPS_FROM_START else 0
    if started:
        return STEPS_FROM_START_ON_GPU if on_gpu else STEPS_FROM_START
    return int(np.clip(10 * samples.body.sum() / (patch**2 * batch), 300, MOST_STEPS))


def patch_that_fits(patch: int, multiple: int, image: Image) -> int:
    """Shrink a patch to the slices where they are smaller.

    Raises:
        InputError: where not even 32 pixels fit.
    """
    rows, columns = image.shape[1:]
    side = min(rows, columns) // multiple * multiple
    if side < 32:
        raise InputError(f"The slices have {rows} x {columns} pixels; learning needs at least 32 x 32.")
    return min(patch, side)


def box_around(mask: Mask, least: int) -> tuple[slice, slice]:
    """Rows and columns around what is wanted (rows, columns), at least `least` pixels wide where the slice is."""
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    if not len(rows):
        return slice(0, mask.shape[0]), slice(0, mask.shape[1])
    return _span(rows[0], rows[-1] + 1, least, mask.shape[0]), _span(columns[0], columns[-1] + 1, least, mask.shape[1])


def _span(first: int, last: int, least: int, whole: int) -> slice:
    """Widen a range to `least`, inside `whole`."""
    missing = max(0, least - (last - first))
    first = max(0, int(first) - missing // 2)
    last = min(whole, max(int(last), first + least))
    return slice(max(0, min(first, last - least)), last)
