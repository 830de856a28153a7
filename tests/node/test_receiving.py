"""What comes in: only from who is listed, acknowledged only when it is kept, kept as it came; whatever else comes, it runs on."""

import contextlib
import json
import logging
import socket
import sqlite3
import time

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE
from tests.node.conftest import associated, noisy_series, send, stored, until

from demottle.node.network import keeping, receiving, transport
from demottle.node.queue import shown
from demottle.node.queue.arrivals import complete_series


def test_objects_are_kept_as_they_came(receiver, tmp_path) -> None:
    server, queue, told = receiver()
    sent = noisy_series()
    assert send(server.port, sent) == [0] * 5
    held = {one.SOPInstanceUID: one for one in stored(told.folder)}
    assert {uid: held[uid].PixelData for uid in held} == {one.SOPInstanceUID: one.PixelData for one in sent}
    assert all(dict(held[one.SOPInstanceUID]).keys() == dict(one).keys() for one in sent)
    (series,) = shown.list_series(queue)
    assert (series["instances"], series["caller"], series["modality"]) == (5, "CT1", "CT")
    assert list((told.folder / "incoming").iterdir()) == []


def test_who_is_not_listed_is_refused_and_logged(receiver, caplog) -> None:
    server, queue, _ = receiver()
    with caplog.at_level(logging.WARNING, "demottle.node"):
        assert associated(server.port, "CT2").is_rejected
        assert associated(server.port, called="OTHER").is_rejected
        assert associated(server.port, "%s'$(id)`{}<b>").is_rejected
    said = [record.message for record in caplog.records]
    assert said[2].startswith("refused %s'$(id)`{}<b> at")
    assert said[0] == "refused CT2 at 127.0.0.1: is not listed" and "called OTHER" in said[1]
    assert all(part.isprintable() for part in said) and len(said) == 3
    assert shown.list_series(queue) == []


def test_a_title_that_no_title_may_be_ends_the_connection(receiver, caplog) -> None:
    server, _, _ = receiver()
    context = b"\x10\x00\x00\x151.2.840.10008.3.1.1.1"
    offered = b"\x30\x00\x00\x111.2.840.10008.1.1\x40\x00\x00\x111.2.840.10008.1.2"
    offered = b"\x20\x00" + (4 + len(offered)).to_bytes(2) + b"\x01\x00\x00\x00" + offered
    user = b"\x50\x00\x00\x08\x51\x00\x00\x04\x00\x00\x40\x00"
    body = b"\x00\x01\x00\x00" + b"DEMOTTLE        " + b"\x1b[31mCT1\n\\\xff    " + bytes(32) + context + offered + user
    with caplog.at_level(logging.DEBUG), socket.create_connection(("127.0.0.1", server.port), 5) as one:
        one.sendall(b"\x01\x00" + len(body).to_bytes(4) + body)
        one.settimeout(10)
        assert one.recv(1) in (b"\x03", b"\x07", b"")  # rejected, aborted or closed
    assert all(record.getMessage().isprintable() for record in caplog.records)
    assert send(server.port, noisy_series(slices=1)) == [0]


def test_an_address_that_is_not_listed_gets_no_answer_at_all(receiver) -> None:
    from tests.node.conftest import TOML

    server, _, _ = receiver(text=TOML.replace('address = "127.0.0.1"\n[[dest', 'address = "10.1.0.0/16"\n[[dest'))
    with socket.create_connection(("127.0.0.1", server.port), 5) as one:
        one.settimeout(5)
        assert one.recv(10) == b""


def test_an_object_that_comes_twice_is_acknowledged_twice_and_held_once(receiver) -> None:
    server, queue, told = receiver()
    sent = noisy_series(slices=2)
    other = noisy_series(slices=1)[0]
    other.PixelData = bytes(len(other.PixelData))
    assert send(server.port, [*sent, *sent, other]) == [0] * 5
    (series,) = shown.list_series(queue)
    assert (series["instances"], series["others"], len(stored(told.folder))) == (2, 1, 3)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"StudyInstanceUID": None}, receiving.NOT_UNDERSTOOD),
        ({"SeriesInstanceUID": None}, receiving.NOT_UNDERSTOOD),
        ({"SeriesInstanceUID": "../../../etc"}, receiving.NOT_UNDERSTOOD),
        ({"SeriesInstanceUID": "1." * 40 + "1"}, receiving.NOT_UNDERSTOOD),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_objects_without_uids_are_refused(receiver, changes, status) -> None:
    server, queue, told = receiver()
    broken, good = noisy_series(slices=2)
    for name, value in changes.items():
        if value is None:
            del broken[name]
        else:
            setattr(broken, name, value)
    assert send(server.port, [broken, good]) == [status, 0]
    assert len(stored(told.folder)) == 1 and shown.counts(queue)["objects"] == 1
    assert list((told.folder / "incoming").iterdir()) == []


def test_a_full_disk_is_answered_with_a700(receiver, monkeypatch) -> None:
    server, queue, told = receiver()

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    def stuck(*arguments: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    (one,) = noisy_series(slices=1)
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "settle", full)
        assert send(server.port, [one]) == [0xA700]
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "arrived", stuck)
        assert send(server.port, [one]) == [0xA700]
    with monkeypatch.context() as patch:
        patch.setattr(receiving, "has_room", lambda folder, reserve: False)
        assert send(server.port, [one]) == [0xA700]
    assert shown.counts(queue)["objects"] == 0
    assert send(server.port, [one]) == [0]
    assert shown.counts(queue)["objects"] == 1
    (name,) = shown.files_of_series(queue, 1)
    assert pydicom.dcmread(told.folder / name).PixelData == one.PixelData


def test_a_syntax_that_cannot_be_read_is_refused_in_negotiation(receiver) -> None:
    server, _, _ = receiver()
    entity = AE("CT1")
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.4.102")  # MPEG-4
    entity.add_requested_context("1.2.840.10008.1.1")
    association = entity.associate("127.0.0.1", server.port, ae_title="DEMOTTLE")
    assert [str(one.abstract_syntax) for one in association.accepted_contexts] == ["1.2.840.10008.1.1"]
    assert association.send_c_echo().Status == 0
    association.release()


def test_garbage_and_half_open_connections_cost_nothing(receiver, monkeypatch, caplog) -> None:
    monkeypatch.setattr(transport, "PATIENCE", 2.0)
    monkeypatch.setattr(transport, "GREETING", 2.0)
    server, queue, told = receiver()
    sockets = []
    for content in (b"", b"\x01", b"GET / HTTP/1.1\r\n\r\n", b"\x04\x00\xff\xff\xff\xff" + b"x" * 100, bytes(1000)):
        one = socket.create_connection(("127.0.0.1", server.port), 5)
        one.sendall(content)
        sockets.append(one)
    assert send(server.port, noisy_series(slices=2)) == [0, 0]
    for one in sockets:
        one.settimeout(10)
        try:
            while one.recv(100):
                pass
        except ConnectionResetError:
            pass
        one.close()
    assert shown.counts(queue)["objects"] == 2
    until(lambda: server._server.connections == 0)
    refused = [one for one in map(json.loads, (told.folder / "audit.jsonl").read_text().splitlines()) if one["outcome"]]
    assert {(one["event"], one["where"]) for one in refused} == {("connection refused", "127.0.0.1")}
    why = ["which did not ask for an association in time", "which did not speak DICOM"]
    assert sorted(one["said"] for one in refused) == why  # each once a minute
    assert {f"refused connections from 127.0.0.1, {one}" for one in why} <= set(caplog.messages)


def test_garbage_that_begins_like_a_request_leaves_a_trace(receiver, caplog) -> None:
    server, _, told = receiver()
    with socket.create_connection(("127.0.0.1", server.port), 5) as one:
        one.sendall(b"\x01\x00\x00\x00\x00\x50" + bytes(range(80)))
        one.settimeout(10)
        with contextlib.suppress(ConnectionResetError):
            while one.recv(100):
                pass
    said = "which asked for no association as DICOM does"
    until(lambda: f"refused connections from 127.0.0.1, {said}" in caplog.messages)
    (line,) = (told.folder / "audit.jsonl").read_text().splitlines()
    assert json.loads(line)["said"] == said


def test_a_number_of_instances_completes_a_series_at_once(receiver) -> None:
    server, queue, told = receiver(quiet=1000)
    sent = noisy_series(slices=3, NumberOfSeriesRelatedInstances="3")
    send(server.port, sent[:2])
    assert complete_series(queue, told.quiet) == []
    send(server.port, sent[2:])
    assert [one.instances for one in complete_series(queue, told.quiet)] == [3]


def test_no_name_of_a_patient_is_in_the_queue_or_in_the_log(receiver, caplog) -> None:
    server, queue, told = receiver()
    name = "Mustermann-Secret"
    with caplog.at_level(logging.DEBUG):
        sent = noisy_series(slices=2, PatientName=name, PatientID="geheim1", SeriesDescription=f"of {name}")
        other = noisy_series(slices=1, PatientName=name, PatientID="geheim1", SeriesDescription="x")
        assert send(server.port, [*sent, *other]) == [0] * 3
    text = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("demottle"))
    assert "again with other content" in text and name not in text and "geheim1" not in text
    queue.close()
    held = b"".join(path.read_bytes() for path in told.folder.glob("queue.sqlite*"))
    assert name.encode() not in held and b"geheim1" not in held
    assert not any(name in str(path) for path in told.folder.rglob("*"))


def test_a_sender_asks_for_commitment_and_the_series_is_complete(receiver) -> None:
    server, queue, told = receiver(quiet=1000)
    sent = noisy_series(slices=2)
    send(server.port, sent)
    reports: list[Dataset] = []

    def reported(event: object) -> tuple[int, None]:
        reports.append(event.event_information)  # type: ignore[attr-defined]
        return 0, None

    from pynetdicom import evt

    entity = AE("CT1")
    entity.add_requested_context("1.2.840.10008.1.20.1")
    association = entity.associate(
        "127.0.0.1", server.port, ae_title="DEMOTTLE", evt_handlers=[(evt.EVT_N_EVENT_REPORT, reported)]
    )
    request = Dataset()
    request.TransactionUID = "1.2.3"
    items = []
    for one in (*[each.SOPInstanceUID for each in sent], "9.9.9"):
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", one
        items.append(item)
    request.ReferencedSOPSequence = items
    status, _ = association.send_n_action(request, 1, "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1")
    assert status.Status == 0
    (report,) = until(lambda: reports)
    time.sleep(0.5)  # the answer to the report goes first
    association.release()
    assert report.TransactionUID == "1.2.3"
    assert [one.ReferencedSOPInstanceUID for one in report.ReferencedSOPSequence] == [
        one.SOPInstanceUID for one in sent
    ]
    assert [one.ReferencedSOPInstanceUID for one in report.FailedSOPSequence] == ["9.9.9"]
    assert [one.instances for one in complete_series(queue, told.quiet)] == [2]


def test_a_large_object_goes_to_the_disk_as_it_comes(receiver) -> None:
    """300 MB: memory of the process grows by what the sender itself needs, not by what the node holds."""
    server, _, told = receiver()
    (one,) = noisy_series(slices=1)
    one.Rows, one.Columns = 10000, 5000
    one.PixelData = bytes(100_000_000)
    assert send(server.port, [one]) == [0]
    (held,) = (told.folder / "objects").glob("*/*.dcm")
    assert held.stat().st_size > 100_000_000 and len(pydicom.dcmread(held).PixelData) == 100_000_000
