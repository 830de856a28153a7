"""Which images of one orientation form which volume, by what their headers say. Looks at no file.

Two images of one volume never lie at the same place. So where places repeat, what the headers say (echo, phase, time) decides: a
trait tells volumes apart where each of its values comes with most of the places. Where every image has a moment of its own, the
order at each place decides. Some traits (kernel, echo, magnitude or phase, ...) tell volumes apart wherever they lie.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.io.dicom.geometry import along_normal, evenly_placed, same_place
from demottle.io.dicom.slice_header import SliceHeader
from demottle.io.volumes.slabs import slabs
from demottle.io.volumes.traits import TIMES, Trait

ALWAYS = (
    *("component", "stack", "kernel", "tube voltage", "energy"),
    *("echo", "echo time", "effective echo time"),
)
"""Traits that tell volumes apart even where no place repeats: noise or contrast are not the same."""

CONTENT = (
    *("image type", "inversion time", "flip angle", "repetition time", "velocity direction"),
    *("contrast phase", "slice thickness", "raw data run", "origin"),
)
"""Traits that tell volumes apart where places repeat, or where slices lie unevenly; what they show is not the same."""

OVER_TIME = (
    *("cardiac phase", "trigger delay", "respiratory phase", "time point", "temporal index", "time offset"),
    *("labeling", "acquisition", "frame acquisition", "b-value", "diffusion direction"),
)
"""Traits of volumes of the same kind, one after the other."""

_TOLD = ("sequence", "protocol", "description", "comment")
_MOST_PLACES = 0.5
_FEWEST = 3


@dataclass(frozen=True)
class Volume:
    """Images that form one volume, in the order they were given, and what all of them say.

    `by_number`: nothing but the order of InstanceNumber tells it from others.
    """

    slices: tuple[SliceHeader, ...]
    by_number: bool = False

    @cached_property
    def traits(self) -> dict[str, Trait]:
        """Traits that every image has, with one value."""
        first, *others = (header.traits for header in self.slices)
        return {name: value for name, value in first.items() if all(one.get(name) == value for one in others)}

    @cached_property
    def places(self) -> NDArray[np.float64]:
        """Positions along the normal, mm, ascending, each once."""
        return _places(along_normal(self.slices), same_place(self.slices))


@dataclass(frozen=True)
class _Cell:
    """Some images with their positions along the normal."""

    headers: tuple[SliceHeader, ...]
    positions: NDArray[np.float64]
    near: float
    by_number: bool = False

    @cached_property
    def places(self) -> int:
        return len(_places(self.positions, self.near))

    @property
    def repeats(self) -> int:
        return len(self.headers) - self.places

    @cached_property
    def even(self) -> bool:
        return not self.repeats and evenly_placed(np.sort(self.positions), self.near)

    def part(self, indices: Sequence[int], *, by_number: bool = False) -> "_Cell":
        chosen = tuple(self.headers[index] for index in indices)
        return _Cell(chosen, self.positions[list(indices)], self.near, self.by_number or by_number)


def split(group: Sequence[SliceHeader], *, accept_uneven: bool = False) -> list[Volume]:
    """Return the volumes that images of one orientation and matrix form.

    Args:
        group: their headers, with position and orientation.
        accept_uneven: keep slices together that lie unevenly, but at different places.

    A volume whose images still share places is returned as it is: its headers do not tell them apart.

    Raises:
        InputError: all images lie at one place, and only their numbers differ.
    """
    cell = _Cell(tuple(group), along_normal(group), same_place(group))
    return [Volume(part.headers, part.by_number) for part in _resolved(cell, accept_uneven)]


def _places(positions: NDArray[np.float64], near: float) -> NDArray[np.float64]:
    """The lowest position of each place, ascending."""
    ordered = np.sort(positions)
    found: NDArray[np.float64] = ordered[np.concatenate([[True], np.diff(ordered) >= near])]
    return found


def _resolved(cell: _Cell, accept_uneven: bool) -> list[_Cell]:
    for trait in ALWAYS:
        parts = _by_trait(cell, trait)
        if len(parts) > 1 and all(part.places >= min(_FEWEST, cell.places) for part in parts):
            return [found for part in parts for found in _resolved(part, accept_uneven)]
    if cell.repeats:
        parts = _told_apart(cell)
    elif cell.even or accept_uneven:
        return [cell]
    else:
        parts = _made_even(cell)
    return [found for part in parts for found in _resolved(part, accept_uneven)] if len(parts) > 1 else [cell]


def _told_apart(cell: _Cell) -> list[_Cell]:
    """Volumes that lie at the same places; the cell itself where nothing tells them apart."""
    for trait in _candidates(cell):
        parts = _by_trait(cell, trait)
        if len(parts) > 1 and sum(part.repeats for part in parts) < cell.repeats and _whole(parts, cell, trait):
            return parts
    return _by_order(cell)


def _whole(parts: Sequence[_Cell], cell: _Cell, trait: str) -> bool:
    """True where each value of a trait comes with enough places to be that of a volume, not that of a slice."""
    if trait in CONTENT:
        return all(part.places >= min(_FEWEST, cell.places) for part in parts)
    # The last volume of a run that was stopped is not whole.
    return sum(part.places <= _MOST_PLACES * cell.places for part in parts) <= 1


def _made_even(cell: _Cell) -> list[_Cell]:
    """Volumes that lie at different places, each evenly; the cell itself where there are none."""
    for trait in (*_candidates(cell), *TIMES):
        parts = _by_trait(cell, trait)
        if len(parts) > 1 and all(part.places >= _FEWEST and part.even for part in parts):
            return parts
    return [cell.part(indices) for indices in slabs(cell.positions)]


def _candidates(cell: _Cell) -> list[str]:
    named = (*CONTENT, *OVER_TIME, *_TOLD)
    dimensions = [name for name in cell.headers[0].traits if name.startswith("dimension ")]
    return [*named, *dimensions]


def _by_trait(cell: _Cell, trait: str) -> list[_Cell]:
    value: Callable[[SliceHeader], object] = _origin if trait == "origin" else lambda header: header.traits.get(trait)
    parts: dict[object, list[int]] = defaultdict(list)
    for index, header in enumerate(cell.headers):
        parts[value(header)].append(index)
    return [cell] if len(parts) == 1 else [cell.part(indices) for indices in parts.values()]


def _origin(header: SliceHeader) -> tuple[int, ...]:
    """Where the first voxel lies in the plane, in steps of 2 mm: two knees at the same heights."""
    position, axes = np.asarray(header.position), np.asarray(header.orientation)
    return tuple(int(np.floor(float(axis @ position) / 2 + 0.5)) for axis in (axes[:3], axes[3:]))


def _by_order(cell: _Cell) -> list[_Cell]:
    """Images by their rank in time at each place; the cell itself where order does not tell volumes apart.

    Raises:
        InputError: all lie at one place, and only their numbers differ.
    """
    held: dict[int, list[int]] = defaultdict(list)
    places = _places(cell.positions, cell.near)
    for index, place in enumerate(np.searchsorted(places, cell.positions, side="right")):
        held[int(place)].append(index)
    counts = Counter(len(indices) for indices in held.values())
    for trait in (*TIMES, "instance"):
        moments = [header.traits.get(trait) for header in cell.headers]
        if any(not isinstance(moment, float) for moment in moments):
            continue
        if any(len({moments[index] for index in indices}) < len(indices) for indices in held.values()):
            continue
        if trait == "instance" and len(places) == 1:
            raise InputError(
                f"All {len(cell.headers)} slices state the same position (ImagePositionPatient), and nothing but their numbers "
                "tells them apart: where they lie is not known. Export the series again with its positions."
            )
        ranked: dict[int, list[int]] = defaultdict(list)
        for indices in held.values():
            for rank, index in enumerate(sorted(indices, key=lambda index: float(moments[index] or 0))):
                ranked[rank].append(index)
        by_rank, by_place = (
            [[float(moments[i] or 0) for i in some] for some in all_.values()] for all_ in (ranked, held)
        )
        whole = _one_after_the_other(by_rank)
        if trait == "instance":  # numbers in no order (some scanners give them as images are done) say nothing
            whole &= all(len(ranked[rank]) == len(places) for rank in sorted(ranked)[:-1])
            whole |= len(counts) == 1 and _one_after_the_other(sorted(by_place, key=min))
        elif len(counts) == 1:
            whole = True
        if whole:
            return [cell.part(sorted(ranked[rank]), by_number=trait == "instance") for rank in sorted(ranked)]
    return [cell]


def _one_after_the_other(moments: Sequence[Sequence[float]]) -> bool:
    """True where each volume was finished before the next began, so that only the last can lack slices."""
    return all(max(one) < min(other) for one, other in pairwise(moments))
