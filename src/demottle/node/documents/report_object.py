"""The gate's limits and figures as a Comprehensive SR after TID 1500 (Measurement Report), with the images they are of."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from demottle import __version__
from demottle.io.dicom.headers.header import declare_scheme
from demottle.io.dicom.headers.marks import plain
from demottle.io.dicom.headers.uids import uid_from
from demottle.node.documents import content
from demottle.node.documents.content import ACQUIRED, MODIFIES, OBSERVED, PROPERTIES, Code, dcm, own
from demottle.node.documents.header import Document, Reference, new_document

_CLASS = "1.2.840.10008.5.1.4.1.1.88.33"
_COMMENT = dcm("121106", "Comment")
_DEVICE = uid_from("demottle", "device")
_PROCEDURES = {
    "CT": Code("77477000", "SCT", "Computed tomography"),
    "MR": Code("113091000", "SCT", "Magnetic resonance imaging"),
}
_FLUOROSCOPY = Code("44491008", "SCT", "Fluoroscopy")
_WORDS = {
    "passed": own("PASSED", "Passed"),
    "failed": own("FAILED", "Failed"),
    "passed with warnings": own("PASSED_WARNINGS", "Passed with warnings"),
    "not shown": own("NOT_SHOWN", "Not shown"),
}
_NOT_JUDGED = own("NOT_JUDGED", "Not judged")


def report_object(
    records: Sequence[Mapping[str, Any]],
    header: Dataset,
    sources: Sequence[Reference],
    results: Sequence[Reference],
    *,
    refused: str = "",
) -> Dataset:
    """Return the report on a result.

    Args:
        records: `run.json` of each volume.
        header: of an object of the result.
        sources: the objects it was made from.
        results: the objects of the result that are sent; none where it is not sent.
        refused: why it is not; empty: it is.
    """
    told = "demottle: NOT denoised, the gate failed" if refused else "demottle: figures of the gate"
    kind = "refusal" if refused else "report"
    made = new_document(header, Document(kind, _CLASS, "SR", told, 2000))
    made.CompletionFlag, made.VerificationFlag = "COMPLETE", "UNVERIFIED"
    made.ReferencedPerformedProcedureStepSequence = Items([])
    made.PerformedProcedureCodeSequence = Items([])
    study = str(header.StudyInstanceUID)
    made.CurrentRequestedProcedureEvidenceSequence = Items([_evidence(study, [*sources, *results])])
    declare_scheme(made)
    modality = str(header.Modality)
    groups = [_group(record, at, str(header.SeriesInstanceUID)) for at, record in enumerate(records, 1)]
    summary = [content.text(_COMMENT, _summary(refused))]
    root = content.container(
        dcm("126000", "Imaging Measurement Report"),
        [
            *_context(modality),
            _library(modality, sources, results),
            content.container(dcm("126010", "Imaging Measurements"), [*summary, *groups]),
        ],
    )
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "1500"
    made.ContentTemplateSequence = Items([template])
    del root.RelationshipType
    made.update(root)
    return made


def _summary(refused: str) -> str:
    more = "Research software, not a medical device, not for diagnosis."
    if refused:
        return f"The series was denoised, and the result is not sent: {refused}. {more}"
    return f"What was measured on the denoised series, held against the limits of demottle's gate. {more}"


def _context(modality: str) -> list[Dataset]:
    """Language, who observed, and what procedure (TID 1204, 1001, 1500)."""
    english = Code("en-US", "RFC5646", "English (United States)")
    return [
        content.word(dcm("121049", "Language of Content Item and Descendants"), english, MODIFIES),
        content.word(dcm("121005", "Observer Type"), dcm("121007", "Device"), OBSERVED),
        content.uid(dcm("121012", "Device Observer UID"), _DEVICE, OBSERVED),
        content.text(dcm("121013", "Device Observer Name"), "demottle", OBSERVED),
        content.text(dcm("121014", "Device Observer Manufacturer"), "demottle developers", OBSERVED),
        content.text(dcm("121015", "Device Observer Model Name"), f"demottle {__version__}", OBSERVED),
        content.word(dcm("121058", "Procedure reported"), _PROCEDURES.get(modality, _FLUOROSCOPY), MODIFIES),
    ]


def _library(modality: str, sources: Sequence[Reference], results: Sequence[Reference]) -> Dataset:
    """The images that the figures are of (TID 1600): what came, and what was made of it."""
    groups = []
    for said, images in (("Source images", sources), ("Denoised images", results)):
        if images:
            told = [
                content.word(dcm("121139", "Modality"), dcm(modality, _MODALITIES.get(modality, modality)), ACQUIRED),
                content.text(_COMMENT, said, ACQUIRED),
            ]
            shown = [content.image(one.sop_class, one.uid) for one in images]
            groups.append(content.container(dcm("126200", "Image Library Group"), [*told, *shown]))
    return content.container(dcm("111028", "Image Library"), groups)


_MODALITIES = {
    "CT": "Computed Tomography",
    "MR": "Magnetic Resonance",
    "XA": "X-Ray Angiography",
    "RF": "Radiofluoroscopy",
}


def _group(record: Mapping[str, Any], number: int, series: str) -> Dataset:
    """The figures of one volume (TID 1501): the algorithm, the verdict, noise, and each limit with what was found."""
    gate = record.get("gate")
    settings = json.dumps(plain(record.get("settings", {})), sort_keys=True)
    verdict = _NOT_JUDGED if not isinstance(gate, Mapping) else _WORDS[gate["state"]]
    items = [
        content.text(dcm("112039", "Tracking Identifier"), f"volume {number}", OBSERVED),
        content.uid(dcm("112040", "Tracking Unique Identifier"), uid_from("volume", series, number), OBSERVED),
        content.text(dcm("111001", "Algorithm Name"), f"demottle {record.get('method')}", MODIFIES),
        content.text(dcm("111003", "Algorithm Version"), str(record.get("version", __version__)), MODIFIES),
        content.text(dcm("111002", "Algorithm Parameters"), settings, MODIFIES),
        content.word(own("GATE", "Verdict of the gate"), verdict),
        *_noise(record),
    ]
    verdicts = gate["verdicts"] if isinstance(gate, Mapping) else ()
    items += [_limit(one) for one in verdicts if one["status"] in _WORDS]
    unknown = [f"{one['what']} ({one['why']})" for one in verdicts if one["status"] not in _WORDS]
    if unknown:
        items.append(content.text(_COMMENT, f"Not measured: {'; '.join(unknown)}"))
    items += [content.text(_COMMENT, str(warning)) for warning in record.get("warnings") or ()]
    return content.container(dcm("125007", "Measurement Group"), items)


def _noise(record: Mapping[str, Any]) -> Iterator[Dataset]:
    check = record.get("check") or {}
    found = check.get("noise") or {}
    unit = content.unit_of("HU" if check.get("unit") == "HU" else "")
    for key, name in (
        ("before", own("NOISE_BEFORE", "Standard deviation of the noise before")),
        ("after", own("NOISE_AFTER", "Standard deviation of the noise after")),
    ):
        value = found.get(key) if isinstance(found, Mapping) else None
        if isinstance(value, int | float):
            yield content.number(name, value, unit)


def _limit(verdict: Mapping[str, Any]) -> Dataset:
    """One limit: what was found, and below it the limit, whether it was kept, and what it is, in words."""
    unit, said = content.unit_of(verdict["unit"]), verdict["what"]
    if verdict.get("interval"):
        low, high = verdict["interval"]
        if low is not None and high is not None:
            said += f"; 90 % interval {low:.4g} to {high:.4g}"
    below = [
        content.number(own("GATE_LIMIT", "Largest size that passes"), verdict["limit"], unit, relation=PROPERTIES),
        content.word(own("GATE_STATUS", "Limit kept"), _WORDS[verdict["status"]], PROPERTIES),
        content.text(_COMMENT, said, PROPERTIES),
    ]
    return content.number(_name(verdict["name"]), verdict["value"], unit, below)


def _name(limit: str) -> Code:
    """The coded name of a limit; a code has 16 characters at most."""
    return own(limit.upper().replace("CT_NUMBER_", "CT_")[:16], limit.replace("_", " ").replace("ct ", "CT "))


def _evidence(study: str, used: Sequence[Reference]) -> Dataset:
    """All objects that the report refers to, by series (PS3.3 C.17.2)."""
    made = Dataset()
    made.StudyInstanceUID, made.ReferencedSeriesSequence = study, Items([])
    for series, members in groupby(sorted(used, key=lambda one: one.series), key=lambda one: one.series):
        listed = Dataset()
        listed.SeriesInstanceUID, listed.ReferencedSOPSequence = series, Items([])
        for one in members:
            item = Dataset()
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = one.sop_class, one.uid
            listed.ReferencedSOPSequence.append(item)
        made.ReferencedSeriesSequence.append(listed)
    return made
