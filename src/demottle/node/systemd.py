"""What a service tells systemd, where that has started it with `Type=notify`: a line over the socket that it names."""

import os
import socket
from contextlib import suppress


def say_to_systemd(line: str) -> None:
    """Send a line such as "READY=1"; nothing happens where nobody listens."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place:
        return
    address = "\0" + place[1:] if place.startswith("@") else place
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line_out:
        line_out.sendto(line.encode(), address)
