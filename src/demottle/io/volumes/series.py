"""The volumes of one series, numbered: what `--volume N` chooses from. Volumes of one kind over time are taken together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from demottle.errors import InputError, counted
from demottle.io.dicom.geometry import along_normal, volume_groups
from demottle.io.dicom.slice_header import SliceHeader
from demottle.io.volumes.labels import labelled
from demottle.io.volumes.mosaic import UNPLACED
from demottle.io.volumes.split import ALWAYS, CONTENT, OVER_TIME, Volume, split
from demottle.io.volumes.traits import TIMES, TRACE

FEWEST_OVER_TIME = 4
"""Volumes of a series over time; fewer are volumes of their own (and a filter over them could not tell noise from signal)."""
PHASE_IMAGES = "This volume holds phase images, whose values wrap around; no filter here handles them."
BY_NUMBER = (
    "Only the order of InstanceNumber, or of frames, tells the volumes of this series apart (an anonymization may have taken "
    "their times): "
    "check that each is one volume."
)
_ORDER = ("time point", "temporal index", "time offset", "trigger delay", "cardiac phase", "respiratory phase")
_LISTED = 12  # volumes named in one message
_SAME_PLACE = 0.5  # mm: prospective motion correction moves slices a little


@dataclass(frozen=True)
class Part:
    """One volume of a series, or several of one kind over time (or diffusion weighting), which belong together.

    Attributes:
        number: from 1, in the order of the series.
        label: what distinguishes it from the others, "echo 2, TE 30 ms"; empty where it is the only one.
        volumes: one, or those over time in their order.
    """

    number: int
    label: str
    volumes: tuple[Volume, ...]

    @property
    def over_time(self) -> bool:
        """True where it holds volumes over time or diffusion weighting."""
        return len(self.volumes) > 1

    @property
    def phase(self) -> bool:
        """True for phase images, whose values wrap: no filter is for them."""
        return self.volumes[0].traits.get("component") == "phase"

    @property
    def size(self) -> str:
        """How many slices of which matrix, in words."""
        first = self.volumes[0].slices[0]
        size = f"{counted(len(self.volumes[0].slices), 'slice')} of {first.rows} x {first.columns}"
        return f"{len(self.volumes)} volumes of {size}" if self.over_time else size

    def __str__(self) -> str:
        """One line for a list."""
        return f"{self.number}: {self.label + ', ' if self.label else ''}{self.size}"


def parts_of(
    members: Sequence[SliceHeader], *, accept_uneven: bool = False
) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Return the volumes of one series, and a warning about images set aside.

    Args:
        members: the headers of all images of the series.
        accept_uneven: keep slices together that lie unevenly.

    Raises:
        InputError: no image can be part of a volume, or a series over time lacks slices.
    """
    groups, aside = volume_groups(members)
    volumes = [volume for group in groups for volume in split(group, accept_uneven=accept_uneven)]
    rank = {id(header): index for index, header in enumerate(members)}
    volumes.sort(key=lambda volume: _file_order(volume, rank))
    together, unfinished = _over_time(volumes)
    parts = [Part(number, "", group) for number, group in enumerate(together, start=1)]
    told = labelled([part.volumes for part in parts])
    return tuple(replace(part, label=label) for part, label in zip(parts, told, strict=True)), (*aside, *unfinished)


def _file_order(volume: Volume, rank: dict[int, int]) -> tuple[float, tuple[float, ...], int]:
    """By instance number; where volumes are numbered alike by what their headers say, by time, and only then by their files."""
    numbers = [header.traits.get("instance") for header in volume.slices]
    known = [number for number in numbers if isinstance(number, float)]
    values = [volume.traits.get(name) for name in (*ALWAYS, *CONTENT, *OVER_TIME)]
    values += [None if np.isnan(moment := began(volume, name)) else moment for name in TIMES]
    said = tuple(value if isinstance(value, float) else 0.0 for value in values)
    return (min(known) if known else 0.0), said, min(rank[id(header)] for header in volume.slices)


def _over_time(volumes: Sequence[Volume]) -> tuple[list[tuple[Volume, ...]], tuple[str, ...]]:
    """Take volumes together that differ in time or diffusion weighting alone; MR only."""
    alike: dict[object, list[Volume]] = defaultdict(list)
    directed = any("diffusion direction" in volume.traits for volume in volumes)
    for index, volume in enumerate(volumes):
        mean = directed and volume.traits.get("directionality") == TRACE  # of the others, and no measurement
        alike[_kind(volume, index), mean].append(volume)
    found: list[tuple[Volume, ...]] = []
    unfinished: list[Volume] = []
    for group in alike.values():
        slices = max(len(volume.slices) for volume in group)
        whole = [volume for volume in group if len(volume.slices) == slices and _same_places(volume, group)]
        if len(whole) < FEWEST_OVER_TIME or len(group) - len(whole) > 1:
            found += [(volume,) for volume in group]
            continue
        unfinished += _last_alone(group, whole)
        found.append(tuple(in_order(whole)))
    return found, _unfinished_sentence(unfinished)


def _last_alone(group: Sequence[Volume], whole: Sequence[Volume]) -> list[Volume]:
    """Return what the run that was stopped left unfinished.

    Raises:
        InputError: another volume than the last lacks slices: they were lost.
    """
    missing = [volume for volume in group if volume not in whole]
    if missing and in_order(group)[-1] is not missing[0]:
        lost, place = missing[0], in_order(group).index(missing[0]) + 1
        raise InputError(
            f"Of {len(group)} volumes over time, number {place} has {counted(len(lost.slices), 'slice')} and the others have "
            f"{len(whole[0].slices)}; complete the series."
        )
    return missing


def _kind(volume: Volume, index: int) -> object:
    first = volume.slices[0]
    if first.modality != "MR":
        return index
    traits = tuple(volume.traits.get(name) for name in (*ALWAYS, *CONTENT) if name != "origin")
    orientation = tuple(round(value, 2) + 0.0 for value in first.orientation or ())
    return orientation, first.pixel_spacing, first.rows, first.columns, traits


def _same_places(volume: Volume, group: Sequence[Volume]) -> bool:
    other = max(group, key=lambda one: len(one.slices))
    return bool(np.abs(volume.places - other.places).max() < _SAME_PLACE)


def in_order(volumes: Sequence[Volume]) -> list[Volume]:
    """Sort volumes of one kind in time: by the first trait that gives each its own place, else as the scanner numbered them."""
    for name in _ORDER:
        values = [volume.traits.get(name) for volume in volumes]
        if all(isinstance(value, float) for value in values) and len(set(values)) == len(values):
            return sorted(volumes, key=lambda volume: float(volume.traits[name]))
    for name in ("acquired", "acquisition", "frame acquisition", "trigger time", "instance"):
        begun = [began(volume, name) for volume in volumes]
        if np.isfinite(begun).all() and len(set(begun)) == len(begun):
            return [volumes[index] for index in np.argsort(begun, kind="stable")]
    return list(volumes)


def began(volume: Volume, trait: str) -> float:
    """The smallest value of a trait among the images of a volume; NaN where one of them has none."""
    values = [header.traits.get(trait) for header in volume.slices]
    numbers = [value for value in values if isinstance(value, float)]
    return min(numbers) if len(numbers) == len(values) else float("nan")


def in_place(volume: Volume) -> Volume:
    """The same volume, its slices in order of position along the normal."""
    order = np.argsort(along_normal(volume.slices), kind="stable")
    return replace(volume, slices=tuple(volume.slices[index] for index in order))


def _unfinished_sentence(volumes: Sequence[Volume]) -> tuple[str, ...]:
    if not volumes:
        return ()
    images = sum(len(volume.slices) for volume in volumes)
    return (
        f"Set aside {counted(images, 'image')} of a volume that is not complete: the series seems to have been stopped "
        "while it was taken.",
    )


def choose_part(parts: Sequence[Part], number: int | None, what: str) -> Part:
    """Return the volume of this number; None: the only one.

    Raises:
        InputError: several and none chosen, or none of this number; they are listed.
    """
    if number is None and len(parts) == 1:
        return parts[0]
    shown = [str(part) for part in parts[:_LISTED]] + (["..."] if len(parts) > _LISTED else [])
    if number is None:
        raise InputError(f"{what} holds {len(parts)} volumes; choose one of them: {'; '.join(shown)}.", remedy="volume")
    if not 1 <= number <= len(parts):
        raise InputError(f"There is no volume {number} in this series; there {_are(len(parts))}: {'; '.join(shown)}.")
    return parts[number - 1]


def refuse_number(number: int | None, what: str = "a run of frames") -> None:
    """Refuse a number of a volume where there is nothing to choose from.

    Raises:
        InputError: where a number other than 1 is given.
    """
    if number not in (None, 1):
        raise InputError(f"There is no volume {number}: the scan is {what}, and there is only one.")


def _are(count: int) -> str:
    return "is one" if count == 1 else f"are {count}"


def unplaced(part: Part) -> str:
    """Return why it is not known where the slices lie, as a sentence; empty where it is."""
    return str(part.volumes[0].slices[0].traits.get(UNPLACED, ""))


def part_warnings(part: Part) -> tuple[str, ...]:
    """Return what a user should know of a volume before believing the rest."""
    found = [sentence for sentence in (unplaced(part),) if sentence]
    if part.phase:
        found.append(PHASE_IMAGES)
    if part.volumes[0].by_number:
        found.append(BY_NUMBER)
    return tuple(found)
