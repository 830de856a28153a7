"""Log-in and log-out, and the files of the page."""

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from demottle.node import audit
from demottle.node.web.sessions import COOKIE, HOURS
from demottle.node.web.site import Site, address_of
from demottle.node.web.users import User, checked

_STATIC = Path(__file__).parents[1] / "static"
_FILES = frozenset(file.name for file in _STATIC.iterdir())


def entrance(site: Site) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.get("/")
    def page(request: Request) -> Response:
        known = site.sessions.of(request.cookies.get(COOKIE)) is not None
        return FileResponse(_STATIC / "index.html") if known else RedirectResponse("/log-in", 303)

    @routes.get("/account")
    def account(request: Request) -> Response:
        known = site.sessions.of(request.cookies.get(COOKIE)) is not None
        return FileResponse(_STATIC / "account.html") if known else RedirectResponse("/log-in", 303)

    @routes.get("/favicon.ico")
    def icon() -> Response:
        return FileResponse(_STATIC / "favicon.ico", headers={"cache-control": "max-age=86400"})

    @routes.get("/log-in")
    def door() -> Response:
        return FileResponse(_STATIC / "log-in.html")

    @routes.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in _FILES:
            raise HTTPException(404, "There is no such file.")
        return FileResponse(_STATIC / name)

    @routes.post("/log-in")
    async def log_in(request: Request) -> Response:
        given = await body_of(request)
        name, password = str(given.get("name", ""))[:64], str(given.get("password", ""))[:256]
        return await run_in_threadpool(_logged_in, site, address_of(request), name, password)

    @routes.post("/log-out")
    def log_out(request: Request) -> Response:
        session = site.session(request)
        site.sessions.end(session)
        site.audit.note("log-out", audit.EXECUTE, session.user.name, address_of(request))
        answer = JSONResponse({})
        answer.delete_cookie(COOKIE)
        return answer

    return routes


def _logged_in(site: Site, host: str, name: str, password: str) -> Response:
    keys = f"address {host}", f"name {name}"
    user: User | None = None
    if not site.brake.closed(*keys):
        user = checked(site.told.folder, name, password)
        said = "" if user else "wrong name or password"
    else:
        said = "too many failed log-ins"
    if user is None:
        if said != "too many failed log-ins":
            site.brake.failed(*keys)
        site.audit.note("log-in", audit.EXECUTE, name, host, outcome=audit.MINOR, said=said)
        if said.startswith("too"):
            return JSONResponse({"detail": "Too many failed log-ins; wait five minutes."}, 429, {"retry-after": "300"})
        return JSONResponse({"detail": "Name or password is wrong."}, 401)
    site.audit.note("log-in", audit.EXECUTE, name, host)
    answer = JSONResponse({})
    age = int(HOURS * 3600)
    answer.set_cookie(
        COOKIE, site.sessions.begin(user), max_age=age, httponly=True, samesite="strict", secure=site.web.tls
    )
    return answer


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that a request brings.

    Raises:
        HTTPException: 400, it is none.
    """
    try:
        found = json.loads(await request.body())
        json.dumps(
            found, ensure_ascii=False
        ).encode()  # half a surrogate pair is a text in JSON, and in no file or hash
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "The body is not JSON.") from error
    if not isinstance(found, dict):
        raise HTTPException(400, "The body has to be a JSON object.")
    return found
