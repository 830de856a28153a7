"""The page on paper as an object for the archive: Encapsulated PDF."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from demottle.node.documents.header import Document, Reference, new_document
from demottle.node.documents.paper import paper_of

if TYPE_CHECKING:
    from demottle.pipeline.result import Result

_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"


def pdf_object(results: "Sequence[Result]", header: Dataset, shown: Sequence[Reference]) -> Dataset:
    """Return the pages of a result as an object.

    Args:
        results: one for each volume.
        header: of an object of the result.
        shown: the objects of the result, and those it was made from.
    """
    made = new_document(header, Document("page", _CLASS, "DOC", "demottle: page, before, after, gate", 1000))
    made.ConversionType, made.BurnedInAnnotation = "WSD", "NO"
    made.AcquisitionDateTime = None
    made.DocumentTitle = "demottle: before, after, gate"
    made.ConceptNameCodeSequence = Items([])
    made.SourceInstanceSequence = Items([_instance(one) for one in shown])
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    pdf = paper_of(results, f"Series {header.SeriesInstanceUID}")
    made.EncapsulatedDocumentLength = len(pdf)
    made.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return made


def _instance(one: Reference) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = one.sop_class, one.uid
    return item
