"""The page's program: what it gives out, and to whom."""

import http.client
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from tests.study.conftest import Made, asked, key_of, read, served

from demottle.errors import InputError
from demottle.study.application import Application
from demottle.study.design import order_for
from demottle.study.server import is_loopback, listening


def raw(address: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(body)
    response = connection.getresponse()
    found = response.status, response.read(), dict(response.headers)
    connection.close()
    return found


def test_a_reader_gets_the_images_of_their_order_and_no_word_of_arms(made: Made) -> None:
    folder = made(slices=2, repeats=3)
    app = Application(folder)
    key = key_of(folder, app.study)
    with served(app) as address:
        page = asked(address, "api/reader", {"reader": "R1"})
        order = order_for(app.study, "r1")
        assert [trial["name"] for trial in page["trials"]] == [trial.name for trial in order]
        told = json.dumps(page) + json.dumps(asked(address, "api/study"))
        for telling in (*key.images, *key.arms, '"case"', "again"):
            assert telling not in told
        status, data, headers = raw(address, "GET", f"/api/image/{order[0].name}/0/1")
        assert (status, headers["Content-Type"]) == (200, "application/octet-stream")
        what = key.images[order[0].images[0]]
        source = key.sources[what.case]
        shown = np.frombuffer(data, "<i2").reshape(24, 24)
        assert np.array_equal(shown, read(Path(str(source[what.arm]))).voxels[int(source["first slice"])])


def test_the_page_loads_nothing_from_elsewhere(made: Made) -> None:
    with served(Application(made())) as address:
        for path in ("/", "/app.js", "/viewer.js", "/images.js", "/questions.js", "/saving.js", "/study.css"):
            status, data, headers = raw(address, "GET", path)
            assert status == 200
            assert not re.search(rb"https?://|//cdn|@import", data)
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert not re.search(r"Python|\d+\.\d+", headers["Server"])


@pytest.mark.parametrize(
    "path",
    [
        "/key.json",
        "/study.json",
        "/../key.json",
        "/api/image/../../key.json",
        "/api/image/TRIAL/0/9",
        "/api/image/TRIAL/1/0",
        "/api/image/TRIAL/0",
        "/api/image/TRIAL/0/-1",
        "/api/image/TRIAL/0/%30",
        "/api/image/x/0/0",
        pytest.param("/api/image/TRIAL/0/" + "9" * 5000, id="a number of 5000 digits"),
        "/answers/r1.jsonl",
    ],
)
def test_nothing_else_is_given_out(path: str, made: Made) -> None:
    app = Application(made())
    with served(app) as address:
        assert raw(address, "GET", path.replace("TRIAL", app.study.trials[0].name))[0] == 404


def test_pages_of_others_are_not_answered(made: Made) -> None:
    app = Application(made())
    answer = json.dumps(
        {"reader": "r1", "trial": app.study.trials[0].name, "answers": {"noise": 3}, "seconds": 1}
    ).encode()
    kind = {"Content_Type": "application/json"}
    with served(app) as address:
        here = urlsplit(address).netloc
        assert raw(address, "GET", "/", Host="evil.example")[0] == 403
        assert raw(address, "POST", "/api/answers", answer, Host="evil.example", **kind)[0] == 403
        assert raw(address, "POST", "/api/answers", answer, Origin="http://evil.example", **kind)[0] == 403
        assert raw(address, "POST", "/api/answers", answer, Content_Type="text/plain")[0] == 415
        assert raw(address, "POST", "/api/answers", b"[1]", **kind)[0] == 400
        assert raw(address, "POST", "/api/answers", b"{", **kind)[0] == 400
        assert raw(address, "POST", "/api/answers", b"[" * 50_000, **kind)[0] == 400
        assert raw(address, "POST", "/api/answers", b"", Content_Length="999999999")[0] == 413
        assert raw(address, "DELETE", "/api/answers")[0] == 501
        assert app.progress == {}
        assert raw(address, "POST", "/api/answers", answer, Origin=f"http://{here}", **kind)[0] == 200
        port = here.split(":")[1]
        assert raw(address, "GET", "/", Host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"answers": {"noise": 9}},
        {"answers": {}},
        {"answers": None},
        {"seconds": "x"},
        {"seconds": float("nan")},
        {"seconds": 10**400},
        {"trial": "x"},
        {"reader": "../x"},
    ],
)
def test_wrong_answers_are_refused_with_a_sentence(change: dict[str, object], made: Made) -> None:
    folder = made()
    app = Application(folder)
    body = {"reader": "r1", "trial": app.study.trials[0].name, "answers": {"noise": 3}, "seconds": 1} | change
    response = app.post("/api/answers", body)
    assert response.status == 400
    assert json.loads(response.body)["error"].endswith(".")
    assert list((folder / "answers").iterdir()) == []


def test_a_port_in_use_and_an_address_of_others_are_one_sentence(made: Made) -> None:
    app = Application(made())
    with listening(app) as server:
        port = server.server_address[1]
        with pytest.raises(InputError, match=f"Port {port} is in use"), listening(app, port=port):
            pass
    with pytest.raises(InputError, match="not an address of this machine"), listening(app, "192.0.2.1"):
        pass
    with pytest.raises(InputError, match="no port 70000"), listening(app, port=70000):
        pass


def test_what_is_loopback() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "192.168.0.4", "pc")] == [
        *[True] * 3,
        *[False] * 3,
    ]
