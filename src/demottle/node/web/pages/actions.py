"""What a person may do: each needs a role and goes into the audit log, done or refused."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from demottle.errors import DemottleError, InputError
from demottle.node import audit
from demottle.node.queue.actions import hurry, redo, reject, resend
from demottle.node.retention import purge_series
from demottle.node.web.pages.entrance import body_of
from demottle.node.web.site import Site, address_of
from demottle.node.web.users import Role

Given = Mapping[str, Any]


def _resend(site: Site, series: int, who: str, given: Given) -> str:
    return f"{resend(site.queue, _round(site, series), who)} objects are sent again."


def _urgent(site: Site, series: int, who: str, given: Given) -> str:
    hurry(site.queue, series, who)
    return "The series goes before others."


def _redo(site: Site, series: int, who: str, given: Given) -> str:
    method = given.get("method")
    if method is not None and not isinstance(method, str):
        raise InputError("The method has to be a name.")
    rule = given.get("rule")
    leaves = {one.name: one.leave for one in site.told.rules}
    if rule is not None and (not isinstance(rule, str) or leaves.get(rule, True)):
        raise InputError("There is no such rule that does something.")
    last = None if rule else site.queue.row("SELECT rule FROM round WHERE id = ?", _round(site, series))
    if last is not None and leaves.get(last["rule"]):
        raise InputError(f"The rule '{last['rule']}' leaves the series alone; choose the rule to do it by.")
    redo(site.queue, series, who, {"method": method} if method else None, rule)
    return "The series is done again."


def _reject(site: Site, series: int, who: str, given: Given) -> str:
    there = reject(site.queue, _round(site, series), who)
    return f"Rejected; {there} objects had been sent already." if there else "Rejected; nothing had been sent."


def _purge(site: Site, series: int, who: str, given: Given) -> str:
    purge_series(site.told, site.queue, series, who)
    return "Objects and results are removed from this machine."


_DONE: dict[str, tuple[Role, str, Callable[[Site, int, str, Given], str]]] = {
    "resend": (Role.TECHNOLOGIST, audit.EXECUTE, _resend),
    "urgent": (Role.TECHNOLOGIST, audit.UPDATE, _urgent),
    "redo": (Role.PHYSICIST, audit.EXECUTE, _redo),
    "reject": (Role.PHYSICIST, audit.UPDATE, _reject),
    "purge": (Role.ADMIN, audit.DELETE, _purge),
}


def actions(site: Site) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.post("/api/series/{series}/{what}")
    async def act(request: Request, series: int, what: str) -> dict[str, str]:
        if what not in _DONE:
            raise HTTPException(404, "There is no such action.")
        role, kind, do = _DONE[what]
        who, given = site.session(request, role).user.name, await body_of(request)
        said = await run_in_threadpool(_audited, site, what, kind, who, address_of(request), series, given, do)
        return {"said": said}

    return routes


def _audited(site: Site, what: str, kind: str, who: str, where: str, series: int, given: Given, do: Any) -> str:
    row = site.queue.row("SELECT uid FROM series WHERE id = ?", series) if 0 < series < 2**62 else None
    if row is None:
        raise HTTPException(404, "There is no such series.")
    try:
        said = str(do(site, series, who, given))
    except DemottleError as error:
        site.audit.note(what, kind, who, where, uids=(row["uid"],), outcome=audit.MINOR, said=str(error))
        raise
    asked = [f"{name} {given[name]}" for name in ("method", "rule") if given.get(name)] if what == "redo" else []
    site.audit.note(what, kind, who, where, uids=(row["uid"],), said=", ".join(asked))
    return said


def _round(site: Site, series: int) -> int:
    """The latest round of a series."""
    row = site.queue.row("SELECT id FROM round WHERE series = ? ORDER BY number DESC LIMIT 1", series)
    if row is None:
        raise InputError("The series is not complete yet; wait until it is.")
    return int(row["id"])
