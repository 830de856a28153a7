"""Dashboard and DICOMweb of a node, over a live server on the loopback."""

import contextlib
import http.client
import json
from typing import Any

import pytest
from tests.node.conftest import noisy_series
from tests.node.web.conftest import PASSWORD, RELATED, WEB, Browser, serving, stored

from demottle.node.completing import complete
from demottle.node.disk import QUEUE, prepare
from demottle.node.queue.store import Queue
from demottle.node.web.server import WebServer
from demottle.node.web.users import Role, save_user


def test_objects_come_in_once_are_found_and_come_out_as_they_came(browser: Browser) -> None:
    scan = noisy_series(slices=3)
    assert browser.store(scan)[0] == browser.store(scan)[0] == 200
    assert browser.queue.row("SELECT COUNT(*) FROM instance")[0] == 3
    code, studies, _ = browser.ask("GET", "/dicomweb/studies")
    assert code == 200 and studies[0]["00201208"]["Value"] == [3]
    study = scan[0].StudyInstanceUID
    code, data, headers = browser.ask("GET", f"/dicomweb/studies/{study}")
    assert code == 200 and data.count(b"DICM") >= 3 and "multipart/related" in headers["content-type"]
    assert stored(scan[0])[400:] in data
    _, header, _ = browser.ask("GET", f"/dicomweb/studies/{study}/metadata")
    assert len(header) == 3 and "7FE00010" not in header[0]
    assert str(scan[0].PatientName) not in (browser.told.folder / "audit.jsonl").read_text()


def test_who_is_not_listed_is_turned_away_and_logged(told: Any) -> None:
    found, _ = told(WEB)
    text = (
        (found.folder.parent / "node.toml")
        .read_text()
        .replace('title = "CT1"\naddress = "127.0.0.1"', 'title = "CT1"\naddress = "10.1.2.3"')
    )
    assert "10.1.2.3" in text
    found, _ = told("", text=text.replace("{", "{{").replace("}", "}}"))
    prepare(found.folder)
    with contextlib.closing(Queue(found.folder / QUEUE)) as queue:
        server = WebServer(found, found.web, queue)
        server.start()
        other = Browser(server.port, queue, found)
        assert other.store(noisy_series(slices=1))[0] == 403
        assert other.ask("GET", "/dicomweb/studies")[0] == 403
        assert [one["outcome"] for one in other.audit()] == [4, 4]
        server.stop()


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"--xyz\r\n\r\nno DICOM\r\n--xyz--", RELATED, 409),
        (b"--xyz\r\n\r\ncut off", RELATED, 400),
        (b"--xyz--", RELATED, 400),
        (b"", RELATED, 400),
        (b"{}", "application/json", 415),
        (b"x", "multipart/related", 415),
        (bytes(1 << 21), RELATED, 413),
    ],
)
def test_hostile_bodies_are_refused_and_leave_nothing(browser: Browser, body: bytes, kind: str, code: int) -> None:
    headers = {"content-type": kind}
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
        assert browser.ask("POST", "/dicomweb/studies", body, **headers)[0] == code
    assert list((browser.told.folder / "incoming").iterdir()) == []
    assert browser.queue.row("SELECT COUNT(*) FROM instance")[0] == 0


def test_a_body_in_pieces_is_cut_off_at_the_limit(browser: Browser) -> None:
    code, _, _ = browser.ask("POST", "/dicomweb/studies", iter([bytes(1 << 20), b"x"]), **{"content-type": RELATED})
    assert code == 413
    assert list((browser.told.folder / "incoming").iterdir()) == []


@pytest.mark.parametrize("uid", ["..%2F..%2Fetc", "1.2%00", "x", "1" * 65])
def test_tricks_in_uids_are_no_paths(browser: Browser, uid: str) -> None:
    assert browser.ask("GET", f"/dicomweb/studies/{uid}")[0] in (400, 404)


def test_nothing_without_log_in_and_nothing_beyond_the_role(browser: Browser) -> None:
    browser.store(noisy_series(slices=2))
    for path in (
        "/api/me",
        "/api/events",
        "/api/series/1",
        "/api/series/1/images",
        "/api/series/1/images/0/before",
        "/api/users",
    ):
        assert browser.ask("GET", path)[0] == 401
    browser.log_in(Role.TECHNOLOGIST)
    assert browser.ask("POST", "/api/series/1/urgent", {})[0] == 200
    assert browser.queue.row("SELECT urgent FROM series")[0] == 1
    for what in ("redo", "reject", "purge"):
        assert browser.ask("POST", f"/api/series/1/{what}", {})[0] == 403
    assert {"log-in", "urgent", "access refused"} <= {one["event"] for one in browser.audit()}


def test_token_host_and_origin_are_checked(browser: Browser) -> None:
    browser.store(noisy_series(slices=2))
    browser.log_in(Role.ADMIN)
    path = "/api/series/1/urgent"
    assert browser.ask("POST", path, {}, x_csrf_token="")[0] == 403
    assert browser.ask("POST", path, {}, origin="http://evil.example")[0] == 403
    assert browser.ask("POST", path, "a=b", x_csrf_token=browser.token)[0] == 415
    assert browser.ask("GET", "/healthz", host="evil.example")[0] == 421
    assert browser.queue.row("SELECT urgent FROM series")[0] == 0


def test_cookies_are_strict_and_end_with_the_session(browser: Browser) -> None:
    save_user(browser.told.folder, "eve", Role.ADMIN, PASSWORD)
    _, _, headers = browser.ask("POST", "/log-in", {"name": "eve", "password": PASSWORD})
    assert "HttpOnly" in headers["set-cookie"] and "SameSite=strict" in headers["set-cookie"]
    browser.log_in(Role.ADMIN)
    assert browser.ask("GET", "/api/me", cookie=browser.cookie + "0")[0] == 401
    assert browser.ask("POST", "/log-out", {})[0] == 200
    assert browser.ask("GET", "/api/me")[0] == 401


def test_guessing_is_slowed_down(browser: Browser) -> None:
    wrong = {"name": "eve", "password": "wrong"}
    assert [browser.ask("POST", "/log-in", wrong)[0] for _ in range(6)] == [401] * 5 + [429]
    failed = [one for one in browser.audit() if one["event"] == "log-in"]
    assert [(one["who"], one["where"], one["outcome"]) for one in failed] == [("eve", "127.0.0.1", 4)] * 6


@pytest.mark.parametrize(
    "body", [b'{"name":"\\ud800","password":"\\ud800"}', b'{"name":"\xed\xa0\x80"}', b'{"\\udfff":[]}']
)
def test_half_a_surrogate_pair_is_no_text(browser: Browser, body: bytes) -> None:
    browser.log_in(Role.ADMIN)
    headers = {"content-type": "application/json", "x-csrf-token": browser.token}
    for path in ("/log-in", "/api/password", "/api/users", "/api/users/p-admin/role"):
        assert browser.ask("POST", path, body, **headers)[:2] == (400, {"detail": "The body is not JSON."})


def test_a_physicist_rejects_and_does_again(browser: Browser) -> None:
    browser.store(noisy_series(slices=2))
    browser.queue.rows("UPDATE series SET last = 0")
    assert complete(browser.told, browser.queue) == 1
    browser.log_in(Role.PHYSICIST)
    assert browser.ask("POST", "/api/series/1/reject", {})[0] == 200
    assert browser.ask("POST", "/api/series/1/redo", {"method": "no such"})[0] == 409
    assert browser.ask("POST", "/api/series/1/redo", {"method": "nl-bayes"})[0] == 200
    assert browser.ask("GET", "/api/series/1")[1]["rounds"][0]["wanted"] == {"method": "nl-bayes"}


@pytest.mark.parametrize("least", ["", 'patients = "physicist"\n', 'patients = "nobody"\n'])
def test_who_a_patient_is_only_roles_see_that_may(told: Any, least: str) -> None:
    found, _ = told(WEB + least)
    with serving(found) as browser:
        scan = noisy_series(slices=2, PatientID="P-17", AccessionNumber="A-4", PatientName="Doe^Jane")
        assert browser.store(scan)[0] == 200
        for role in Role:
            browser.log_in(role)
            sees = not least or (role is not Role.TECHNOLOGIST and "physicist" in least)
            series = browser.ask("GET", "/api/series/1")[1]
            told_of = (series.get("patient"), series.get("accession"))
            assert told_of == (("P-17", "A-4") if sees else (None, None))
            assert browser.ask("GET", "/api/me")[1]["patients"] is sees
            assert b"P-17" in first_event(browser) if sees else b"P-17" not in first_event(browser)
        queue = [one["said"] for one in browser.audit() if one["event"] == "queue shown"]
        assert len(queue) == 3 and set(queue) <= {"", "with patient IDs"}
        assert not any(name in json.dumps(browser.audit()) for name in ("P-17", "A-4", "Doe"))


def first_event(browser: Browser) -> bytes:
    """The list as it is sent first."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", browser.port, timeout=20)) as line:
        line.request("GET", "/api/events", headers={"cookie": browser.cookie})
        answer = line.getresponse()
        return answer.fp.readline() + answer.fp.readline() + answer.fp.readline()


def test_health_and_metrics_name_no_patients(browser: Browser) -> None:
    scan = noisy_series(slices=2)
    browser.store(scan)
    assert browser.ask("GET", "/healthz")[1] == {"alive": True}
    assert browser.ask("GET", "/readyz")[1]["ready"] is True
    told = browser.ask("GET", "/metrics")[1].decode()
    assert 'demottle_series{state="receiving"} 1.0' in told
    assert str(scan[0].PatientName) not in told and scan[0].SeriesInstanceUID not in told


def test_the_list_comes_as_events(browser: Browser) -> None:
    evil = "<img src=x onerror=alert(1)>"
    browser.store(noisy_series(slices=2, SeriesDescription=evil))
    browser.log_in(Role.TECHNOLOGIST)
    line = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=20)
    line.request("GET", "/api/events", headers={"cookie": browser.cookie})
    answer = line.getresponse()
    assert answer.readline() == b"event: series\n"
    assert json.loads(answer.readline()[6:])[0]["description"] == evil
    answer.close()
    line.close()
    assert "script-src 'self'" in browser.ask("GET", "/")[2]["content-security-policy"]
