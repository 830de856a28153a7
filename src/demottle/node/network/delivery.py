"""Files sent at once to one destination, without a queue: by C-STORE or STOW-RS, until all of them are taken or one is not."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pydicom

from demottle.errors import OutputError
from demottle.node.configuration import AnyDestination, Destination, Tls, WebDestination
from demottle.node.network.association import TAKEN, associated, stored
from demottle.node.network.stow import WebLine

_OBJECTS, _BYTES = 50, 32 << 20  # in one request of DICOMweb; an object that is larger goes alone


def deliver(files: Sequence[Path], to: AnyDestination, title: str, tls: Tls | None) -> None:
    """Send objects (DICOM Part 10); what was sent before is sent again, which archives take for the same object.

    Args:
        files: the objects.
        to: where they go.
        title: AE title of who sends.
        tls: certificates, for a DICOM destination with tls = true.

    Raises:
        OutputError: the destination cannot be reached, or has not taken all of them.
    """
    if isinstance(to, Destination):
        _by_dicom(files, to, title, tls)
    else:
        _by_web(files, to)


def _by_dicom(files: Sequence[Path], to: Destination, title: str, tls: Tls | None) -> None:
    headers = (pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["SOPClassUID"]) for file in files)
    association = associated(title, to, tls, sorted({str(header.SOPClassUID) for header in headers}))
    if association is None:
        raise _not_sent(to.name, "no connection")
    try:
        for number, file in enumerate(files):
            answer = stored(association, file)
            if answer is None:
                raise _not_sent(to.name, f"the connection broke off after {number} of {len(files)} objects")
            if answer not in TAKEN:
                raise _not_sent(to.name, f"it refused an object (0x{answer:04X})")
    finally:
        association.release()


def _by_web(files: Sequence[Path], to: WebDestination) -> None:
    try:
        line = WebLine(to)
    except (OSError, ValueError):
        raise _not_sent(to.name, "its certificates or the log-in for it cannot be read") from None
    with closing(line):
        for batch in _batches(files):
            answer = line.store(batch)
            if answer.code not in (200, 201, 202, 409):
                raise _not_sent(to.name, answer.why or f"it answered {answer.code}")
            for file in batch:
                uid = str(
                    pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["SOPInstanceUID"]).SOPInstanceUID
                )
                plainly = answer.code in (200, 201) and uid not in answer.failed
                # Some servers refuse what they already hold.
                if not (plainly or uid in answer.stored or line.holds(uid)):
                    raise _not_sent(to.name, f"it refused an object (0x{answer.failed.get(uid, 0):04X})")


def _batches(files: Sequence[Path]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    size = 0
    for file in files:
        more = file.stat().st_size
        if batch and (len(batch) >= _OBJECTS or size + more > _BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += more
    if batch:
        yield batch


def _not_sent(name: str, why: str) -> OutputError:
    return OutputError(
        f"The result was not sent to {name}: {why}; it is kept, and sent when failed series are tried again."
    )
