"""What a person does with a series over the web: it needs a role and the page's token, and is noted, done or refused."""

from typing import Any

import pytest
from pydicom.dataset import Dataset
from tests.node.conftest import TOML, noisy_series
from tests.node.web.conftest import WEB, Browser, done_with, serving

from demottle.node.completing import complete
from demottle.node.queue import shown
from demottle.node.web.users import Role

ACTIONS = {
    "resend": Role.TECHNOLOGIST,
    "urgent": Role.TECHNOLOGIST,
    "redo": Role.PHYSICIST,
    "reject": Role.PHYSICIST,
    "purge": Role.ADMIN,
}

LEAVES = TOML.replace("[[rule]]", '[[rule]]\nname = "scouts"\nwhen = {{ modality = "CT" }}\nleave = true\n[[rule]]', 1)


def noted(browser: Browser, event: str) -> list[tuple[str, int, list[str], str]]:
    return [(one["who"], one["outcome"], one["what"], one["said"]) for one in browser.audit() if one["event"] == event]


def everything(browser: Browser) -> list[tuple[Any, ...]]:
    tables = ("series", "round", "send", "instance")
    return [tuple(row) for table in tables for row in browser.queue.rows(f"SELECT * FROM {table}")]


@pytest.mark.parametrize("what", ACTIONS)
def test_an_action_needs_its_role_a_session_and_the_token(browser: Browser, done: list[Dataset], what: str) -> None:
    path, before = f"/api/series/1/{what}", everything(browser)
    assert browser.ask("POST", path, {})[0] == 401
    browser.log_in(Role.ADMIN)
    assert browser.ask("POST", path, {}, x_csrf_token="0" * 64)[0] == 403
    assert browser.ask("POST", path, {}, origin="https://elsewhere.example")[0] == 403
    assert browser.ask("POST", path, "{}", content_type="text/plain", x_csrf_token=browser.token)[0] == 415
    assert browser.ask("GET", path)[0] in (404, 405)
    below = [role for role in Role if not role.may(ACTIONS[what])]
    for role in below:
        browser.log_in(role)
        code, said, _ = browser.ask("POST", path, {})
        assert (code, said["detail"]) == (403, f"This needs the role {ACTIONS[what]}; yours is {role}.")
    assert everything(browser) == before
    refused = noted(browser, "access refused")
    assert refused == [(f"p-{role}", 4, [], f"{path} needs the role {ACTIONS[what]}") for role in below]


def test_what_was_sent_goes_again_as_the_same_objects(browser: Browser, done: list[Dataset]) -> None:
    browser.queue.rows("UPDATE send SET state = 'arrived', attempts = 1, arrived = 5")
    browser.queue.rows("UPDATE round SET state = 'done'")
    browser.log_in(Role.TECHNOLOGIST)
    assert browser.ask("POST", "/api/series/1/resend", {})[1] == {"said": "6 objects are sent again."}
    assert shown.sends_of(browser.queue, 1) == {"pacs": {"waiting": 6}}
    series = browser.queue.row("SELECT uid FROM series")
    assert series is not None
    assert noted(browser, "resend") == [("p-technologist", 0, [series["uid"]], "")]
    (event,) = [one for one in shown.events(browser.queue) if one["what"] == "resend"]
    assert event["who"] == "p-technologist"


def test_a_physicist_has_it_done_by_another_method_and_takes_it_back(browser: Browser, done: list[Dataset]) -> None:
    browser.log_in(Role.PHYSICIST)
    for given, why in (({"method": "no such"}, "no such"), ({"method": 5}, "name"), ({"rule": "none"}, "rule")):
        code, said, _ = browser.ask("POST", "/api/series/1/redo", given)
        assert code == 409 and why in said["detail"]
    assert browser.ask("POST", "/api/series/1/redo", {"method": "bilateral"})[0] == 200
    assert browser.ask("POST", "/api/series/1/redo", {})[0] == 409  # it is being done already
    made = done_with(browser, done, "bilateral")
    first, second = (
        {row["uid"] for row in browser.queue.rows("SELECT uid FROM result WHERE round = ?", one)} for one in (1, 2)
    )
    assert second == {str(one.SOPInstanceUID) for one in made} and not first & second
    assert browser.ask("POST", "/api/series/1/reject", {})[1]["said"] == "Rejected; nothing had been sent."
    (one,) = shown.list_series(browser.queue)
    assert (one["state"], one["reason"]) == ("rejected", "rejected by p-physicist")
    browser.log_in(Role.TECHNOLOGIST)
    before = everything(browser)
    code, answer, _ = browser.ask("POST", "/api/series/1/resend", {})
    assert code == 409 and "was rejected" in answer["detail"] and everything(browser) == before
    said = [line[3] for line in noted(browser, "redo")]
    assert said[3] == "method bilateral" and said[4].startswith("The series is being done already")
    assert [line[1] for line in noted(browser, "redo")] == [4, 4, 4, 0, 4]
    assert len(noted(browser, "reject")) == 1


def test_a_series_that_was_left_alone_is_done_by_a_rule_that_a_person_chooses(told: Any) -> None:
    with serving(told(WEB, text=LEAVES)[0]) as browser:
        browser.store(noisy_series(slices=3, NumberOfSeriesRelatedInstances="3"))
        assert complete(browser.told, browser.queue) == 1
        browser.log_in(Role.PHYSICIST)
        before = everything(browser)
        for given, why in (
            ({}, "leaves the series alone"),
            ({"method": "nl-bayes"}, "leaves the series alone"),
            ({"rule": "scouts"}, "no such rule"),
            ({"rule": ["all"]}, "no such rule"),
        ):
            code, said, _ = browser.ask("POST", "/api/series/1/redo", given)
            assert code == 409 and why in said["detail"] and everything(browser) == before
        assert browser.ask("GET", "/api/me")[1]["rules"] == ["all"]
        assert browser.ask("POST", "/api/series/1/redo", {"rule": "all"})[0] == 200
        (one,) = shown.list_series(browser.queue)
        assert one["state"] == "waiting"
        assert noted(browser, "redo")[-1][3] == "rule all"


def test_purging_removes_objects_and_results_and_leaves_the_line(browser: Browser, done: list[Dataset]) -> None:
    browser.log_in(Role.ADMIN)
    code, said, _ = browser.ask("POST", "/api/series/1/purge", {})
    assert code == 409 and "still to be done or sent" in said["detail"]
    browser.queue.rows("UPDATE round SET state = 'done', ended = 1")
    assert browser.ask("POST", "/api/series/1/purge", {})[0] == 409  # objects are on their way
    browser.queue.rows("UPDATE send SET state = 'arrived', arrived = 5")
    assert browser.ask("POST", "/api/series/1/purge", {})[0] == 200
    assert list((browser.told.folder / "objects").rglob("*.dcm")) == []
    assert list((browser.told.folder / "results").iterdir()) == []
    assert browser.ask("GET", "/api/series/1/images")[0] == 404
    assert browser.ask("GET", f"/dicomweb/studies/{done[0].StudyInstanceUID}")[0] == 404
    assert browser.ask("GET", "/api/series/1")[1]["purged"] is not None
    for what in ("urgent", "resend", "redo"):
        code, said, _ = browser.ask("POST", f"/api/series/1/{what}", {})
        assert code == 409 and said["detail"].startswith("The objects of this series are no longer held; send it again")
    assert [(line[0], line[1]) for line in noted(browser, "purge")] == [("p-admin", 4), ("p-admin", 4), ("p-admin", 0)]
    assert str(done[0].PatientName) not in (browser.told.folder / "audit.jsonl").read_text()


@pytest.mark.parametrize("series", ["0", "2", "99999999999999999999", "-1"])
def test_a_series_that_is_not_there_is_said(browser: Browser, series: str) -> None:
    browser.log_in(Role.ADMIN)
    assert browser.ask("POST", f"/api/series/{series}/resend", {})[0] == 404
    assert browser.ask("POST", "/api/series/1/explode", {})[0] == 404
