"""The dashboard over HTTPS with a real client, and a node that cannot listen where it should."""

import contextlib
import http.client
import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.node.test_tls import TLS, certificates  # noqa: F401
from tests.node.web.conftest import PASSWORD

from demottle.errors import InputError
from demottle.node.disk import QUEUE, prepare
from demottle.node.queue.store import Queue
from demottle.node.web.server import WebServer
from demottle.node.web.users import Role, save_user


@pytest.fixture
def server(told: Any, certificates: Path) -> Iterator[WebServer]:  # noqa: F811
    found, _ = told(f"{TLS}[web]\nport = 0\ntls = true\n")
    prepare(found.folder)
    save_user(found.folder, "eva", Role.ADMIN, PASSWORD)
    with contextlib.closing(Queue(found.folder / QUEUE)) as queue:
        made = WebServer(found, found.web, queue)
        made.start()
        yield made
        made.stop()


def curl(port: int, path: str, *more: str) -> str:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    command = ["curl", "-sS", "-i", "--max-time", "20", *more, f"https://127.0.0.1:{port}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


def test_a_browser_that_knows_the_authority_logs_in_and_the_cookie_stays_on_https(
    server: WebServer, tmp_path: Path
) -> None:
    trusted = ("--cacert", str(tmp_path / "ca.pem"))
    assert '{"alive":true}' in curl(server.port, "/healthz", *trusted)
    given = json.dumps({"name": "eva", "password": PASSWORD})
    said = curl(server.port, "/log-in", *trusted, "-H", "content-type: application/json", "-d", given)
    assert said.startswith("HTTP/1.1 200") and "Secure" in said and "strict-transport-security: max-age" in said
    cookie = next(line for line in said.splitlines() if line.startswith("set-cookie: ")).split()[1]
    assert '"name":"eva"' in curl(server.port, "/api/me", *trusted, "-b", cookie)
    origin = f"https://127.0.0.1:{server.port}"
    assert '"eva"' not in curl(server.port, "/api/users", *trusted)
    assert '"eva"' in curl(server.port, "/api/users", *trusted, "-b", cookie, "-H", f"origin: {origin}")
    assert "certificate" in curl(server.port, "/healthz")  # who does not know the authority is warned


def test_what_is_not_encrypted_or_not_well_is_not_answered(server: WebServer, tmp_path: Path) -> None:
    with (
        pytest.raises((http.client.HTTPException, OSError)),
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as line,
    ):
        line.request("GET", "/healthz")
        line.getresponse()
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    with (
        socket.create_connection(("127.0.0.1", server.port), 10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as encrypted,
    ):
        assert encrypted.version() in ("TLSv1.2", "TLSv1.3")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", server.port), 10) as plain,
        pytest.raises(OSError, match=r"(?i)alert|eof|reset|version"),
    ):
        old.wrap_socket(plain, server_hostname="127.0.0.1")


def test_a_key_that_is_none_is_refused_in_a_sentence(told: Any, certificates: Path) -> None:  # noqa: F811
    found, _ = told(f"{TLS}[web]\nport = 0\ntls = true\n")
    (certificates / "node.key").write_text("no key")  # after the configuration was read, which would have said so
    prepare(found.folder)
    with contextlib.closing(Queue(found.folder / QUEUE)) as queue:
        made = WebServer(found, found.web, queue)
        with pytest.raises(InputError, match=r"certificates of \[tls\] cannot be used"):
            made.start()
        made.stop()
