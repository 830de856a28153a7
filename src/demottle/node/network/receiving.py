"""Objects come in over DICOM: each is acknowledged only when it lies on the disk, under its name, and in the queue."""

import errno
import sqlite3
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydicom import uid as uids
from pydicom.dataset import Dataset
from pynetdicom import AE, _config, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, Verification

from demottle.node.audit import Audit
from demottle.node.configuration import Configuration
from demottle.node.disk import has_room, room
from demottle.node.log import complain, plain, tell
from demottle.node.network import transport
from demottle.node.network.commitment import Commitments
from demottle.node.network.keeping import keep, look
from demottle.node.network.refusals import cannot_listen
from demottle.node.network.transfers import Transfers
from demottle.node.queue.store import Queue

CLASSES = (
    *(uids.CTImageStorage, uids.EnhancedCTImageStorage, uids.LegacyConvertedEnhancedCTImageStorage),
    *(uids.MRImageStorage, uids.EnhancedMRImageStorage, uids.LegacyConvertedEnhancedMRImageStorage),
    *(uids.XRayAngiographicImageStorage, uids.EnhancedXAImageStorage),
    *(uids.XRayRadiofluoroscopicImageStorage, uids.EnhancedXRFImageStorage),
)
SYNTAXES = (
    *(uids.ExplicitVRLittleEndian, uids.ImplicitVRLittleEndian, uids.DeflatedExplicitVRLittleEndian),
    *(uids.ExplicitVRBigEndian, uids.RLELossless, uids.JPEGLossless, uids.JPEGLosslessSV1),
    *(uids.JPEGLSLossless, uids.JPEGLSNearLossless, uids.JPEG2000Lossless, uids.JPEG2000),
    *(uids.HTJ2KLossless, uids.HTJ2KLosslessRPCL, uids.HTJ2K, uids.JPEGBaseline8Bit),
)
"""What demottle can read (docs/conformance.md)."""

SUCCESS, NO_ROOM, MISMATCH, NOT_UNDERSTOOD, NOT_ALLOWED, BROKEN = 0x0000, 0xA700, 0xA900, 0xC000, 0x0124, 0x0110


class Receiver:
    """The server. `start` begins to listen, `stop` ends all associations."""

    def __init__(self, told: Configuration, queue: Queue) -> None:
        """Prepare; nothing listens yet."""
        self._told, self._queue = told, queue
        self._audit = Audit(told.folder)
        self._transfers = Transfers(self._audit)
        self._commitments = Commitments(told, queue)
        self._entity = AE(told.title)
        self._entity.maximum_pdu_size = transport.LARGEST_PDU
        self._entity.maximum_associations = transport.CONNECTIONS
        self._entity.network_timeout, self._entity.acse_timeout = transport.PATIENCE, transport.GREETING
        for sop_class in CLASSES:
            self._entity.add_supported_context(sop_class, list(SYNTAXES))
        self._entity.add_supported_context(Verification)
        self._entity.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
        self._server: transport.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Where it listens: the port that was asked for, or the free one that was found for 0."""
        assert self._server is not None
        return int(self._server.server_address[1])

    @property
    def listens(self) -> bool:
        """True while connections are accepted."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin to listen.

        Raises:
            InputError: the address or the port cannot be had.
        """
        self._before = _config.STORE_RECV_CHUNKED_DATASET, tempfile.tempdir
        _config.STORE_RECV_CHUNKED_DATASET = True  # objects go to a file as they come, whatever their size ...
        tempfile.tempdir = str(self._told.folder / "incoming")  # ... on the disk where they will stay
        _config.LOG_HANDLER_LEVEL = "none"
        handlers = [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_C_ECHO, lambda event: SUCCESS),
            (evt.EVT_C_STORE, self._stored),
            (evt.EVT_N_ACTION, self._commitments.asked),
            (evt.EVT_N_EVENT_REPORT, self._commitments.reported),
            (evt.EVT_CONN_CLOSE, self._closed),
            (evt.EVT_ABORTED, lambda event: complain(f"an association of {_name_of(event.assoc)} was aborted")),
        ]
        where = self._told.address, self._told.port
        try:
            server = self._entity.make_server(
                where,
                evt_handlers=handlers,
                ssl_context=transport.server_context(self._told.tls),
                server_class=transport.Server,
                request_handler=transport.Handler,
            )
        except OSError as error:
            raise cannot_listen(error, "node", *where) from error
        server.known = transport.listed(self._told)
        server.audited = self._transfers.no_association
        server.request_queue_size = 128
        server.socket.listen(128)
        self._entity._servers.append(server)
        self._server = server
        self._thread = transport.running(server)
        tell(f"listening as {self._told.title} on {self._told.address}:{self.port}")

    def stop(self) -> None:
        """End all associations and listen no more."""
        associations = self._entity.active_associations
        for server in list(self._entity._servers):
            server.shutdown()
        for one in associations:
            if one.is_established:
                one.abort()
            elif one.dul.socket is not None:
                one.dul.socket.close()
        self._transfers.close()
        self._audit.close()
        _config.STORE_RECV_CHUNKED_DATASET, tempfile.tempdir = self._before

    def _closed(self, event: Any) -> None:
        _forget_half(event.assoc)
        self._transfers.ended(event.assoc)
        if self._server is not None:
            self._server.ended(event.assoc)

    def _requested(self, event: Any) -> None:
        """Turn away who is not listed, before anything else is said."""
        asked = event.assoc.requestor.primitive
        calling, called = str(asked.calling_ae_title).strip(), str(asked.called_ae_title).strip()
        host = str(event.assoc.requestor.address)
        why = 0
        if called != self._told.title:
            why, said = 7, f"called {plain(called, 16)}, which is not this node"
        elif not self._may_call(calling, host):
            why, said = 3, "is not listed"
        if why:
            complain(f"refused {plain(calling, 16)} at {plain(host)}: {said}")
            self._transfers.turned_away(event.assoc, calling, said)
            event.assoc.acse.send_reject(1, 1, why)
            event.assoc.is_rejected = True
            event.assoc.kill()

    def _may_call(self, title: str, host: str) -> bool:
        known = [(one.title, one.address) for one in self._told.senders]
        known += [(one.title, one.address) for one in self._told.dicom_destinations if one.commitment]
        return any(one == title and transport.lies_in(host, address) for one, address in known)

    def _may_send(self, title: str, host: str) -> bool:
        return any(one.title == title and transport.lies_in(host, one.address) for one in self._told.senders)

    def _stored(self, event: Any) -> int | Dataset:
        """Answer a C-STORE; a refusal goes into the audit log."""
        answer = self._answered(event)
        if isinstance(answer, Dataset):
            uid = str(event.request.AffectedSOPInstanceUID or "")
            with suppress(OSError):  # the disk may be full, and the sender has to know
                self._transfers.refused(event.assoc, uid, f"0x{answer.Status:04X}: {answer.ErrorComment}")
        return answer

    def _answered(self, event: Any) -> int | Dataset:
        caller = str(event.assoc.requestor.ae_title).strip()
        try:
            if not self._may_send(caller, str(event.assoc.requestor.address)):
                return _status(NOT_ALLOWED, "this AE may not send")
            if not has_room(self._told.folder, self._told.reserve):
                complain(f"refused an object: the disk is nearly full, {room(self._told.folder, self._told.reserve)}")
                return _status(NO_ROOM, "the disk is nearly full")
            return self._keep(event, caller)
        except (OSError, sqlite3.Error) as error:
            full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EMFILE) or "full" in str(error)
            complain(f"refused an object from {plain(caller, 16)}: {type(error).__name__} {plain(error, 80)}")
            return _status(NO_ROOM, "the disk is full" if full else "the disk does not take it")
        except Exception as error:  # whatever a header wakes must not end the association
            complain(f"refused an object from {plain(caller, 16)}: {type(error).__name__}")
            return _status(BROKEN, "it cannot be processed")

    def _keep(self, event: Any, caller: str) -> int | Dataset:
        temporary, request = Path(event.dataset_path), event.request
        request._dataset_file.flush()
        looked = look(temporary)
        found = looked.found
        if looked.wrong:
            complain(f"refused an object from {plain(caller, 16)}: {looked.wrong}")
            return _status(NOT_UNDERSTOOD, looked.wrong)
        told = str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID)
        if told != (found["SOPClassUID"], found["SOPInstanceUID"]):
            complain(f"refused an object from {plain(caller, 16)}: its UIDs are not those of the request")
            return _status(MISMATCH, "its UIDs are not those of the request")
        syntax, urgent = str(event.context.transfer_syntax), request.Priority == 1
        keep(self._told, self._queue, temporary, found, caller=caller, syntax=syntax, urgent=urgent)
        self._transfers.kept(event.assoc, found["SeriesInstanceUID"], found["SOPInstanceUID"])
        return SUCCESS


def _forget_half(association: Any) -> None:
    """Remove what came of an object whose association ended within it: a few large ones would fill the disk."""
    half = getattr(association.dimse.message, "_data_set_file", None)
    if half is not None:
        with suppress(OSError, ValueError):
            half.close()
        Path(half.name).unlink(missing_ok=True)


def _name_of(association: Any) -> str:
    """Title and address of who calls."""
    return f"{plain(str(association.requestor.ae_title).strip(), 16)} at {plain(association.requestor.address)}"


def _status(code: int, said: str) -> Dataset:
    answer = Dataset()
    answer.Status, answer.ErrorComment = code, said[:64]
    return answer
