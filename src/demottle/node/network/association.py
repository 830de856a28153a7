"""Associations with a destination, and an object sent over one by C-STORE."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydicom
from pydicom.filereader import read_file_meta_info
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, _config

from demottle.node.configuration import Destination, Tls
from demottle.node.network.transport import LARGEST_PDU, client_context, quicken

TAKEN = (0x0000, 0xB000, 0xB006, 0xB007)
"""Success, and the warnings with which an object is kept."""


def associated(
    title: str, to: Destination, tls: Tls | None, classes: Sequence[str], handlers: Sequence[tuple[Any, Any]] = ()
) -> Any:
    """An association for some SOP classes; None where there is none to be had.

    Args:
        title: AE title of who calls.
        to: who is called.
        tls: certificates, where the destination encrypts.
        classes: SOP classes.
        handlers: of pynetdicom's events.
    """
    entity = AE(title)
    entity.maximum_pdu_size = LARGEST_PDU
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 60
    entity.connection_timeout = 15
    for sop_class in classes:
        entity.add_requested_context(sop_class, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
    secured = (client_context(tls), to.address) if to.tls and tls is not None else None
    association = entity.associate(
        to.address, to.port, ae_title=to.title, tls_args=secured, evt_handlers=list(handlers)
    )
    if not association.is_established:
        return None
    quicken(association)
    return association


def stored(association: Any, path: Path) -> int | None:
    """Send one object by C-STORE; return the status, None where nobody answered.

    It goes from the disk as it lies there, whatever its size; only where the other side takes another transfer syntax it is read
    into memory.

    Raises:
        OSError, AttributeError, pydicom.errors.InvalidDicomError: it cannot be read.
    """
    _config.STORE_SEND_CHUNKED_DATASET = True
    try:
        answer = association.send_c_store(path if _is_taken_as_it_is(association, path) else pydicom.dcmread(path))
    except ValueError:  # no presentation context was accepted for it
        return 0x0122
    except RuntimeError:  # no longer associated
        return None
    return int(answer.Status) if answer else None


def _is_taken_as_it_is(association: Any, path: Path) -> bool:
    meta = read_file_meta_info(path)
    found = str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)
    return any((one.abstract_syntax, one.transfer_syntax[0]) == found for one in association.accepted_contexts)
