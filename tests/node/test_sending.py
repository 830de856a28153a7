"""What goes out: each object until it is acknowledged and not once more; with storage commitment where it is asked for."""

import logging
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE, StoragePresentationContexts, build_role, evt
from tests.io.conftest import save
from tests.node.conftest import TOML, noisy_series, until

from demottle.node.configuration import Destination
from demottle.node.network import commitment, transport
from demottle.node.network.association import associated, stored
from demottle.node.queue import actions, sends, shown
from demottle.node.queue.store import Queue

COMMITMENT = "1.2.840.10008.1.20.1"
COMMITTED = TOML.replace('name = "pacs"', 'name = "pacs"\ncommitment = true')


def _states(queue: Queue) -> dict[str, int]:
    return shown.sends_of(queue, 1)["pacs"]


def test_each_object_is_sent_once(due, pacs, caplog) -> None:
    archive = pacs()
    with caplog.at_level(logging.INFO, "demottle.node"):
        queue, uids = due(pacs=archive.port)
        until(lambda: _states(queue) == {"arrived": 3})
        time.sleep(1.0)
    assert archive.uids() == uids
    assert "3 objects of series 1, round 1 reached pacs" in caplog.messages


def test_an_object_that_is_refused_again_and_again_stands_among_the_failures(due, pacs, monkeypatch) -> None:
    monkeypatch.setattr(sends, "SHORTEST", 0.05)
    tries: list[str] = []

    def answer(dataset: Dataset) -> int:
        tries.append(str(dataset.SOPInstanceUID))
        return 0xC000 if str(dataset.InstanceNumber) == "2" else 0

    archive = pacs(answer=answer)
    queue, uids = due(pacs=archive.port)
    until(lambda: _states(queue) == {"arrived": 2, "failed": 1})
    assert sorted(archive.uids()) == sorted([uids[0], uids[2]]) and tries.count(uids[1]) == 5
    (series,) = shown.list_series(queue)
    assert (series["state"], series["reason"]) == ("failed", "1 objects did not reach pacs: it refused (0xC000)")


def test_what_a_person_sends_again_does_not_wait_for_the_pause(due, pacs, monkeypatch) -> None:
    monkeypatch.setattr(sends, "SHORTEST", 600.0)
    full = [True]
    archive = pacs(answer=lambda dataset: 0xA700 if full else 0)
    queue, uids = due(pacs=archive.port)
    (series,) = until(lambda: [one for one in shown.list_series(queue) if sends_reason(queue)])
    full.clear()
    actions.resend(queue, series["round"], "anna")
    until(lambda: _states(queue) == {"arrived": 3}, 20)
    assert archive.uids() == uids


def sends_reason(queue: Queue) -> str:
    return str(shown.sends_with_reasons(queue, 1)[0]["reason"])


def test_attempts_without_a_connection_do_not_count_as_refusals(due, pacs, monkeypatch) -> None:
    monkeypatch.setattr(sends, "SHORTEST", 0.02)
    monkeypatch.setattr(sends, "LONGEST", 0.05)
    full, tries = [True], []

    def answer(dataset: Dataset) -> int:
        tries.append(0xA700 if full else 0xC000)
        return tries[-1]

    archive = pacs(answer=answer)
    queue, _ = due(1, pacs=archive.port)
    until(lambda: len(tries) > 8)
    full.clear()
    until(lambda: _states(queue) == {"failed": 1})
    assert tries.count(0xC000) == 5


def test_what_was_not_acknowledged_goes_again_under_the_same_uid(due, pacs, monkeypatch) -> None:
    """A destination that takes an object and falls over before it answers."""
    monkeypatch.setattr(sends, "SHORTEST", 0.1)
    seen: list[str] = []

    def answer(dataset: Dataset) -> int:
        seen.append(str(dataset.SOPInstanceUID))
        if len(seen) == 2:
            for association in archive._server.active_associations:
                association.abort()
        return 0

    archive = pacs(answer=answer)
    queue, uids = due(pacs=archive.port)
    until(lambda: _states(queue) == {"arrived": 3})
    assert seen == [uids[0], uids[1], uids[1], uids[2]]


def _say(association: Any, report: Dataset) -> None:
    time.sleep(0.2)  # after the answer to the request
    association.send_n_event_report(report, 1, "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1")


def test_a_result_arrives_when_it_is_committed(due) -> None:
    held: list[str] = []
    requests: list[int] = []

    def stored(event: Any) -> int:
        held.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    def committing(event: Any) -> tuple[int, None]:
        items = list(event.action_information.ReferencedSOPSequence)
        requests.append(len(items))
        report = Dataset()
        report.TransactionUID = event.action_information.TransactionUID
        lacking = items[:1] if len(requests) == 1 else []
        if items[len(lacking) :]:
            report.ReferencedSOPSequence = items[len(lacking) :]
        if lacking:
            report.FailedSOPSequence = lacking
        threading.Thread(target=_say, args=(event.assoc, report), daemon=True).start()
        return 0, None

    entity = AE("PACS")
    entity.supported_contexts = StoragePresentationContexts
    entity.add_supported_context("1.2.840.10008.1.20.1")
    handlers = [(evt.EVT_C_STORE, stored), (evt.EVT_N_ACTION, committing)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        queue, uids = due(
            text=TOML.replace('name = "pacs"', 'name = "pacs"\ncommitment = true'), pacs=server.server_address[1]
        )
        until(lambda: _states(queue) == {"arrived": 3}, 30)
        assert held == [*uids, uids[0]]  # the first was said to be lost, and went again
        assert shown.list_series(queue)[0]["state"] == "done"
    finally:
        server.shutdown()


class LateArchive:
    """An archive that says what it holds later, on an association of its own, as many do."""

    def __init__(self, roles: bool, lost: int = 0) -> None:
        self.held: list[str] = []
        self.asked: list[Dataset] = []
        self._roles, self._lost = roles, lost
        self._entity = AE("PACS")
        self._entity.supported_contexts = StoragePresentationContexts
        self._entity.add_supported_context(COMMITMENT)
        handlers = [(evt.EVT_C_STORE, self._stored), (evt.EVT_N_ACTION, self._asked)]
        self.server = self._entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)

    def _stored(self, event: Any) -> int:
        self.held.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    def _asked(self, event: Any) -> tuple[int, None]:
        self.asked.append(event.action_information)
        return 0, None

    def report(self, port: int) -> int:
        """Open an association and say what is held; return the status of the answer."""
        wanted = self.asked[-1]
        report = Dataset()
        report.TransactionUID = wanted.TransactionUID
        lacking, there = wanted.ReferencedSOPSequence[: self._lost], wanted.ReferencedSOPSequence[self._lost :]
        report.ReferencedSOPSequence = there
        for one in lacking:
            one.FailureReason = 0x0112
        if lacking:
            report.FailedSOPSequence = lacking
        self._lost = 0
        entity = AE("PACS")
        entity.add_requested_context(COMMITMENT)
        asked = [build_role(COMMITMENT, scp_role=True)] if self._roles else []
        association = entity.associate("127.0.0.1", port, ae_title="DEMOTTLE", ext_neg=asked)
        assert association.is_established
        answer, _ = association.send_n_event_report(report, 2 if lacking else 1, COMMITMENT, f"{COMMITMENT}.1")
        association.release()
        return int(answer.Status)


@pytest.mark.parametrize("roles", [True, False], ids=["roles agreed", "no word of roles"])
def test_a_report_may_come_later_on_an_association_of_the_archive_s_own(due, beside, monkeypatch, roles: bool) -> None:
    monkeypatch.setattr(sends, "SHORTEST", 0.05)
    monkeypatch.setattr(commitment, "_ANSWER", 0.1)
    archive = LateArchive(roles, lost=1)
    try:
        queue, uids = due(text=COMMITTED, pacs=archive.server.server_address[1])
        node = beside(queue)
        until(lambda: archive.asked and not archive.server.active_associations, 30)
        assert _states(queue) == {"sent": 3} and shown.list_series(queue)[0]["state"] == "sending"
        assert archive.report(node.port) == 0
        until(lambda: len(archive.asked) == 2 and not archive.server.active_associations, 30)
        assert archive.held == [*uids, uids[0]]  # the first was said to be lost, and went again
        assert archive.report(node.port) == 0
        until(lambda: _states(queue) == {"arrived": 3})
    finally:
        archive.server.shutdown()


def test_a_result_that_is_gone_from_the_disk_is_said(due, pacs, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sends, "SHORTEST", 0.05)
    archive = pacs(answer=lambda dataset: 0xA700)
    queue, _ = due(1, pacs=archive.port)
    until(lambda: shown.sends_with_reasons(queue, 1)[0]["attempts"] > 1)
    (tmp_path / "held" / "results" / "1" / "images" / "0.dcm").unlink()
    until(lambda: _states(queue) == {"failed": 1})


MIB = 1 << 20
CT = "1.2.840.10008.5.1.4.1.1.2"


def _large(folder: Path, mib: int) -> Path:
    (one,) = noisy_series(slices=1)
    one.Rows, one.Columns = mib * 512, 1024
    one.PixelData = bytes(mib * MIB)
    return save(one, folder / "large.dcm")


def _to(port: int) -> Any:
    found = associated("CT1", Destination("there", "DEMOTTLE", "127.0.0.1", port), None, [CT])
    assert found is not None
    return found


def test_a_large_result_goes_out_from_the_disk_and_not_through_memory(receiver, tmp_path: Path, monkeypatch) -> None:
    at_once = transport._receive

    def slowly(self: Any, count: int) -> bytearray:
        time.sleep(0.02 if count > MIB // 2 else 0)
        return at_once(self, count)

    monkeypatch.setattr(transport, "_receive", slowly)
    server, _, told = receiver()
    file = _large(tmp_path, 64)
    association = _to(server.port)
    tracemalloc.start()
    try:
        assert stored(association, file) == 0
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        association.release()
    assert most < 40 * MIB  # receiver and sender are both in this process
    (held,) = (told.folder / "objects").glob("*/*.dcm")
    assert held.read_bytes()[-64 * MIB :] == file.read_bytes()[-64 * MIB :]


def test_a_result_goes_out_to_who_takes_another_transfer_syntax_alone(tmp_path: Path) -> None:
    came: list[Dataset] = []
    entity = AE("DEMOTTLE")
    entity.add_supported_context(CT, ImplicitVRLittleEndian)
    handlers = [(evt.EVT_C_STORE, lambda event: came.append(event.dataset) or 0)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    association = _to(server.server_address[1])
    assert stored(association, _large(tmp_path, 1)) == 0
    association.release()
    server.shutdown()
    assert len(came[0].PixelData) == MIB


def test_a_connection_that_ends_within_a_large_object_is_no_answer(receiver, tmp_path: Path, monkeypatch) -> None:
    whole, pieces = transport._receive, list[int]()

    def gone(self: Any, count: int) -> bytearray:
        pieces.append(count)
        if sum(one > MIB // 2 for one in pieces) > 3:
            raise OSError("gone")
        return whole(self, count)

    server, _, told = receiver()
    monkeypatch.setattr(transport, "_receive", gone)
    association = _to(server.port)
    begun = time.monotonic()
    assert stored(association, _large(tmp_path, 64)) is None
    assert time.monotonic() - begun < 20
    until(lambda: not list((told.folder / "incoming").iterdir()))  # and nothing of it stays at the other end
