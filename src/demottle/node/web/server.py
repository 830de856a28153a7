"""The web server of a node: uvicorn in a thread, with TLS from the configuration."""

import logging
import socket
import threading

import uvicorn

from demottle.errors import InputError
from demottle.node.audit import Audit
from demottle.node.configuration import Configuration, Web
from demottle.node.log import tell
from demottle.node.network.refusals import cannot_listen
from demottle.node.queue.store import Queue
from demottle.node.web.application import application
from demottle.node.web.sessions import Sessions
from demottle.node.web.site import Site

_IDLE, _CONNECTIONS, _GRACE = 20, 200, 2


class WebServer:
    """Listens from `start` to `stop`."""

    def __init__(self, told: Configuration, web: Web, queue: Queue) -> None:
        """Prepare; nothing listens yet."""
        self._site = Site(told, web, queue, Sessions(told.folder), Audit(told.folder))
        tls = told.tls if web.tls else None
        self._server = uvicorn.Server(
            uvicorn.Config(
                application(self._site),
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
                lifespan="off",
                timeout_keep_alive=_IDLE,
                limit_concurrency=_CONNECTIONS,
                timeout_graceful_shutdown=_GRACE,
                ssl_certfile=None if tls is None else str(tls.certificate),
                ssl_keyfile=None if tls is None else str(tls.key),
            )
        )
        library = logging.getLogger("uvicorn")  # its tracebacks could quote what came
        library.handlers, library.propagate = [logging.NullHandler()], False
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Where it listens: the port that was asked for, or the free one that was found for 0."""
        assert self._socket is not None
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Begin to listen.

        Raises:
            InputError: the address or the port cannot be had, or certificate or key are of no use.
        """
        web = self._site.web
        try:
            self._server.config.load()
        except OSError as error:  # ssl.SSLError is one
            raise InputError(
                f"The certificates of [tls] cannot be used ({error}); check certificate and key."
            ) from error
        family = socket.AF_INET6 if ":" in web.address else socket.AF_INET
        try:
            self._socket = socket.create_server((web.address, web.port), family=family, backlog=128)
        except OSError as error:
            raise cannot_listen(error, "web", web.address, web.port) from error
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="web", daemon=True)
        self._thread.start()
        tell(f"dashboard and DICOMweb on {'https' if web.tls else 'http'}://{web.address}:{self.port}")

    def stop(self) -> None:
        """End; requests that take longer than two seconds are cut off."""
        self._site.stopping.set()
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_GRACE + 8)
        if self._socket is not None:
            self._socket.close()
        self._site.audit.close()
