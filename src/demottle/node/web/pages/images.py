"""The images of a series for the viewer: what there is to see, and one frame at a time as its stored values.

Windows, scales and differences are made in the browser, so that a frame is asked for once whatever is done with it.
"""

from pathlib import Path
from threading import Lock
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from demottle.node import audit
from demottle.node.queue.rounds import result_folder
from demottle.node.queue.shown import files_of_series, one_series
from demottle.node.web.sessions import Session
from demottle.node.web.site import Site, address_of
from demottle.node.web.viewer.frames import Pair, pairs_of
from demottle.node.web.viewer.looks import looks_of, plain
from demottle.node.web.viewer.values import values_of

_REMEMBERED = 4096


def images(site: Site) -> APIRouter:
    """Return the routes."""
    routes, looked = APIRouter(), _Looked(site)

    @routes.get("/api/series/{series}/images")
    def shown(request: Request, series: int, round: int | None = None) -> dict[str, Any]:
        session, found = site.session(request), found_series(site, series)
        rounds = [one for one in found["rounds"] if _made(site, one["id"])]
        chosen = next((one["id"] for one in rounds if round in (None, one["id"])), None)
        pairs = _pairs(site, series, chosen)
        looked.note(request, session, found)
        if not pairs:
            raise HTTPException(404, "There are no images, or they are no longer kept.")
        try:
            looks = plain(looks_of(pairs[len(pairs) // 2]))
        except ValueError as error:
            raise HTTPException(409, f"The images cannot be shown: {error}.") from error
        offered = [{"id": one["id"], "number": one["number"], "method": one["method"]} for one in rounds]
        missing = [place for place, pair in enumerate(pairs) if pair.after is None]
        return {"frames": len(pairs), "round": chosen, "rounds": offered, "missing": missing, **looks}

    @routes.get("/api/series/{series}/images/{place}/{which}")
    def frame(request: Request, series: int, place: int, which: str, round: int | None = None) -> Response:
        session, found = site.session(request), found_series(site, series)
        pairs = _pairs(site, series, round if round in [one["id"] for one in found["rounds"]] else None)
        looked.note(request, session, found)
        if which not in ("before", "after") or not 0 <= place < len(pairs):
            raise HTTPException(404, "There is no such image.")
        wanted = pairs[place].before if which == "before" else pairs[place].after
        if wanted is None:
            raise HTTPException(404, "Nothing was made of this image.")
        try:
            made = values_of(wanted)
        except ValueError as error:
            raise HTTPException(409, f"The image cannot be shown: {error}.") from error
        rows, columns = made.stored.shape
        told = {"kind": made.kind, "rows": rows, "columns": columns, "slope": made.slope, "intercept": made.intercept}
        headers = {f"x-{name}": str(value) for name, value in told.items()}
        return Response(made.stored.tobytes(), media_type="application/octet-stream", headers=headers)

    return routes


def found_series(site: Site, series: int) -> dict[str, Any]:
    """The series of a number.

    Raises:
        HTTPException: 404, there is none.
    """
    found = one_series(site.queue, series) if 0 < series < 2**62 else None
    if found is None:
        raise HTTPException(404, "There is no such series.")
    return found


class _Looked:
    """Notes in the audit log who sees images of which series: once for each session, and not once for each slice."""

    def __init__(self, site: Site) -> None:
        self._site, self._known, self._lock = site, set[tuple[str, int]](), Lock()

    def note(self, request: Request, session: Session, found: dict[str, Any]) -> None:
        with self._lock:
            if (session.id, found["id"]) in self._known:
                return
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known.add((session.id, found["id"]))
        who = session.user.name
        self._site.audit.note("images shown", audit.READ, who, address_of(request), uids=(found["uid"],))


def _made(site: Site, round: int) -> tuple[Path, ...]:
    """The images that a round made, also those that failed the gate; none while they are made, and once they are purged."""
    return tuple(sorted((result_folder(site.told.folder, round) / "images").rglob("*.dcm")))


def _pairs(site: Site, series: int, round: int | None) -> tuple[Pair, ...]:
    before = tuple(site.told.folder / file for file in files_of_series(site.queue, series))
    return pairs_of(before, () if round is None else _made(site, round))
