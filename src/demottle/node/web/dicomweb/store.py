"""STOW-RS: objects come in over HTTP, into the same store and queue as over C-STORE, acknowledged when they lie on the disk."""

import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from demottle.errors import InputError
from demottle.node import audit
from demottle.node.disk import has_room, room
from demottle.node.log import complain, plain
from demottle.node.network.keeping import is_uid, keep, look
from demottle.node.network.receiving import BROKEN, CLASSES, MISMATCH, NO_ROOM, NOT_UNDERSTOOD, SYNTAXES
from demottle.node.web.dicomweb.multipart import DICOM, Part, boundary_of, parts_of
from demottle.node.web.site import Site, address_of

NO_CLASS, NO_SYNTAX = 0x0122, 0xC122
_PIECE = 1 << 20
Outcome = dict[str, Any]


def store(site: Site) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/dicomweb")

    @routes.post("/studies")
    async def anywhere(request: Request) -> JSONResponse:
        return await _came(site, request, None)

    @routes.post("/studies/{study}")
    async def into(request: Request, study: str) -> JSONResponse:
        if not is_uid(study):
            raise HTTPException(400, "The study is not a UID.")
        return await _came(site, request, study)

    return routes


async def _came(site: Site, request: Request, study: str | None) -> JSONResponse:
    """Take the body to the disk as it comes, then look at it."""
    caller = await run_in_threadpool(site.sender, request)
    try:
        boundary = boundary_of(request.headers.get("content-type", ""))
    except InputError as error:
        raise HTTPException(415, str(error)) from error
    if not has_room(site.told.folder, site.told.reserve):
        full = f"the disk is nearly full, {room(site.told.folder, site.told.reserve)}"
        complain(f"refused objects over DICOMweb: {full}")
        raise HTTPException(503, "The disk is nearly full.", {"retry-after": "600"})
    body = site.told.folder / "incoming" / f"web-{secrets.token_hex(8)}"
    try:
        with body.open("xb") as stream:
            async for piece in request.stream():
                await run_in_threadpool(stream.write, piece)
        return await run_in_threadpool(_stored, site, body, boundary, study, caller, address_of(request))
    except InputError as error:
        raise HTTPException(400, str(error)) from error
    except OSError as error:
        complain(f"refused objects over DICOMweb: {type(error).__name__}")
        raise HTTPException(503, "The disk does not take it.", {"retry-after": "600"}) from error
    finally:
        body.unlink(missing_ok=True)


def _stored(site: Site, body: Path, boundary: str, study: str | None, caller: str, where: str) -> JSONResponse:
    done: list[Outcome] = []
    for number, part in enumerate(parts_of(body, boundary)):
        aside = body.with_name(f"{body.name}-{number}")
        try:
            done.append(_one(site, _cut(body, aside, part), part, study, caller))
        finally:
            aside.unlink(missing_ok=True)
    if not done:
        raise InputError("The body holds no objects.")
    kept = [one for one in done if not one["code"]]
    series = tuple(sorted({one["series"] for one in kept}))
    refused = len(done) - len(kept)
    said = f"{len(kept)} objects" + (f", {refused} refused" if refused else "")
    outcome = audit.MINOR if refused else audit.SUCCESS
    site.audit.note("objects stored", audit.CREATE, caller, where, uids=series[:100], outcome=outcome, said=said)
    if refused:
        reasons = sorted({one["said"] for one in done if one["code"]})
        complain(f"refused {refused} objects over DICOMweb from {plain(caller, 16)}: {', '.join(reasons)}")
    code = 200 if not refused else 202 if kept else 409
    return JSONResponse(_answer(done), code, media_type="application/dicom+json")


def _cut(body: Path, aside: Path, part: Part) -> Path:
    with body.open("rb") as source, aside.open("xb") as target:
        source.seek(part.start)
        for piece in _pieces(part.stop - part.start):
            target.write(source.read(piece))
    return aside


def _pieces(size: int) -> Iterator[int]:
    while size > 0:
        yield min(size, _PIECE)
        size -= _PIECE


def _one(site: Site, file: Path, part: Part, study: str | None, caller: str) -> Outcome:
    """Keep one object; return its UIDs, and a code and the reason where it is refused."""
    if part.kind != DICOM:
        return _refused({}, NOT_UNDERSTOOD, "a part is not application/dicom")
    if not _has_meta(file):
        return _refused({}, NOT_UNDERSTOOD, "not a DICOM file with the length of its meta information")
    looked = look(file)
    found = dict(looked.found)
    if looked.wrong:
        return _refused(found, NOT_UNDERSTOOD, looked.wrong)
    if study is not None and found["StudyInstanceUID"] != study:
        return _refused(found, MISMATCH, "of another study than the address says")
    if found["SOPClassUID"] not in CLASSES:
        return _refused(found, NO_CLASS, "its SOP class is not taken")
    if found["TransferSyntaxUID"] not in SYNTAXES:
        return _refused(found, NO_SYNTAX, "its transfer syntax is not taken")
    try:
        keep(site.told, site.queue, file, found, caller=caller, syntax=found["TransferSyntaxUID"], urgent=False)
    except (OSError, sqlite3.Error) as error:
        complain(f"refused an object over DICOMweb: {type(error).__name__}")
        return _refused(found, NO_ROOM, "the disk does not take it")
    except Exception as error:  # whatever a header wakes must not lose what came with it
        complain(f"refused an object over DICOMweb: {type(error).__name__}")
        return _refused(found, BROKEN, "it cannot be processed")
    return {
        "class": found["SOPClassUID"],
        "uid": found["SOPInstanceUID"],
        "series": found["SeriesInstanceUID"],
        "code": 0,
    }


def _has_meta(file: Path) -> bool:
    with file.open("rb") as stream:
        head = stream.read(144)
    return len(head) == 144 and head[128:140] == b"DICM\x02\x00\x00\x00UL\x04\x00"


def _refused(found: dict[str, str], code: int, said: str) -> Outcome:
    named = {key: found.get(name, "") for key, name in (("class", "SOPClassUID"), ("uid", "SOPInstanceUID"))}
    return {key: value if is_uid(value) else "" for key, value in named.items()} | {"code": code, "said": said}


def _answer(done: list[Outcome]) -> dict[str, Any]:
    """The Store Instances Response of PS3.18."""
    answer: dict[str, Any] = {}
    for name, failed in (("00081199", False), ("00081198", True)):
        items = []
        for one in done:
            if bool(one["code"]) == failed:
                item = {"00081150": _uid(one["class"]), "00081155": _uid(one["uid"])}
                items.append({**item, "00081197": {"vr": "US", "Value": [one["code"]]}} if failed else item)
        if items:
            answer[name] = {"vr": "SQ", "Value": items}
    return answer


def _uid(text: str) -> dict[str, Any]:
    return {"vr": "UI", "Value": [text]} if text else {"vr": "UI"}
