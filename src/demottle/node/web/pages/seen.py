"""What the dashboard shows: the queue as it changes, one series in detail, and the page of a result."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from demottle.node import audit
from demottle.node.queue.rounds import result_folder
from demottle.node.queue.shown import files_of_series, list_series, sends_with_reasons
from demottle.node.web.headers import described
from demottle.node.web.pages.images import found_series
from demottle.node.web.sessions import Session
from demottle.node.web.site import Site, address_of
from demottle.node.web.users import Role

_MOST = 200
_PAUSE = 1.0
_REPORT = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; "
    "sandbox allow-scripts"
)


def seen(site: Site) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.get("/api/me")
    def me(request: Request) -> dict[str, Any]:
        session = site.session(request)
        roles = [str(role) for role in Role if session.user.role.may(role)]
        rules = [one.name for one in site.told.rules if not one.leave]
        told = {
            "name": session.user.name,
            "roles": roles,
            "csrf": session.csrf,
            "patients": site.sees_patients(session),
        }
        return {**told, "methods": _methods(), "rules": rules}

    @routes.get("/api/events")
    async def events(request: Request) -> StreamingResponse:
        session = site.session(request)
        said = "with patient IDs" if site.sees_patients(session) else ""
        site.audit.note("queue shown", audit.READ, session.user.name, address_of(request), said=said)
        return StreamingResponse(_changes(site, request), media_type="text/event-stream")

    @routes.get("/api/series/{series}")
    def series(request: Request, series: int) -> dict[str, Any]:
        session = site.session(request)
        found = found_series(site, series)
        for one in found["rounds"]:
            one["open"] = sends_with_reasons(site.queue, one["id"])
            one["page"] = _has_page(site, one["id"])
        site.audit.note("series shown", audit.READ, session.user.name, address_of(request), uids=(found["uid"],))
        return _with_description(site, found, session)

    @routes.get("/api/series/{series}/report/{round}")
    def report(request: Request, series: int, round: int) -> Response:
        session, found = site.session(request), found_series(site, series)
        file = result_folder(site.told.folder, round) / "report.html"
        if round not in [one["id"] for one in found["rounds"]] or not file.is_file():
            raise HTTPException(404, "This series has no page, or it is no longer kept.")
        site.audit.note("page shown", audit.READ, session.user.name, address_of(request), uids=(found["uid"],))
        return FileResponse(file, headers={"content-security-policy": _REPORT})

    return routes


def _with_description(site: Site, one: dict[str, Any], session: Session) -> dict[str, Any]:
    """A series with what its header says; of the patient only what this person may see."""
    files = files_of_series(site.queue, one["id"])[:1]
    told = described(site.told.folder / files[0]) if files else {}
    page = one["round"] is not None and _has_page(site, one["round"])  # it comes a moment after the result
    found = {**one, "description": told.get("SeriesDescription", ""), "page": page}
    if site.sees_patients(session):
        found |= {"patient": told.get("PatientID", ""), "accession": told.get("AccessionNumber", "")}
    return found


def _has_page(site: Site, round: int) -> bool:
    return (result_folder(site.told.folder, round) / "report.html").is_file()


def _listed(site: Site, session: Session) -> str:
    return json.dumps([_with_description(site, one, session) for one in list_series(site.queue, most=_MOST)])


async def _changes(site: Site, request: Request) -> AsyncIterator[str]:
    """The list whenever it is another than before, until the session is over, the browser gone or the node stopped."""
    before, silent = "", 0
    while not site.stopping.is_set() and not await request.is_disconnected():
        try:
            session = site.session(request)
        except HTTPException:
            yield "event: over\ndata: {}\n\n"
            return
        now = await run_in_threadpool(_listed, site, session)
        silent += 1
        if now != before:
            before, silent = now, 0
            yield f"event: series\ndata: {now}\n\n"
        elif silent >= 15:  # so that a connection that is gone is noticed
            silent = 0
            yield ": still here\n\n"
        await asyncio.sleep(_PAUSE)


def _methods() -> list[str]:
    """Methods that a series can be done with without a model."""
    from demottle.methods.registry import METHODS

    return [
        one.name for one in METHODS.values() if not one.rival and one.learns_from in ("nothing", "the image itself")
    ]
