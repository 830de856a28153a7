"""The server's sockets: bounded in number, size and time, so that garbage and half-open connections cost little."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, lru_cache
from time import sleep, time
from types import MethodType
from typing import Any

from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.transport import AssociationServer, AssociationSocket, RequestHandler

from demottle.node.configuration import Configuration, Tls
from demottle.node.log import complain, plain
from demottle.node.memory import give_back
from demottle.node.network.lobby import Lobby

LARGEST_PDU = 1 << 20
"""What the node announces, in bytes."""
_LARGEST_READ = 16 << 20
CONNECTIONS = 100
"""Connections at a time that have begun to speak (select() ends at 1024 descriptors) ..."""
CONNECTIONS_OF_ONE = 60
"""... and of one address, so that there is room for others."""
PATIENCE = 60.0
"""Seconds that a connection may be silent in the middle of something ..."""
GREETING = 15.0
"""... before it says anything, and from then until it has asked for an association."""
_RESOLVED = 60.0
_PIECES = 16
"""Pieces of an object that wait to be sent; each is as large as the other side takes."""
_OPEN = "Sta6"  # of the state machine of PS3.8: established, and not being ended


class Server(AssociationServer):  # type: ignore[misc]
    """A server that turns away unlisted addresses before it reads anything, and whose threads are for who wants something.

    Connections wait in a `Lobby` until they have asked for an association (with TLS: until their first byte). An association then
    has a thread of its own. Where there are more than it can serve, those give way that have not asked for one yet, the oldest
    first, and never one that has.
    """

    known: Callable[[str], bool]
    audited: Callable[[str, str], None]
    lobby: Lobby
    _collected = 0.0

    @property
    def connections(self) -> int:
        """How many connections have begun to speak, and are open."""
        return len(self._open())

    def _open(self) -> list[Any]:
        found = [one for one in self.active_associations if not getattr(one, "_let_go", False)]
        return [one for one in found if one.dul.socket is not None and one.dul.socket.socket is not None]

    def verify_request(self, request: socket.socket, client_address: Any) -> bool:
        """True for a connection of somebody who is listed."""
        host = str(client_address[0])
        if self.known(host):
            return True
        self.turned_away(host, "which is not listed")
        return False

    def process_request(self, request: Any, client_address: Any) -> None:
        """Let a connection wait until it says something."""
        self.lobby.enter(request, client_address)

    def begin(self, request: socket.socket, address: tuple[str, int]) -> None:
        """Make an association for a connection that has begun to speak, if there is room, or room can be made."""
        found = self._open()
        same = [one for one in found if one.requestor.address == address[0]]
        if len(same) >= CONNECTIONS_OF_ONE:
            found, most = same, CONNECTIONS_OF_ONE
        else:
            most = CONNECTIONS
        if len(found) >= most and not (self._few_leave() and _let_go(found)):
            self.turned_away(address[0], f"since {most} are open")
            self.shutdown_request(request)
        else:
            super().process_request(request, address)

    def _few_leave(self) -> bool:
        """Whoever was let go needs a moment to end, and a descriptor until then."""
        return len(self.active_associations) < 2 * CONNECTIONS

    def turned_away(self, host: str, why: str) -> None:
        """Say once a minute, in log and audit log, that somebody is turned away, and why."""
        now = time()
        if now - self._said.get((host, why), 0.0) <= _RESOLVED:
            return
        if len(self._said) > 1000:
            self._said.clear()
        self._said[host, why] = now
        complain(f"refused connections from {host}, {why}")
        with suppress(OSError):  # a full disk
            self.audited(host, why)

    def ended(self, association: Any) -> None:
        """Say of a connection that has ended without asking for an association, with which one begins, that it was none."""
        if association.requestor.primitive is None and not getattr(association, "_let_go", False):
            why = getattr(association.dul.socket, "_tls_failed", "") or "which asked for no association as DICOM does"
            self.turned_away(str(association.requestor.address), why)

    def service_actions(self) -> None:
        """Give back what ended associations held, twice a minute; pynetdicom does so after 60 of them, which may take hours."""
        if time() - self._collected > _RESOLVED / 2:
            self._collected = time()
            give_back()

    @cached_property
    def _said(self) -> dict[tuple[str, str], float]:
        return {}

    def shutdown(self) -> None:
        """Accept nothing any more, and close what waits."""
        super().shutdown()
        self.lobby.close()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, which then may not be silent for ever."""
        accepted, address = super().get_request()
        accepted.settimeout(PATIENCE)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return accepted, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say that a connection failed; the trace would show what was sent."""
        self.turned_away(str(client_address[0]), "of which one failed")


def _let_go(associations: list[Any]) -> bool:
    """End the oldest of those that have not asked for an association yet; False where there is none."""
    silent = [one for one in associations if one.requestor.primitive is None and not one.is_established]
    if not silent:
        return False
    oldest = min(silent, key=lambda one: float(one._since))
    oldest._let_go = True
    with suppress(OSError, AttributeError):  # its own thread closes it, and may have done so
        oldest.dul.socket.socket.shutdown(socket.SHUT_RDWR)
    return True


class Handler(RequestHandler):  # type: ignore[misc]
    """Makes associations that read in large pieces."""

    def _create_association(self) -> Any:
        made = super()._create_association()
        made._since = time()
        quicken(made)
        made.dimse.receive_primitive = MethodType(_take_in, made.dimse)
        return made


def _take_in(self: DIMSEServiceProvider, primitive: P_DATA) -> None:
    """Take a piece of an object to the disk; where that is full the connection ends, and its sender tries again later."""
    try:
        DIMSEServiceProvider.receive_primitive(self, primitive)
    except OSError as error:
        complain(f"an association of {plain(self.assoc.requestor.address)} is ended: {error.strerror}")
        self.assoc.dul.socket.close()


def quicken(association: Any) -> None:
    """Let an association read in large pieces, refuse absurd sizes, answer within a millisecond and not pile up what it sends."""
    if association.dul.socket is not None:
        association.dul.socket.recv = MethodType(_receive, association.dul.socket)
        association.dul.socket._shutdown_socket = MethodType(_close, association.dul.socket)
    association.dul._run_loop_delay = 0.001
    association.dul.send_pdu = MethodType(_send, association.dul)


def _send(self: DULServiceProvider, primitive: Any) -> None:
    """Hand on a piece of an object when those before it have gone: else all of a large one would lie in memory.

    And the wait for the answer, which ends after a minute, would begin when a slow line has most of it before it.
    """
    while isinstance(primitive, P_DATA) and self.to_provider_queue.qsize() >= _PIECES:
        if self.state_machine.current_state != _OPEN or not self.is_alive():
            break
        sleep(0.0005)
    DULServiceProvider.send_pdu(self, primitive)


def _receive(self: AssociationSocket, count: int) -> bytearray:
    """Read so many bytes; fewer where the connection ends.

    Raises:
        OSError: more than any PDU of ours has, or nothing came for too long.
    """
    if count > _LARGEST_READ:
        raise OSError("The length of a PDU makes no sense.")
    gathered, at = bytearray(count), 0
    view = memoryview(gathered)
    while at < count:
        try:
            came = self.socket.recv_into(view[at:])
        except ssl.SSLError as error:
            self._tls_failed = f"with which TLS failed ({plain(error.reason or 'no reason given')})"
            raise
        if not came:
            return gathered[:at]
        at += came
    return gathered


def _close(self: AssociationSocket) -> None:
    """Close a socket also where the other side has closed it before, which pynetdicom leaves to the garbage collector."""
    if self.socket is not None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class _PatientContext(ssl.SSLContext):
    """A context whose handshake is done in the connection's own thread: one that never ends must not stop the server."""

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        """As `SSLContext.wrap_socket`, without the handshake."""
        return super().wrap_socket(*args, **{**options, "do_handshake_on_connect": False})


def server_context(tls: Tls | None) -> ssl.SSLContext | None:
    """TLS for who connects: both sides show certificates. None without certificates."""
    if tls is None:
        return None
    context = _PatientContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    return _loaded(context, tls)


def client_context(tls: Tls) -> ssl.SSLContext:
    """TLS for destinations: both sides show certificates, and the name has to be that of the address."""
    return _loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), tls)


def _loaded(context: ssl.SSLContext, tls: Tls) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key)
    context.load_verify_locations(tls.authorities)
    return context


def lies_in(host: str, address: str) -> bool:
    """True where an address of a connection is the listed one, lies in the listed network, or belongs to the listed name."""
    found = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or found
    try:
        return mapped in ipaddress.ip_network(address, strict=False)
    except ValueError:
        return str(mapped) in _addresses_of(address, int(time() / _RESOLVED))


@lru_cache(maxsize=256)
def _addresses_of(name: str, minute: int) -> frozenset[str]:
    try:
        return frozenset(str(one[4][0]) for one in socket.getaddrinfo(name, None))
    except OSError:
        return frozenset()


def listed(told: Configuration) -> Callable[[str], bool]:
    """Return what says whether anything may come from an address."""
    addresses = {one.address for one in told.senders}
    addresses |= {one.address for one in told.dicom_destinations if one.commitment}
    return lambda host: any(lies_in(host, address) for address in addresses)


def running(server: Server) -> threading.Thread:
    """Serve in a thread of its own."""
    server.lobby = Lobby(server.begin, server.turned_away, GREETING, server.ssl_context is not None)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="dicom", daemon=True)
    thread.start()
    return thread
