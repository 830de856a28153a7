"""QIDO-RS: which studies, series and objects the node holds."""

from fnmatch import fnmatchcase
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from demottle.node import audit
from demottle.node.web.dicomweb.held import Held, held
from demottle.node.web.headers import described
from demottle.node.web.site import Site, address_of

_STUDY = (
    *("StudyDate", "StudyTime", "AccessionNumber", "PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyInstanceUID", "StudyID", "StudyDescription"),
)
_SERIES = ("Modality", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber")
_OBJECT = ("SOPClassUID", "SOPInstanceUID", "InstanceNumber", "Rows", "Columns", "NumberOfFrames")
MATCHED = (*_STUDY, *_SERIES, *_OBJECT)
"""What a query may ask for (docs/conformance.md)."""
_LEVELS = {
    "studies": _STUDY,
    "series": ("StudyInstanceUID", *_SERIES),
    "instances": ("StudyInstanceUID", *_SERIES, *_OBJECT),
}
_KEYS = {"studies": "study", "series": "series", "instances": "uid"}
_MOST = 1000
Found = dict[str, str]


def query(site: Site) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/dicomweb")

    @routes.get("/studies")
    def studies(request: Request) -> JSONResponse:
        return _answer(site, request, "studies")

    @routes.get("/series")
    def series(request: Request) -> JSONResponse:
        return _answer(site, request, "series")

    @routes.get("/instances")
    def instances(request: Request) -> JSONResponse:
        return _answer(site, request, "instances")

    @routes.get("/studies/{study}/series")
    def series_of(request: Request, study: str) -> JSONResponse:
        return _answer(site, request, "series", study)

    @routes.get("/studies/{study}/instances")
    def instances_of(request: Request, study: str) -> JSONResponse:
        return _answer(site, request, "instances", study)

    @routes.get("/studies/{study}/series/{series}/instances")
    def instances_in(request: Request, study: str, series: str) -> JSONResponse:
        return _answer(site, request, "instances", study, series)

    return routes


def _answer(
    site: Site, request: Request, level: str, study: str | None = None, series: str | None = None
) -> JSONResponse:
    who = site.reader(request)
    wanted, most, offset = _wanted(request)
    groups: dict[str, list[Held]] = {}
    for one in held(site, study or wanted.get("StudyInstanceUID"), series or wanted.get("SeriesInstanceUID")):
        groups.setdefault(getattr(one, _KEYS[level]), []).append(one)
    found = []
    for group in groups.values():
        told = described(group[0].file)
        if told and all(_matches(told.get(name, ""), pattern) for name, pattern in wanted.items()):
            found.append(_shown(told, level, group))
        if len(found) >= offset + most:
            break
    uids = tuple(uid for uid in (study, series) if uid)
    site.audit.note("query", audit.EXECUTE, who, address_of(request), uids=uids, said=level)
    return JSONResponse(found[offset:], media_type="application/dicom+json")


def _wanted(request: Request) -> tuple[Found, int, int]:
    """Attributes to match, by keyword, with limit and offset."""
    wanted, numbers = {}, {"limit": _MOST, "offset": 0}
    for name, value in request.query_params.items():
        if name in numbers:
            if not (value.isascii() and value.isdigit() and len(value) < 10):
                raise HTTPException(400, f"{name} has to be a whole number.")
            numbers[name] = int(value)
        elif name not in ("includefield", "fuzzymatching"):
            keyword = keyword_for_tag(name) if len(name) == 8 and _hex(name) else name
            if keyword not in MATCHED:
                raise HTTPException(400, "The query asks for an attribute that this node does not match.")
            wanted[keyword] = value
    return wanted, min(numbers["limit"], _MOST), numbers["offset"]


def _hex(text: str) -> bool:
    return all(one in "0123456789abcdefABCDEF" for one in text)


def _matches(value: str, pattern: str) -> bool:
    """Single values, `*` and `?`; ranges of dates with a dash."""
    low, dash, high = pattern.partition("-")
    if dash and (low + high).isdigit():
        return bool(value) and (not low or low <= value) and (not high or value <= high)
    escaped = pattern.replace("[", "[[]")  # the rest of fnmatch's language is not DICOM's
    return not pattern or fnmatchcase(value.casefold(), escaped.casefold())


def _shown(told: Found, level: str, group: list[Held]) -> dict[str, Any]:
    shown = {name: told.get(name, "") for name in _LEVELS[level]}
    if level == "studies":
        series = {one.series: one for one in group}
        shown["ModalitiesInStudy"] = "\\".join(
            sorted({described(one.file).get("Modality", "OT") for one in series.values()})
        )
        shown["NumberOfStudyRelatedSeries"], shown["NumberOfStudyRelatedInstances"] = str(len(series)), str(len(group))
    elif level == "series":
        shown["NumberOfSeriesRelatedInstances"] = str(len(group))
    return dict(sorted(_element(name, value) for name, value in shown.items()))


def _element(keyword: str, text: str) -> tuple[str, dict[str, Any]]:
    """An attribute in DICOM's JSON."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    kind = dictionary_VR(tag)
    if not text:
        return f"{tag:08X}", {"vr": kind}
    values: list[Any] = text.split("\\")
    if kind in ("IS", "US"):
        values = [int(float(one)) for one in values]
    elif kind == "PN":
        values = [{"Alphabetic": one} for one in values]
    return f"{tag:08X}", {"vr": kind, "Value": values}
