"""What goes out over DICOMweb: each object until the server says that it has stored it, and not once more."""

import http.server
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from tests.node.conftest import TOML, until
from tests.node.test_tls import certificates  # noqa: F401

from demottle.node.disk import QUEUE, prepare
from demottle.node.network.stow import _seconds
from demottle.node.queue import sends, shown
from demottle.node.queue.store import Queue
from demottle.node.toml_file import read_configuration
from demottle.node.web.server import WebServer

START, END = TOML.index('title = "PACS"'), TOML.index("[[rule]]")
WEB = TOML[:START] + 'url = "{url}"\n' + TOML[END:]
Answer = Callable[[list[Dataset]], tuple[int, Any]]


def told_of(stored: list[Dataset], failed: dict[str, int]) -> dict[str, Any]:
    """The Store Instances Response of PS3.18, in JSON."""
    uid = {"vr": "UI"}
    good = [{"00081155": {**uid, "Value": [str(one.SOPInstanceUID)]}} for one in stored]
    bad = [
        {"00081155": {**uid, "Value": [one]}, "00081197": {"vr": "US", "Value": [why]}} for one, why in failed.items()
    ]
    named = {"00081199": good, "00081198": bad}
    return {tag: {"vr": "SQ", "Value": items} for tag, items in named.items() if items}


class Server:
    """A DICOMweb server that answers as it is told, and keeps what it was sent."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self.came: list[list[str]] = []
        self.headers: list[dict[str, str]] = []
        self.held: set[str] = set()
        self.later = ""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                objects = parts(self.headers["Content-Type"], body)
                outer.headers.append(dict(self.headers))
                outer.came.append([str(one.SOPInstanceUID) for one in objects])
                code, told = answer(objects)
                if code:
                    self.say(code, told)
                self.close_connection = not code

            def do_GET(self) -> None:
                uid = self.path.partition("SOPInstanceUID=")[2].partition("&")[0]
                found = [{"00080018": {"vr": "UI", "Value": [uid]}}] if uid in outer.held else []
                self.say(200 if found else 204, found or None)

            def say(self, code: int, told: Any) -> None:
                body = b"" if told is None else json.dumps(told).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                if outer.later and code == 503:
                    self.send_header("Retry-After", outer.later)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self._server.server_address[1]}/dicom-web"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def parts(content_type: str, body: bytes) -> list[Dataset]:
    found = re.fullmatch(r'multipart/related; type="application/dicom"; boundary=(\S+)', content_type)
    assert found is not None, content_type
    mark = b"--" + found[1].encode()
    assert body.startswith(mark) and body.endswith(b"\r\n" + mark + b"--\r\n")
    made = []
    for part in body[: -len(mark) - 6].split(mark + b"\r\n")[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        assert head == b"Content-Type: application/dicom"
        made.append(pydicom.dcmread(BytesIO(content.removesuffix(b"\r\n"))))
    return made


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def start(answer: Answer = lambda objects: (200, told_of(objects, {})), **more: Any) -> Server:
        made.append(Server(answer, **more))
        return made[-1]

    yield start
    for one in made:
        one.stop()


def _states(queue: Queue) -> dict[str, int]:
    return shown.sends_of(queue, 1)["pacs"]


def _reasons(queue: Queue) -> list[str]:
    return [one["reason"] for one in shown.sends_with_reasons(queue, 1)]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sends, "SHORTEST", 0.05)


def test_all_objects_go_in_one_request_and_no_other(due, server) -> None:
    archive = server()
    queue, uids = due(text=WEB, url=archive.url)
    until(lambda: _states(queue) == {"arrived": 3})
    assert archive.came == [uids] and shown.list_series(queue)[0]["state"] == "done"
    assert "Authorization" not in archive.headers[0] and archive.headers[0]["Accept"] == "application/dicom+json"


@pytest.mark.parametrize("said", ["3", "date"])
def test_a_server_that_says_when_is_asked_no_sooner(due, server, caplog, said: str) -> None:
    busy = [True]
    archive = server(lambda objects: (503, None) if busy else (200, told_of(objects, {})))
    archive.later = said if said == "3" else format_datetime(datetime.now(UTC) + timedelta(seconds=4), usegmt=True)
    began = time.monotonic()
    queue, uids = due(text=WEB, url=archive.url)
    until(lambda: _reasons(queue) == ["it answered 503"] * len(_reasons(queue)) != [])
    busy.clear()
    time.sleep(1.0)
    assert len(archive.came) == 1
    until(lambda: _states(queue) == {"arrived": 3})
    assert archive.came == [uids, uids] and time.monotonic() - began > 2.5


@pytest.mark.parametrize(
    ("said", "seconds"), [("120", 120), ("9" * 30, 86400), ("soon", 0), ("", 0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0)]
)
def test_a_retry_after_that_makes_no_sense_is_none(said: str, seconds: float) -> None:
    assert _seconds(said) == seconds


def test_a_success_without_a_word_is_believed(due, server) -> None:
    archive = server(lambda objects: (200, None))
    queue, uids = due(text=WEB, url=archive.url)
    until(lambda: _states(queue) == {"arrived": 3})
    assert archive.came == [uids]


def test_of_a_partial_success_only_what_failed_goes_again(due, server) -> None:
    def answer(objects: list[Dataset]) -> tuple[int, Any]:
        bad = [one for one in objects if str(one.InstanceNumber) == "2"]
        good = [one for one in objects if one not in bad]
        return (202 if good else 409), told_of(good, {str(one.SOPInstanceUID): 0x0110 for one in bad})

    archive = server(answer)
    queue, uids = due(text=WEB, url=archive.url)
    until(lambda: _states(queue) == {"arrived": 2, "failed": 1})
    assert archive.came == [uids, *[[uids[1]]] * 4]
    assert shown.list_series(queue)[0]["reason"] == "1 objects did not reach pacs: it refused (0x0110)"


def test_what_an_accepted_request_does_not_name_has_not_arrived(due, server) -> None:
    archive = server(lambda objects: (202, told_of(objects[:1], {})))
    queue, uids = due(text=WEB, url=archive.url)
    until(lambda: _states(queue) == {"arrived": 3})
    assert archive.came == [uids, uids[1:], uids[2:]]


def test_what_a_server_without_room_did_not_take_waits_and_does_not_fail(due, server) -> None:
    full = [True]

    def answer(objects: list[Dataset]) -> tuple[int, Any]:
        if not full[0]:
            return 200, told_of(objects, {})
        good = [one for one in objects if str(one.InstanceNumber) == "1"]
        return 202, told_of(good, {str(one.SOPInstanceUID): 0xA700 for one in objects if one not in good})

    archive = server(answer)
    queue, uids = due(text=WEB, url=archive.url)
    until(lambda: len(archive.came) > 1)
    assert _states(queue) == {"arrived": 1, "waiting": 2} and _reasons(queue) == ["it is out of resources (0xA700)"]
    full[0] = False
    until(lambda: _states(queue) == {"arrived": 3})
    assert archive.came[0] == uids and not any(uids[0] in one for one in archive.came[1:])


def test_a_server_that_only_refuses_the_whole_is_asked_one_by_one(due, server) -> None:
    def answer(objects: list[Dataset]) -> tuple[int, Any]:
        bad = any(str(one.InstanceNumber) == "2" for one in objects)
        return (400, None) if bad else (200, None)

    archive = server(answer)
    queue, uids = due(text=WEB, url=archive.url)
    until(lambda: _states(queue) == {"arrived": 2, "failed": 1})
    assert archive.came[:4] == [uids, [uids[0]], [uids[1]], [uids[2]]]
    assert shown.list_series(queue)[0]["reason"].endswith("it refused (400)")


def test_an_object_whose_acknowledgment_was_lost_has_arrived_where_the_server_takes_it_but_once(due, server) -> None:
    def answer(objects: list[Dataset]) -> tuple[int, Any]:
        uids = {str(one.SOPInstanceUID) for one in objects}
        again = uids & archive.held
        archive.held |= uids
        return (409, told_of([], dict.fromkeys(again, 45070))) if again else (0, None)

    archive = server(answer)
    queue, uids = due(text=WEB, url=archive.url)
    until(lambda: _states(queue) == {"arrived": 3})
    assert archive.came == [uids, uids]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (401, "it does not accept the log-in (401)"),
        (404, "there is nothing to store at under its url (404)"),
        (301, "it answered 301"),
        (503, "it answered 503"),
        (0, "the connection broke off"),
    ],
)
def test_what_is_not_of_the_objects_is_waited_for(due, server, code: int, why: str) -> None:
    broken = [True]
    archive = server(lambda objects: (code, None) if broken[0] else (200, None))
    queue, _ = due(text=WEB, url=archive.url)
    until(lambda: shown.sends_with_reasons(queue, 1)[0]["attempts"] > 1)
    assert _states(queue) == {"waiting": 3} and _reasons(queue) == [why]
    broken[0] = False
    until(lambda: _states(queue) == {"arrived": 3})


def test_a_log_in_goes_along_and_is_read_anew(due, server, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")

    def answer(objects: list[Dataset]) -> tuple[int, Any]:
        right = archive.headers[-1].get("Authorization") == "Bearer right"
        return (200 if right else 401), None

    archive = server(answer)
    queue, _ = due(text=WEB.replace('url = "{url}"', 'url = "{url}"\ntoken_file = "secret"'), url=archive.url)
    until(lambda: _reasons(queue) == ["it does not accept the log-in (401)"])
    secret.write_text("right\n")
    until(lambda: _states(queue) == {"arrived": 3})


def test_certificates_of_both_sides_are_looked_at(due, server, certificates: Path) -> None:  # noqa: F811
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "node.pem", certificates / "node.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    archive = server(context=context)
    more = (
        '\nauthorities = "ca.pem"\ncertificate = "scanner.pem"\nkey = "scanner.key"\nuser = "a"\npassword_file = "pass"'
    )
    (certificates / "pass").write_text("word\n")
    queue, uids = due(text=WEB.replace('url = "{url}"', 'url = "{url}"' + more), url=archive.url)
    until(lambda: _states(queue) == {"arrived": 3})
    assert archive.came == [uids] and archive.headers[0]["Authorization"] == "Basic YTp3b3Jk"


def test_a_server_that_nobody_knows_gets_nothing(due, server, certificates: Path) -> None:  # noqa: F811
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "other.pem", certificates / "other.key")
    archive = server(context=context)
    queue, _ = due(text=WEB.replace('url = "{url}"', 'url = "{url}"\nauthorities = "ca.pem"'), url=archive.url)
    until(lambda: _reasons(queue) == ["its certificate is not one to be trusted"])
    assert archive.came == []


@contextmanager
def own_dicomweb(folder: Path) -> Iterator[tuple[str, Queue]]:
    """The house's own server, in a new folder: its address, and the queue that it fills."""
    folder.mkdir()
    (folder / "node.toml").write_text(TOML.format(port=0, quiet=60, pacs=1) + "[web]\nport = 0\n")
    told = read_configuration(folder / "node.toml")
    prepare(told.folder)
    taken = Queue(told.folder / QUEUE)
    assert told.web is not None
    made = WebServer(told, told.web, taken)
    made.start()
    try:
        yield f"http://127.0.0.1:{made.port}/dicomweb", taken
    finally:
        made.stop()
        taken.close()


def test_a_node_s_own_dicomweb_takes_what_a_node_sends(due, tmp_path: Path) -> None:
    """An independent reader of the same standard it is not, but the two have to fit."""
    with own_dicomweb(tmp_path / "other") as (url, taken):
        queue, uids = due(text=WEB, url=url, count=60)
        until(lambda: _states(queue) == {"arrived": 60})
        assert [row["uid"] for row in taken.rows("SELECT uid FROM instance ORDER BY id")] == uids
