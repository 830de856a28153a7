"""Users over the web: each changes her own password, an admin looks after all. The audit log has each change."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from demottle.errors import DemottleError, InputError
from demottle.node import audit
from demottle.node.web.pages.entrance import body_of
from demottle.node.web.sessions import Session
from demottle.node.web.site import Site, address_of
from demottle.node.web.users import Role, all_users, checked, remove_user, save_user, set_role, user_of


def accounts(site: Site) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.get("/api/users")
    def users(request: Request) -> list[dict[str, str]]:
        site.session(request, Role.ADMIN)
        return [{"name": one.name, "role": str(one.role)} for one in all_users(site.told.folder)]

    @routes.post("/api/password")
    async def own(request: Request) -> dict[str, str]:
        session, given = site.session(request), await body_of(request)
        return await run_in_threadpool(_own_password, site, request, session, _text(given, "old"), _text(given, "new"))

    @routes.post("/api/users")
    async def add(request: Request) -> dict[str, str]:
        session, given = site.session(request, Role.ADMIN), await body_of(request)
        name, role, password = _text(given, "name"), _role(given), _text(given, "password")

        def do() -> str:
            save_user(site.told.folder, name, role, password, new=True)
            return f"{name} may log in as {role}."

        return await run_in_threadpool(_audited, site, request, session, "user added", audit.CREATE, name, do)

    @routes.post("/api/users/{name}/{what}")
    async def change(request: Request, name: str, what: str) -> dict[str, str]:
        session, given = site.session(request, Role.ADMIN), await body_of(request)
        if what not in _CHANGES:
            raise HTTPException(404, "There is no such action.")
        event, kind, do = _CHANGES[what]

        def done() -> str:
            if name == session.user.name:
                raise InputError(
                    "This is your own account; change your password above, and ask another admin for the rest."
                )
            return do(site, name, given)

        return await run_in_threadpool(_audited, site, request, session, event, kind, name, done)

    return routes


def _remove(site: Site, name: str, given: dict[str, Any]) -> str:
    remove_user(site.told.folder, name)
    return f"{name} may no longer log in."


def _another_role(site: Site, name: str, given: dict[str, Any]) -> str:
    role = _role(given)
    set_role(site.told.folder, name, role)
    return f"{name} is {role} from now on, and has to log in again."


def _another_password(site: Site, name: str, given: dict[str, Any]) -> str:
    found = user_of(site.told.folder, name)
    if found is None:
        raise InputError("There is no user of this name.")
    save_user(site.told.folder, name, found.role, _text(given, "password"))
    return f"{name} has another password, and has to log in again."


_CHANGES: dict[str, tuple[str, str, Callable[[Site, str, dict[str, Any]], str]]] = {
    "remove": ("user removed", audit.DELETE, _remove),
    "role": ("role changed", audit.UPDATE, _another_role),
    "password": ("password set", audit.UPDATE, _another_password),
}


def _own_password(site: Site, request: Request, session: Session, old: str, new: str) -> dict[str, str]:
    name = session.user.name
    key = f"password {name}"

    def do() -> str:
        if site.brake.closed(key):
            raise InputError("Too many wrong passwords; wait five minutes.")
        if checked(site.told.folder, name, old) is None:
            site.brake.failed(key)
            raise InputError("Your present password is another one; nothing was changed.")
        save_user(site.told.folder, name, session.user.role, new)
        return "Your password is changed; log in with it."

    return _audited(site, request, session, "password changed", audit.UPDATE, name, do)


def _audited(
    site: Site, request: Request, session: Session, event: str, kind: str, whose: str, do: Callable[[], str]
) -> dict[str, str]:
    who, where = session.user.name, address_of(request)
    try:
        said = do()
    except DemottleError as error:
        site.audit.note(event, kind, who, where, outcome=audit.MINOR, said=f"{whose}: {error}")
        raise
    site.audit.note(event, kind, who, where, said=said)
    return {"said": said}


def _text(given: dict[str, Any], name: str) -> str:
    found = given.get(name, "")
    if not isinstance(found, str):
        raise InputError(f"{name} has to be a text.")
    return found


def _role(given: dict[str, Any]) -> Role:
    found = _text(given, "role")
    if found not in list(Role):
        raise InputError(f"The role can be {', '.join(Role)}.")
    return Role(found)
