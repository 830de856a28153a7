"""WADO-RS: objects as they lie on the disk, and their headers as JSON."""

import secrets
from typing import Any

import pydicom
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from demottle.node import audit
from demottle.node.web.dicomweb.held import Held, held
from demottle.node.web.dicomweb.multipart import DICOM, joined
from demottle.node.web.site import Site, address_of

_BULK = 4096


def retrieve(site: Site) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/dicomweb")
    study, series, instance = "/studies/{study}", "/series/{series}", "/instances/{uid}"

    @routes.get(study + "/metadata")
    @routes.get(study + series + "/metadata")
    @routes.get(study + series + instance + "/metadata")
    def metadata(request: Request, study: str, series: str | None = None, uid: str | None = None) -> Response:
        who, found = site.reader(request), _found(site, study, series, uid)
        _noted(site, request, who, "headers read", (study, series, uid))
        return JSONResponse([_header(one) for one in found], media_type="application/dicom+json")

    @routes.get(study)
    @routes.get(study + series)
    @routes.get(study + series + instance)
    def objects(request: Request, study: str, series: str | None = None, uid: str | None = None) -> Response:
        who, found = site.reader(request), _found(site, study, series, uid)
        accept = request.headers.get("accept", "*/*").lower()
        if not any(kind in accept for kind in ("*/*", "multipart/*", "multipart/related")) or "image/" in accept:
            raise HTTPException(
                406, f'Only multipart/related; type="{DICOM}" is given, in the transfer syntax that is stored.'
            )
        _noted(site, request, who, "objects read", (study, series, uid))
        boundary = secrets.token_hex(16)
        kind = f'multipart/related; type="{DICOM}"; boundary={boundary}'
        return StreamingResponse(joined([(one.file, one.syntax) for one in found], boundary), media_type=kind)

    return routes


def _found(site: Site, study: str, series: str | None, uid: str | None) -> list[Held]:
    found = [one for one in held(site, study, series, uid) if one.file.is_file()]
    if not found:
        raise HTTPException(404, "The node does not hold this.")
    return found


def _header(one: Held) -> dict[str, Any]:
    """The header without pixels and without other large values."""
    header = pydicom.dcmread(one.file, stop_before_pixels=True)
    for element in list(header):
        if element.VR in ("OB", "OW", "OF", "OD", "OL", "OV", "UN") and len(element.value or b"") > _BULK:
            del header[element.tag]
    found: dict[str, Any] = header.to_json_dict(suppress_invalid_tags=True)
    return found


def _noted(site: Site, request: Request, who: str, what: str, uids: tuple[str | None, ...]) -> None:
    site.audit.note(what, audit.READ, who, address_of(request), uids=tuple(uid for uid in uids if uid))
