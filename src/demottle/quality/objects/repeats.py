"""What takes many scans of one phantom: observers, structure out of pure noise, and means over repeats.

Scans are taken one after the other, so that any number of them fits into memory.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.structures import GroundTruth
from demottle.quality.check.leak import Leak
from demottle.quality.geometry_match import refuse_apart
from demottle.quality.objects.observers import Observed, Observers, independent_step
from demottle.quality.refusals import refusals
from demottle.quality.truth.invented import NoiseOnly, noise_only

Pair = tuple[Image, Image]
"""A scan and what was made of it."""
_MOST_PLANES = 64
_RIM_MM = 3.0  # of the phantom, where its edge reaches


@dataclass(frozen=True, eq=False)
class Many:
    """What many scans of one phantom say.

    Attributes:
        before, after: means over all scans with objects: the same image where there is one.
        scans, without: how many scans there were, with the objects and without.
        observed: Hotelling observers.
        noise_only: what became of pure noise; None where nothing but noise was not scanned.
        refused: what could not be measured, in sentences.
    """

    before: Image
    after: Image
    scans: int
    without: int
    observed: tuple[Observed, ...]
    noise_only: NoiseOnly | None
    refused: tuple[str, ...]


def gather(
    first: Pair, repeats: Iterable[Pair], absent: Iterable[Pair], known: GroundTruth, leak: Leak | None, without: bool
) -> Many:
    """Show all scans to the observers.

    Args:
        first: a scan of the phantom and what was made of it.
        repeats: more of them, with noise of their own.
        absent: the same phantom without its objects.
        known: what is where.
        leak: noise shared by slices, before and after: says which slices count as independent.
        without: `absent` holds something (it may be read as it is gone through).

    Raises:
        InputError: for scans that do not belong together.
    """
    observers = Observers(known, without, independent_step(leak))
    empty = _Empty(known)
    plain = not any(s.task != "uniform" for s in known.structures)
    mean = _Mean()
    for pair in chain((first,), repeats):
        _refuse(first[0], pair, "repeat")
        observers.show(*pair)
        if plain:
            empty.show(*pair)
        mean.add(pair)
    bare = 0
    for pair in absent:
        _refuse(first[0], pair, "scan without objects")
        observers.show_without(*pair)
        empty.show(*pair)
        bare += 1
    before, after = mean.of(first)
    observed, refused = observers.found()
    flat, why = empty.found()
    told = [*refusals("No Hotelling observer", refused), *([why] if why else [])]
    if not known.for_task("detection"):
        told.insert(0, "No Hotelling observer: the list of structures holds no disc that is there to be detected.")
    return Many(before, after, mean.count, bare, tuple(observed), flat, tuple(told))


class _Empty:
    """Planes of the uniform part of a phantom that holds nothing."""

    def __init__(self, known: GroundTruth) -> None:
        self._known = known
        self._planes: tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]] = ([], [])

    def show(self, before: Image, after: Image) -> None:
        uniform = self._known.for_task("uniform")
        if not uniform:
            return
        half = int((uniform[0].insert.radius_mm / np.sqrt(2) - _RIM_MM) / max(before.spacing[1:]))
        row, column = (round(at) for at in uniform[0].insert.center[1:])
        rows, columns = (slice(max(at - half, 0), at + half + 1) for at in (row, column))
        for z in range(before.shape[0]):
            if len(self._planes[0]) < _MOST_PLANES:
                for image, kept in zip((before, after), self._planes, strict=True):
                    kept.append(image.voxels[z, rows, columns])

    def found(self) -> tuple[NoiseOnly | None, str]:
        """What became of the noise, or why that is not known."""
        if not self._planes[0]:
            return None, (
                "No noise-only test: that takes scans of a uniform phantom without its objects, and what was made of them."
            )
        before, after = (np.stack(planes) for planes in self._planes)
        try:
            return noise_only(before, after, (self._known.spacing[1], self._known.spacing[2])), ""
        except InputError as error:
            return None, f"No noise-only test: {error}"


class _Mean:
    """Mean of scans, and of what was made of them; nothing is added up before there is a second one."""

    def __init__(self) -> None:
        self.count = 0
        self._sums: list[NDArray[np.float64]] = []
        self._first: Pair | None = None

    def add(self, pair: Pair) -> None:
        self.count += 1
        if self._first is None:
            self._first = pair
            return
        if not self._sums:
            self._sums = [np.nan_to_num(image.voxels).astype(np.float64) for image in self._first]
        for total, image in zip(self._sums, pair, strict=True):
            total += np.nan_to_num(image.voxels)

    def of(self, first: Pair) -> Pair:
        if not self._sums:
            return first
        before, after = (
            image.with_voxels((total / self.count).astype(np.float32))
            for image, total in zip(first, self._sums, strict=True)
        )
        return before, after


def _refuse(like: Image, pair: Pair, what: str) -> None:
    refuse_apart({"The input": like, f"The {what}": pair[0], f"What was made of the {what}": pair[1]})
