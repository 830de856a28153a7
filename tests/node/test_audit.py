"""The audit log of what comes over DICOM: which AE sent which objects, from where, and what was refused; no names of patients."""

import json
from typing import Any

from tests.node.conftest import associated, noisy_series, send, until

from demottle.node.audit import Audit
from demottle.node.network import receiving, transfers
from demottle.node.queue import shown


def lines(told: Any) -> list[tuple[str, str, int, list[str], str]]:
    found = [json.loads(line) for line in (told.folder / "audit.jsonl").read_text().splitlines()]
    assert all(one["where"] == "127.0.0.1" and one["when"] for one in found)
    return [(one["event"], one["who"], one["outcome"], one["what"], one["said"]) for one in found]


def test_who_sent_which_objects_is_noted_before_and_after(receiver) -> None:
    server, _, told = receiver()
    first, second = noisy_series("1", 3), noisy_series("2", 1)
    association = associated(server.port)
    assert association.send_c_store(first[0]).Status == 0
    series = str(first[0].SeriesInstanceUID), str(second[0].SeriesInstanceUID)
    assert lines(told) == [("objects coming", "CT1", 0, [series[0]], "")]
    for one in (*first[1:], *second):
        assert association.send_c_store(one).Status == 0
    association.release()
    until(lambda: len(lines(told)) == 4)
    uids = [str(one.SOPInstanceUID) for one in first]
    assert lines(told)[2:] == [
        ("objects stored", "CT1", 0, [series[0], *uids], "3 objects over DICOM"),
        ("objects stored", "CT1", 0, [series[1], str(second[0].SOPInstanceUID)], "1 objects over DICOM"),
    ]


def test_what_is_refused_is_noted_with_the_reason(receiver, monkeypatch) -> None:
    server, _, told = receiver()
    broken, good, other = noisy_series(slices=3)
    del broken.StudyInstanceUID
    assert send(server.port, [broken, good]) == [0xC000, 0]
    monkeypatch.setattr(receiving, "has_room", lambda folder, reserve: False)
    assert send(server.port, [other]) == [0xA700]
    assert associated(server.port, "CT2").is_rejected
    assert associated(server.port, called="OTHER").is_rejected
    until(lambda: len(lines(told)) == 6)
    refused = [line for line in lines(told) if line[2] == 4]
    assert refused == [
        ("object refused", "CT1", 4, [str(broken.SOPInstanceUID)], "0xC000: StudyInstanceUID is missing or not a UID"),
        ("object refused", "CT1", 4, [str(other.SOPInstanceUID)], "0xA700: the disk is nearly full"),
        ("association refused", "CT2", 4, [], "is not listed"),
        ("association refused", "CT1", 4, [], "called OTHER, which is not this node"),
    ]


def test_an_association_that_breaks_off_is_noted_and_a_long_one_in_pieces(receiver, monkeypatch) -> None:
    monkeypatch.setattr(transfers, "_MOST", 2)
    server, _, told = receiver()
    association = associated(server.port)
    for one in noisy_series(slices=3):
        assert association.send_c_store(one).Status == 0
    association.abort()
    until(lambda: len(lines(told)) == 3)
    assert [line[4] for line in lines(told)] == ["", "2 objects over DICOM", "1 objects over DICOM"]


def test_nothing_is_acknowledged_that_cannot_be_noted(receiver, monkeypatch) -> None:
    server, _, told = receiver()

    def full(*given: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Audit, "note", full)
        assert send(server.port, noisy_series(slices=1)) == [0xA700]
    assert send(server.port, noisy_series(slices=1)) == [0]
    assert [line[0] for line in lines(told)][:1] == ["objects coming"]


def test_what_goes_out_is_noted_with_series_objects_and_destination(due, pacs, told) -> None:
    archive = pacs(answer=lambda dataset: 0xC000 if str(dataset.InstanceNumber) == "2" else 0)
    queue, uids = due(pacs=archive.port)
    until(lambda: shown.sends_of(queue, 1)["pacs"].get("arrived") == 2)
    found = until(lambda: [line for line in lines(told(pacs=archive.port)[0]) if line[0] == "objects sent"])
    series = str(archive.came[0].SeriesInstanceUID)
    assert found == [("objects sent", "DEMOTTLE", 0, [series, uids[0], uids[2]], "to pacs: 2 objects")]
    before = lines(told(pacs=archive.port)[0])
    assert before[0] == ("objects going", "DEMOTTLE", 0, [series], "to pacs")
    assert before[1] == ("object not taken", "DEMOTTLE", 4, [uids[1]], "to pacs: it refused (0xC000)")


def test_no_name_of_a_patient_is_in_the_audit_log_and_nobody_else_reads_it(receiver) -> None:
    server, _, told = receiver()
    name = "Mustermann-Secret"
    send(server.port, noisy_series(slices=1, PatientName=name, PatientID="geheim1", SeriesDescription=name))
    send(server.port, noisy_series(slices=1, PatientName=name, StudyInstanceUID=None))
    held = (told.folder / "audit.jsonl").read_text()
    assert name not in held and "geheim1" not in held
    assert (told.folder / "audit.jsonl").stat().st_mode & 0o077 == 0
