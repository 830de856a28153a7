"""A web server of a node without worker and couriers, somebody who asks it, and series in whatever state a test needs."""

import contextlib
import copy
import http.client
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from tests.node.conftest import noisy_series

from demottle.node.completing import complete
from demottle.node.disk import QUEUE, prepare
from demottle.node.queue.rounds import Made, claim, published, result_folder
from demottle.node.queue.store import Queue
from demottle.node.web import users
from demottle.node.web.server import WebServer
from demottle.node.web.users import Role, save_user

WEB = "\n[web]\nport = 0\nlargest = 1\n"
PASSWORD = "a long pass phrase"
RELATED = 'multipart/related; type="application/dicom"; boundary=xyz'


class Browser:
    """Asks, keeps the cookie and the token."""

    def __init__(self, port: int, queue: Queue, told: Any) -> None:
        self.port, self.queue, self.told = port, queue, told
        self.cookie = self.token = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            given.setdefault("cookie", self.cookie)
        if isinstance(body, dict):
            body = json.dumps(body)
            given.setdefault("content-type", "application/json")
            given.setdefault("x-csrf-token", self.token)
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as line:
            line.request(method, path, body, given)
            answer = line.getresponse()
            data = answer.read()
        kind = answer.headers.get("content-type", "")
        return answer.status, json.loads(data) if "json" in kind else data, answer.headers

    def log_in(self, role: Role) -> None:
        save_user(self.told.folder, f"p-{role}", role, PASSWORD)
        code, _, headers = self.ask("POST", "/log-in", {"name": f"p-{role}", "password": PASSWORD})
        assert code == 200
        self.cookie = headers["set-cookie"].partition(";")[0]
        self.token = self.ask("GET", "/api/me")[1]["csrf"]

    def store(self, datasets: list[Dataset], **headers: str) -> tuple[int, Any, Any]:
        parts = [b"--xyz\r\nContent-Type: application/dicom\r\n\r\n" + stored(one) + b"\r\n" for one in datasets]
        headers = {"content-type": RELATED, **headers}
        return self.ask("POST", "/dicomweb/studies", b"".join(parts) + b"--xyz--\r\n", **headers)

    def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.told.folder / "audit.jsonl").read_text().splitlines()]


def stored(one: Dataset) -> bytes:
    target = io.BytesIO()
    one.save_as(target, enforce_file_format=True)
    return target.getvalue()


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as ever, for a millisecond in place of a tenth of a second each."""
    monkeypatch.setattr(users, "_COST", {"n": 1 << 8, "r": 8, "p": 1})


@contextlib.contextmanager
def serving(found: Any) -> Iterator[Browser]:
    """Serve what a configuration says while the block runs."""
    prepare(found.folder)
    queue = Queue(found.folder / QUEUE)
    server = WebServer(found, found.web, queue)
    server.start()
    try:
        yield Browser(server.port, queue, found)
    finally:
        server.stop()
        queue.close()


@pytest.fixture
def browser(told: Any) -> Iterator[Browser]:
    with serving(told(WEB)[0]) as found:
        yield found


def done_with(browser: Browser, scan: list[Dataset], method: str = "gaussian") -> list[Dataset]:
    """Do the work of the worker for what waits: half of each value, written, and to be sent."""
    found = claim(browser.queue)
    assert found is not None
    folder = result_folder(browser.told.folder, found.id)
    (folder / "images").mkdir(parents=True)
    (folder / "report.html").write_text("<p>the page</p>")
    series, made, entered = generate_uid(), [], []
    for place, one in enumerate(scan):
        after = copy.deepcopy(one)
        after.SourceImageSequence = [Dataset()]
        after.SourceImageSequence[0].ReferencedSOPInstanceUID = one.SOPInstanceUID
        after.SOPInstanceUID = after.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        after.SeriesInstanceUID = series
        after.PixelData = (np.frombuffer(one.PixelData, "<u2") // 2).tobytes()
        name = f"results/{found.id}/images/image-{len(scan) - place:04}.dcm"
        (browser.told.folder / name).write_bytes(stored(after))
        entered.append(
            Made(str(after.SOPInstanceUID), str(after.SOPClassUID), "1.2.840.10008.1.2.1", "images", name, 1)
        )
        made.append(after)
    gate = {"verdicts": [{"what": "noise", "value": 0.6, "limit": 0.4, "unit": "", "status": "passed"}]}
    assert published(browser.queue, found.id, entered, ["pacs"], method=method, gate=gate)
    return made


@pytest.fixture
def done(browser: Browser) -> list[Dataset]:
    """A series of six slices that was denoised and waits to be sent."""
    scan = noisy_series(slices=6, NumberOfSeriesRelatedInstances="6")
    assert browser.store(scan)[0] == 200
    assert complete(browser.told, browser.queue) == 1
    done_with(browser, scan)
    return scan
