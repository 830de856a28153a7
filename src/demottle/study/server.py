"""The study's page over HTTP, for this machine: the standard library's server with its doors closed.

The page is reached by a browser, which also runs pages of others. So a request is only answered if it names this machine (no
name of the web can be made to point here), an answer is only taken as JSON from our own page, and the page itself may load
nothing from anywhere else.
"""

import errno
import ipaddress
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from demottle.errors import InputError
from demottle.study.application import Application, Response, said

LOOPBACK = "127.0.0.1"
_MOST_BYTES = 64 * 1024
_SECONDS = 30
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@contextmanager
def listening(application: Application, host: str = LOOPBACK, port: int = 0) -> Iterator[ThreadingHTTPServer]:
    """Yield a server that listens; call its `serve_forever`. Port 0 takes any that is free: see its `server_address`.

    Raises:
        InputError: where the port is in use, or address or port are not this machine's to use.
    """

    class Bound(_Handler):
        app = application

    try:
        server = _Server((host, port), Bound)
    except (OSError, OverflowError) as error:
        raise InputError(_why(error, host, port)) from None
    try:
        yield server
    finally:
        server.server_close()


def address_of(server: ThreadingHTTPServer) -> str:
    """What to type into a browser."""
    host, port = str(server.server_address[0]), server.server_address[1]
    return f"http://{'[' + host + ']' if ':' in host else host}:{port}/"


def is_loopback(host: str) -> bool:
    """Say whether an address is reached from this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of browsers that go away in the middle, which is nobody's mistake."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def server_bind(self) -> None:
        # HTTPServer asks the name service for this machine's name here, which can take seconds and is not needed.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    app: Application
    timeout = _SECONDS
    wbufsize = (
        -1
    )  # headers and body leave together: apart, each answer waits some 40 ms for the browser's acknowledgement
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "demottle", ""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self._send(self._refusal() or self.app.get(path))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _MOST_BYTES:
            self.close_connection = True  # what it holds is not read
            self._send(said(413, {"error": "The answer is too long."}))
            return
        data = self.rfile.read(int(length))
        self._send(self._refusal() or self._foreign() or self._post(data))

    def _post(self, data: bytes) -> Response:
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            return said(400, {"error": "The answer is not JSON."})
        return self.app.post(urlsplit(self.path).path, body)

    def _refusal(self) -> Response | None:
        if _is_here(self.headers.get("Host", "")):
            return None
        return said(403, {"error": "This study is served under the address of this machine only."})

    def _foreign(self) -> Response | None:
        kind = self.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            return said(415, {"error": "The answer is not JSON."})
        origin = self.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != self.headers.get("Host"):
            return said(403, {"error": "Answers are taken from the study's own page only."})
        return None

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.kind)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in {**_HEADERS, **response.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: who looked at what is in the answers."""


def _is_here(host: str) -> bool:
    """Say whether a Host header is a number or a name of this machine, which no name of the web is."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name in ("localhost", socket.gethostname().lower()):
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _why(error: Exception, host: str, port: int) -> str:
    if isinstance(error, OverflowError):
        return f"There is no port {port}; choose one from 1024 to 65535."
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use, perhaps by this study in another window; close that or choose another port."
    if isinstance(error, PermissionError):
        return f"Port {port} is not for programs of users; choose one from 1024 to 65535."
    return f"{host} is not an address of this machine; leave the host out to serve readers at this machine."
