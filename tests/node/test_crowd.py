"""A thousand connections that say nothing, or half of it, keep no scanner from sending; and cost no threads."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.node.conftest import TOML, associated, noisy_series, send, until

from demottle.node.network import lobby, transport

CROWD = """
import resource, socket, sys
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
port, address, said, count = int(sys.argv[1]), sys.argv[2], bytes.fromhex(sys.argv[3]), int(sys.argv[4])
held = []
for _ in range(count):
    one = socket.socket()
    one.bind((address, 0))
    one.connect(("127.0.0.1", port))
    try:
        one.sendall(said)
    except OSError:
        pass
    held.append(one)
print("open", flush=True)
sys.stdin.read()
"""
OF_A_NETWORK = TOML.replace('address = "127.0.0.1"\n[[dest', 'address = "127.0.0.0/8"\n[[dest')
HALF_A_REQUEST = "0100000000d0" + "0001" * 8


@contextmanager
def crowd(port: int, address: str, said: str = "", count: int = 1000) -> Iterator[None]:
    """Hold connections open in a process of its own: they would be this one's descriptors."""
    command = [sys.executable, "-c", CROWD, str(port), address, said, str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield
        process.communicate()


@pytest.mark.parametrize(
    ("text", "address", "said"),
    [
        (TOML, "127.0.0.2", ""),
        (OF_A_NETWORK, "127.0.0.2", ""),
        (OF_A_NETWORK, "127.0.0.1", ""),
        (OF_A_NETWORK, "127.0.0.2", HALF_A_REQUEST),
        (OF_A_NETWORK, "127.0.0.1", HALF_A_REQUEST),
    ],
    ids=[
        "not listed",
        "silent",
        "silent, of the scanner's address",
        "half a request",
        "half, of the scanner's address",
    ],
)
def test_a_scanner_sends_among_a_thousand_idle_connections(receiver, text: str, address: str, said: str) -> None:
    server, _, _ = receiver(text=text)
    before = threading.active_count()
    with crowd(server.port, address, said):
        assert send(server.port, noisy_series(slices=2)) == [0, 0]
        assert associated(server.port).is_established
        assert threading.active_count() < before + 20


def test_who_is_sending_is_never_the_one_to_give_way(receiver) -> None:
    server, _, _ = receiver(text=OF_A_NETWORK)
    one, two = noisy_series(slices=2)
    association = associated(server.port)
    assert association.send_c_store(one).Status == 0
    with crowd(server.port, "127.0.0.1", HALF_A_REQUEST, 300):
        assert association.send_c_store(two).Status == 0
    association.release()


def test_more_associations_than_it_serves_are_turned_away_and_one_address_has_not_all(receiver, monkeypatch) -> None:
    monkeypatch.setattr(transport, "CONNECTIONS_OF_ONE", 2)
    server, _, _ = receiver(text=OF_A_NETWORK)
    held = [associated(server.port) for _ in range(2)]
    assert all(one.is_established for one in held)
    assert not associated(server.port).is_established
    other = associated(server.port, bind_address=("127.0.0.2", 0))
    assert other.is_established
    for one in (*held, other):
        one.release()
    until(lambda: server._server.connections == 0)
    assert send(server.port, noisy_series(slices=1)) == [0]


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"\x00", b"\x02\x00", b"\x16\x03\x01"])
def test_what_does_not_begin_as_an_association_is_closed_at_once(receiver, said: bytes) -> None:
    server, _, _ = receiver()
    with socket.create_connection(("127.0.0.1", server.port), 5) as one:
        one.settimeout(5)
        one.sendall(said)
        assert _ended(one)
    assert server._server.connections == 0


@pytest.mark.parametrize("said", [b"", b"\x01", b"\x01\x00\x00\x00\x00\xd0\x00\x01"])
def test_what_never_asks_for_an_association_is_closed_after_a_while(receiver, monkeypatch, said: bytes) -> None:
    monkeypatch.setattr(transport, "GREETING", 0.4)
    monkeypatch.setattr(transport, "PATIENCE", 0.4)
    server, _, _ = receiver()
    with socket.create_connection(("127.0.0.1", server.port), 5) as one:
        one.settimeout(15)
        one.sendall(said)
        assert _ended(one)
    until(lambda: server._server.connections == 0)


def test_the_longest_silent_one_gives_way_and_those_of_other_addresses_stay(receiver, monkeypatch) -> None:
    monkeypatch.setattr(lobby, "SEATS_OF_ONE", 2)
    server, _, _ = receiver(text=OF_A_NETWORK)
    other = socket.create_connection(("127.0.0.1", server.port), 5, ("127.0.0.2", 0))
    first, second, third = (socket.create_connection(("127.0.0.1", server.port), 5) for _ in range(3))
    first.settimeout(5)
    assert _ended(first)
    for one in (other, second, third):
        one.settimeout(0.2)
        with pytest.raises(TimeoutError, match="timed out"):
            one.recv(1)
    for one in (other, first, second, third):
        one.close()


def _ended(one: socket.socket) -> bool:
    try:
        while one.recv(100):
            pass
    except ConnectionResetError:
        return True
    return True
