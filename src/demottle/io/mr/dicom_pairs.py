"""The phase of a DICOM series over time: another series of the folder, or another part of the same series."""

from dataclasses import dataclass
from pathlib import Path

from demottle.errors import InputError
from demottle.image import Image
from demottle.io.payload import payload_of
from demottle.io.reading import open_scan
from demottle.io.scans import list_series
from demottle.io.volumes.over_time import SeriesPayload


@dataclass(frozen=True)
class PhasePart:
    """Where a phase lies: SeriesInstanceUID, the number of its part, and what it is called."""

    series: str
    volume: int
    label: str


def phase_in(scan: Path, image: Image) -> PhasePart | None:
    """Return the one phase beside a magnitude with as many volumes and slices; None where there is none, or several."""
    payload = payload_of(image)
    if not isinstance(payload, SeriesPayload):
        return None
    own = payload.slices[0].series_uid
    found = []
    for info in list_series(scan):
        try:
            parts = open_scan(scan, series=info.uid).volumes
        except InputError:  # another series of the folder, whatever it is, must not stop this one
            continue
        for part in parts:
            slices = sum(len(volume.slices) for volume in part.volumes)
            if part.phase and (len(part.volumes), slices) == (payload.volumes, len(payload.slices)):
                found.append(PhasePart(info.uid, part.number, info.description or part.label))
    same = [part for part in found if part.series == own] or found
    return same[0] if len(same) == 1 else None
