"""What goes to the archive beside images: valid objects of the result's study that say what the record says."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from tests.io.conftest import program, save  # noqa: F401
from tests.node.conftest import noisy_series

from demottle import io
from demottle.node.documents.paper import paper_of
from demottle.node.work.belonging import write_documents, write_refusal
from demottle.pipeline.request import Request
from demottle.pipeline.result import Result
from demottle.pipeline.run import run
from demottle.quality.limits import Limits

KINDS = ("page", "report", "capture")
Written = tuple[Path, list[Dataset], Result]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A folder with all documents of one result, its sources, and the result."""
    folder = tmp_path_factory.mktemp("documents")
    changes = {"PatientName": "Müller^Jürgen", "SpecificCharacterSet": "ISO_IR 100", "PatientIdentityRemoved": "NO"}
    sources = noisy_series(slices=4, size=64, **changes)
    files = [save(one, folder / "scan" / f"{at}.dcm") for at, one in enumerate(sources)]
    result = run(io.read(folder / "scan"), Request(method="gaussian"))
    result.record["gate"] = result.judged(Limits(noise=0.0001)).to_dict()  # type: ignore[union-attr]
    io.write(result.image, folder / "images", format="dicom")
    write_documents([result], files, folder / "images", folder, KINDS)
    write_refusal([result], files, folder / "images", folder / "refusal", "the noise is too much")
    return folder, sources, result


def _document(written: Written, kind: str) -> Dataset:
    (file,) = (written[0] / kind).iterdir()
    return pydicom.dcmread(file)


@pytest.mark.parametrize("kind", [*KINDS, "refusal"])
def test_dciodvfy_finds_no_error(written: Written, program: Any, kind: str) -> None:  # noqa: F811
    (file,) = (written[0] / kind).iterdir()
    done = subprocess.run([program("dciodvfy"), file], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if line.startswith("Error")] == []


def test_documents_belong_to_patient_and_study_and_are_series_of_their_own(written: Written) -> None:
    folder, sources, _ = written
    result = pydicom.dcmread(next((folder / "images").iterdir()))
    made = [_document(written, kind) for kind in (*KINDS, "refusal")]
    for one in made:
        assert one.StudyInstanceUID == sources[0].StudyInstanceUID and str(one.PatientName) == "Müller^Jürgen"
        assert one.PatientIdentityRemoved == "NO" and one.AccessionNumber == sources[0].get("AccessionNumber", "")
        (equipment,) = one.ContributingEquipmentSequence
        assert "noise reduction, gaussian" in equipment.ContributionDescription
    series = {str(one.SeriesInstanceUID) for one in made} | {str(result.SeriesInstanceUID)}
    assert len(series) == 5 and sources[0].SeriesInstanceUID not in series
    number = int(result.SeriesNumber)
    after = [int(one.SeriesNumber) - number for one in made]
    assert after == [1000, 2000, 3000, 2000]  # a refusal takes the place of the report


def test_the_same_result_has_the_same_documents(written: Written, tmp_path: Path) -> None:
    folder, _, result = written
    write_documents([result], sorted((folder / "scan").iterdir()), folder / "images", tmp_path, ("page", "report"))
    for kind in ("page", "report"):
        (file,) = (tmp_path / kind).iterdir()
        again, first = pydicom.dcmread(file), _document(written, kind)
        assert again.SOPInstanceUID == first.SOPInstanceUID
        if kind == "page":
            assert again.EncapsulatedDocument == first.EncapsulatedDocument


def _children(item: Dataset, name: str) -> list[Dataset]:
    return [one for one in item.ContentSequence if one.get("ConceptNameCodeSequence") and _name(one) == name]


def _name(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeMeaning)


def test_the_report_holds_every_figure_of_the_gate_with_its_limit_and_unit(written: Written) -> None:
    report, gate = _document(written, "report"), written[2].record["gate"]
    (measured,) = _children(report, "Imaging Measurements")
    (group,) = _children(measured, "Measurement Group")
    (verdict,) = _children(group, "Verdict of the gate")
    assert verdict.ConceptCodeSequence[0].CodeValue == "FAILED"
    judged = [one for one in gate["verdicts"] if one["status"] in ("passed", "failed", "not shown")]
    numbers = [one for one in group.ContentSequence if one.ValueType == "NUM" and "ContentSequence" in one]
    assert len(numbers) == len(judged) > 4
    units = {"HU": "[hnsf'U]", "pixels": "{pixels}", "": "1"}
    for one, item in zip(judged, numbers, strict=True):
        (value,) = item.MeasuredValueSequence
        assert value.FloatingPointValue == pytest.approx(one["value"]) == pytest.approx(float(value.NumericValue))
        assert value.MeasurementUnitsCodeSequence[0].CodeValue == units[one["unit"]]
        limit, kept, said = item.ContentSequence
        assert limit.MeasuredValueSequence[0].FloatingPointValue == one["limit"]
        assert kept.ConceptCodeSequence[0].CodeMeaning.lower() == one["status"]
        assert one["what"].replace("\u2212", "-") in said.TextValue


def test_the_report_refers_to_all_images_and_a_refusal_to_the_sources_alone(written: Written) -> None:
    folder, sources, _ = written
    came = {str(one.SOPInstanceUID) for one in sources}
    made = {str(pydicom.dcmread(file).SOPInstanceUID) for file in (folder / "images").iterdir()}
    for kind, wanted in (("report", came | made), ("refusal", came)):
        (library,) = _children(_document(written, kind), "Image Library")
        shown = [
            str(item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
            for group in library.ContentSequence
            for item in group.ContentSequence
            if item.ValueType == "IMAGE"
        ]
        (evidence,) = _document(written, kind).CurrentRequestedProcedureEvidenceSequence
        parts = evidence.ReferencedSeriesSequence
        listed = [str(one.ReferencedSOPInstanceUID) for part in parts for one in part.ReferencedSOPSequence]
        assert sorted(shown) == sorted(listed) == sorted(wanted)
    assert {
        str(one.ReferencedSOPInstanceUID) for one in _document(written, "page").SourceInstanceSequence
    } == came | made


def test_a_refusal_says_why(written: Written) -> None:
    (measured,) = _children(_document(written, "refusal"), "Imaging Measurements")
    (said,) = _children(measured, "Comment")
    assert "not sent: the noise is too much." in said.TextValue


def test_dcmtk_reads_the_reports(written: Written, program: Any) -> None:  # noqa: F811
    for kind in ("report", "refusal"):
        (file,) = (written[0] / kind).iterdir()
        done = subprocess.run([program("dsrdump"), file], capture_output=True, check=False)
        assert done.returncode == 0 and b"Verdict of the gate" in done.stdout and done.stderr == b""


def test_another_library_reads_the_report_as_a_measurement_report(written: Written) -> None:
    from highdicom.sr import srread

    (file,) = (written[0] / "report").iterdir()
    (group,) = srread(file).content.get_image_measurement_groups()
    judged = [
        one for one in written[2].record["gate"]["verdicts"] if one["status"] not in ("not measured", "not asked")
    ]
    assert len(group.get_measurements()) == 2 + len(judged)  # the noise before and after
    assert [one.value.meaning for one in group.get_qualitative_evaluations()] == ["Failed"]


def test_the_page_can_be_read_as_text_and_holds_no_name(written: Written, tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed; on Debian: apt-get install poppler-utils")
    page = _document(written, "page")
    (tmp_path / "page.pdf").write_bytes(page.EncapsulatedDocument[: page.EncapsulatedDocumentLength])
    done = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True, check=True
    )
    assert "Gate failed" in done.stdout and "noise after over noise before" in done.stdout
    assert "ller" not in done.stdout and str(page.PatientID) not in done.stdout


def test_a_long_table_and_several_volumes_take_more_pages(written: Written) -> None:
    result = written[2]
    gate = result.record["gate"]
    longer = replace(result, record={**result.record, "gate": {**gate, "verdicts": gate["verdicts"] * 6}})
    pages = [len(re.findall(rb"/Type /Page\b", paper_of(several, "1.2.3"))) for several in ([result], [longer, result])]
    assert pages == [1, 3]
