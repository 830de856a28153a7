"""An object that has come, over whatever: looked at, moved to its name, and entered in the queue."""

import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demottle.node.configuration import Configuration
from demottle.node.disk import object_name, settle
from demottle.node.log import complain, plain
from demottle.node.network.whole import CUT_SHORT, read_header
from demottle.node.queue.arrivals import OTHER, SAME, Arrival, arrived
from demottle.node.queue.store import Queue

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_TAGS = [
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality"),
    *("NumberOfSeriesRelatedInstances", "RequestedProcedurePriority", "StudyPriorityID"),
]
_URGENT = ("STAT", "HIGH")


@dataclass(frozen=True)
class Looked:
    """What the node asks of an object's header, as texts by keyword; `wrong` says why it cannot be kept."""

    found: Mapping[str, str]
    wrong: str = ""


def is_uid(text: str) -> bool:
    """True for a DICOM UID."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None


def look(file: Path) -> Looked:
    """Read the header of an object (DICOM Part 10), and look whether all of it is there."""
    try:
        header, short = read_header(file, _TAGS)
        found = {name: str(header.get(name) or "") for name in _TAGS}
        found["TransferSyntaxUID"] = str(header.file_meta.get("TransferSyntaxUID") or "")
    except zlib.error:
        return Looked({}, CUT_SHORT)
    except Exception:  # pydicom raises many types on broken data sets
        return Looked({}, "the data set cannot be read")
    for name in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if not is_uid(found[name]):
            return Looked(found, short or f"{name} is missing or not a UID")
    return Looked(found, short)


def keep(
    told: Configuration,
    queue: Queue,
    temporary: Path,
    found: Mapping[str, str],
    *,
    caller: str,
    syntax: str,
    urgent: bool,
) -> str:
    """Move an object to its name and enter it. When this returns it may be acknowledged.

    Returns:
        As `demottle.node.queue.arrivals.arrived`.

    Raises:
        OSError: as the disk says.
    """
    digest = _digest(temporary)
    name = object_name(found["SeriesInstanceUID"], found["SOPInstanceUID"], digest)
    settle(temporary, told.folder / name)
    arrival = Arrival(
        series=found["SeriesInstanceUID"],
        study=found["StudyInstanceUID"],
        uid=found["SOPInstanceUID"],
        sop_class=found["SOPClassUID"],
        syntax=syntax,
        caller=plain(caller, 16),
        modality=plain(found["Modality"] or "OT", 16),
        file=name,
        size=(told.folder / name).stat().st_size,
        digest=digest,
        expected=_number(found["NumberOfSeriesRelatedInstances"]),
        urgent=urgent or bool({found[tag] for tag in _TAGS[-2:]} & set(_URGENT)),
    )
    found_as = arrived(queue, arrival)
    if found_as == SAME:
        (told.folder / name).unlink(missing_ok=True)
    elif found_as == OTHER:
        complain(f"an object from {plain(caller, 16)} came again with other content; it is kept aside")
    return found_as


def _digest(file: Path) -> str:
    """SHA-256 of the data set, without the file meta information: that is of whoever wrote the file."""
    with file.open("rb") as stream:
        stream.seek(140)
        stream.seek(144 + int.from_bytes(stream.read(4), "little"))
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None
