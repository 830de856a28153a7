"""What every request passes before anything looks at it: Host, Origin, size, CSRF; and headers that every answer carries."""

import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from demottle.node.web.sessions import COOKIE
from demottle.node.web.site import Site

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

FORM = 1 << 16
"""Bytes that a request to anything but STOW-RS may bring."""
STORE = "/dicomweb/studies"
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_ENCRYPTED = {"strict-transport-security": "max-age=31536000"}


class TooLargeError(Exception):
    """A body is longer than it may be."""


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: App, site: Site) -> None:
        """Wrap an application."""
        self._app, self._site = app, site
        self._headers = _HEADERS | (_ENCRYPTED if site.web.tls else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or turn it away."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request, answer = Request(scope), _with_headers(send, self._headers)
        refused = self._refused(request)
        if refused is not None:
            code, said = refused
            return await JSONResponse({"detail": said}, code)(scope, receive, answer)
        await self._app(scope, _bounded(receive, self._most(request)), answer)

    def _refused(self, request: Request) -> tuple[int, str] | None:
        host = request.headers.get("host", "")
        if _name(host) not in {self._site.web.address, "127.0.0.1", "localhost", "[::1]", *self._site.web.hosts}:
            return 421, "This name is not one of the node's; list it as hosts in [web]."
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return 403, "This request comes from a page of somebody else."
        length = request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._most(request):
            return 413, f"The body is larger than {self._most(request) >> 20} MiB; send less at once."
        if request.method in ("GET", "HEAD") or request.url.path.startswith(STORE):
            return None
        return self._without_token(request)

    def _without_token(self, request: Request) -> tuple[int, str] | None:
        """Everything else that changes something needs a session's token, and JSON, which no foreign form can send."""
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, "Send JSON."
        if request.url.path == "/log-in":
            return None
        session = self._site.sessions.of(request.cookies.get(COOKIE))
        if session is None:
            return 401, "Log in first."
        if not hmac.compare_digest(request.headers.get("x-csrf-token", "").encode(), session.csrf.encode()):
            return 403, "The token of the page is missing or old; load the page again."
        return None

    def _most(self, request: Request) -> int:
        return int(self._site.web.largest * (1 << 20)) if request.url.path.startswith(STORE) else FORM


def _name(host: str) -> str:
    return host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0].lower()


def _bounded(receive: Receive, most: int) -> Receive:
    """Count what comes: a body sent in pieces states no length."""
    came = 0

    async def counted() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise TooLargeError
        return message

    return counted


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name for name, _ in message["headers"]}
            added = [(name.encode(), value.encode()) for name, value in headers.items() if name.encode() not in given]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return sent
