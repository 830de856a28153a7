"""Users over the web: an admin adds, removes and gives roles, everybody changes the own password, and all of it is noted."""

import pytest
from tests.node.web.conftest import PASSWORD, Browser

from demottle.node.web.users import Role, all_users, checked

NEW = "another long phrase"


def users(browser: Browser) -> dict[str, str]:
    return {one.name: str(one.role) for one in all_users(browser.told.folder)}


def second(browser: Browser, name: str) -> Browser:
    """Another browser, in which somebody logs in."""
    other = Browser(browser.port, browser.queue, browser.told)
    code, _, headers = other.ask("POST", "/log-in", {"name": name, "password": PASSWORD})
    assert code == 200
    other.cookie = headers["set-cookie"].partition(";")[0]
    other.token = other.ask("GET", "/api/me")[1]["csrf"]
    return other


def test_an_admin_adds_a_user_gives_another_role_and_removes_her(browser: Browser) -> None:
    browser.log_in(Role.ADMIN)
    given = {"name": "eva", "role": "technologist", "password": PASSWORD}
    assert browser.ask("POST", "/api/users", given)[1] == {"said": "eva may log in as technologist."}
    assert browser.ask("POST", "/api/users", given)[0] == 409  # and nobody takes over her account by that
    eva = second(browser, "eva")
    assert browser.ask("POST", "/api/users/eva/role", {"role": "physicist"})[0] == 200
    assert eva.ask("GET", "/api/me")[0] == 401  # her session was a technologist's
    assert (
        "reject" not in str(eva.audit()) and second(browser, "eva").ask("GET", "/api/me")[1]["roles"][-1] == "physicist"
    )
    assert browser.ask("POST", "/api/users/eva/password", {"password": NEW})[0] == 200
    assert checked(browser.told.folder, "eva", NEW) is not None
    assert browser.ask("POST", "/api/users/eva/remove", {})[0] == 200
    assert users(browser) == {"p-admin": "admin"}
    told = [
        (one["event"], one["action"], one["who"], one["outcome"]) for one in browser.audit() if one["who"] == "p-admin"
    ]
    assert told[1:] == [
        ("user added", "C", "p-admin", 0),
        ("user added", "C", "p-admin", 4),
        ("role changed", "U", "p-admin", 0),
        ("password set", "U", "p-admin", 0),
        ("user removed", "D", "p-admin", 0),
    ]
    held = (browser.told.folder / "audit.jsonl").read_text() + (browser.told.folder / "users.json").read_text()
    assert PASSWORD not in held and NEW not in held


@pytest.mark.parametrize("role", [Role.TECHNOLOGIST, Role.PHYSICIST])
def test_nobody_but_an_admin_looks_after_users(browser: Browser, role: Role) -> None:
    browser.log_in(Role.ADMIN)
    browser.log_in(role)
    before = users(browser)
    assert browser.ask("GET", "/api/users")[0] == 403
    given = {"name": "eva", "role": "admin", "password": PASSWORD}
    assert browser.ask("POST", "/api/users", given)[0] == 403
    for what, body in (("remove", {}), ("role", {"role": "admin"}), ("password", {"password": NEW})):
        assert browser.ask("POST", f"/api/users/p-admin/{what}", body)[0] == 403
    assert users(browser) == before and checked(browser.told.folder, "p-admin", PASSWORD) is not None
    assert len([one for one in browser.audit() if one["event"] == "access refused"]) == 5


def test_an_admin_cannot_shut_herself_out_and_mistakes_change_nothing(browser: Browser) -> None:
    browser.log_in(Role.ADMIN)
    for path, body in (
        ("p-admin/remove", {}),
        ("p-admin/role", {"role": "technologist"}),
        ("nobody/remove", {}),
        ("nobody/role", {"role": "admin"}),
        ("nobody/password", {"password": NEW}),
    ):
        assert browser.ask("POST", f"/api/users/{path}", body)[0] == 409
    for body in (
        {"name": "../x", "role": "admin", "password": NEW},
        {"name": "eva", "role": "king", "password": NEW},
        {"name": "eva", "role": "admin", "password": "short"},
        {"name": "eva", "role": "admin", "password": ["x"]},
        {},
    ):
        assert browser.ask("POST", "/api/users", body)[0] == 409
    assert browser.ask("POST", "/api/users/p-admin/explode", {})[0] == 404
    assert browser.ask("POST", "/api/users", {"name": "eva"}, x_csrf_token="")[0] == 403
    assert users(browser) == {"p-admin": "admin"}


def test_everybody_changes_the_own_password_and_all_sessions_end(browser: Browser) -> None:
    assert browser.ask("POST", "/api/password", {"old": PASSWORD, "new": NEW})[0] == 401
    browser.log_in(Role.TECHNOLOGIST)
    other = second(browser, "p-technologist")
    for old, new in (("wrong", NEW), (PASSWORD, "short"), (NEW, PASSWORD)):
        assert browser.ask("POST", "/api/password", {"old": old, "new": new})[0] == 409
    assert browser.ask("POST", "/api/password", {"old": PASSWORD, "new": NEW})[0] == 200
    assert browser.ask("GET", "/api/me")[0] == other.ask("GET", "/api/me")[0] == 401
    assert browser.ask("POST", "/log-in", {"name": "p-technologist", "password": PASSWORD})[0] == 401
    assert browser.ask("POST", "/log-in", {"name": "p-technologist", "password": NEW})[0] == 200
    assert [one["outcome"] for one in browser.audit() if one["event"] == "password changed"] == [4, 4, 4, 0]


def test_guessing_the_own_password_is_slowed_down(browser: Browser) -> None:
    browser.log_in(Role.TECHNOLOGIST)
    for _ in range(5):
        browser.ask("POST", "/api/password", {"old": "wrong", "new": NEW})
    code, said, _ = browser.ask("POST", "/api/password", {"old": PASSWORD, "new": NEW})
    assert (code, said["detail"]) == (409, "Too many wrong passwords; wait five minutes.")


def test_the_page_and_its_icon_are_there(browser: Browser) -> None:
    assert browser.ask("GET", "/account")[0] == 303
    code, icon, headers = browser.ask("GET", "/favicon.ico")
    assert code == 200 and icon[:4] == b"\0\0\1\0" and "icon" in headers["content-type"]
    browser.log_in(Role.TECHNOLOGIST)
    code, page, _ = browser.ask("GET", "/account")
    assert code == 200 and b"account.js" in page
