"""Where connections wait until they have asked for an association: they cost a descriptor each, and no thread.

Whoever is silent for too long is shown out, and who has been silent for the longest makes room for who comes; so a thousand
connections that never say a word keep nobody from sending.
"""

import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

SEATS = 64
"""Silent connections at a time ..."""
SEATS_OF_ONE = 16
"""... and of one address."""
_REQUEST, _HANDSHAKE = 0x01, 0x16  # first bytes of an A-ASSOCIATE-RQ, and of TLS
_HEAD, _ENOUGH = 6, 1 << 14  # bytes of a PDU before its content; and of a request that are waited for
_LOOK = 0.2


@dataclass(eq=False)
class _Guest:
    request: socket.socket
    address: tuple[str, int]
    since: float = field(default_factory=monotonic)
    wanted: int = 1


class Lobby:
    """Takes connections with `enter`; once they have said what they want, hands them on to `begin`, in a thread of its own."""

    def __init__(
        self,
        begin: Callable[[socket.socket, tuple[str, int]], None],
        turned_away: Callable[[str, str], None],
        patience: float,
        tls: bool,
    ) -> None:
        """Open it.

        Args:
            begin: called with the socket and the address of a connection that begins as one should.
            turned_away: told the address of a connection that is closed since it says nothing or something else, and why.
            patience: seconds that a connection may be silent.
            tls: whether they begin with a TLS handshake.
        """
        self._begin, self._turned_away, self._patience, self._tls = begin, turned_away, patience, tls
        self._coming: deque[_Guest] = deque()
        self._seated: dict[int, _Guest] = {}  # by descriptor; those that came first are first
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lobby", daemon=True)
        self._thread.start()

    def enter(self, request: socket.socket, address: tuple[str, int]) -> None:
        """Take a connection. Where more come than can be looked at, the newest is closed at once."""
        if len(self._coming) >= SEATS or self._ended.is_set():
            return _close(request)
        self._coming.append(_Guest(request, address))
        with suppress(OSError):  # it has rung already
            self._bell.send(b"!")

    def close(self) -> None:
        """Show everybody out."""
        self._ended.set()
        with suppress(OSError):
            self._bell.send(b"!")
        self._thread.join(5)

    def _run(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(_LOOK):
                if key.fileobj is self._ear:
                    with suppress(OSError):
                        self._ear.recv(4096)
                elif key.fd in self._seated:
                    self._speaks(self._seated[key.fd])
            while self._coming:
                self._seat(self._coming.popleft())
            late = monotonic() - self._patience
            for guest in [one for one in self._seated.values() if one.since < late]:
                self._show_out(guest, "which did not ask for an association in time")
        for guest in (*self._seated.values(), *self._coming):
            _close(guest.request)
        self._selector.close()
        self._bell.close()
        self._ear.close()

    def _seat(self, guest: _Guest) -> None:
        """Let a connection wait, in place of the one that has waited longest where all seats are taken."""
        same = [one for one in self._seated.values() if one.address[0] == guest.address[0]]
        first = same[0] if len(same) >= SEATS_OF_ONE else None
        if first is None and len(self._seated) >= SEATS:
            first = next(iter(self._seated.values()))
        if first is not None:
            _close(self._leave(first).request)
        self._seated[guest.request.fileno()] = guest
        self._selector.register(guest.request, selectors.EVENT_READ)

    def _leave(self, guest: _Guest) -> _Guest:
        self._selector.unregister(guest.request)
        del self._seated[guest.request.fileno()]
        return guest

    def _show_out(self, guest: _Guest, why: str) -> None:
        _close(self._leave(guest).request)
        self._turned_away(guest.address[0], why)

    def _speaks(self, guest: _Guest) -> None:
        """Hand on what begins as it should and is whole; what does not never becomes an association."""
        try:
            said = socket.socket.recv(guest.request, _ENOUGH, socket.MSG_PEEK)  # as it comes, below TLS
            if not said:  # it has hung up
                return _close(self._leave(guest).request)
            if said[:1] != bytes([_HANDSHAKE if self._tls else _REQUEST]):
                return self._show_out(guest, f"which did not speak {'TLS' if self._tls else 'DICOM'}")
            if not self._tls and self._waits_for_more(guest, said):
                return
            guest.request.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            self._begin(self._leave(guest).request, guest.address)
        except Exception:  # one connection must not close the lobby
            if guest in self._seated.values():
                self._leave(guest)
            _close(guest.request)

    def _waits_for_more(self, guest: _Guest, said: bytes) -> bool:
        """Have the system say when all of a request is there; what has ended before is for the association to say."""
        wanted = _HEAD
        if len(said) >= _HEAD:
            wanted = min(_HEAD + int.from_bytes(said[2:_HEAD]), _ENOUGH)
        if len(said) >= wanted or wanted <= guest.wanted:
            return False
        guest.wanted = wanted
        guest.request.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted)
        return True


def _close(request: socket.socket) -> None:
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)
    request.close()
