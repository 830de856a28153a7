"""What goes out: each object until it is acknowledged and not once more; with storage commitment where it is asked for."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, StoragePresentationContexts, evt
from tests.io.conftest import save
from tests.node.conftest import noisy_series, until
from tests.node.test_queue import _arrival

from demottle.node.disk import QUEUE, prepare
from demottle.node.log import quiet_libraries
from demottle.node.network.sending import Courier
from demottle.node.queue import arrivals, rounds, sends, shown
from demottle.node.queue.store import Queue


@pytest.fixture
def due(told):
    """Results of one series, to be sent by a courier: `due(pacs=port)` returns courier, queue and what is due."""
    opened = []

    def make(count: int = 3, commitment: bool = False, **values: Any):
        quiet_libraries()
        configuration, _ = told(**values)
        prepare(configuration.folder)
        queue = Queue(configuration.folder / QUEUE)
        arrivals.arrived(queue, _arrival(0))
        rounds.begin(queue, arrivals.complete_series(queue, 0)[0], "all")
        assert rounds.claim(queue) is not None
        made = []
        for at, one in enumerate(noisy_series("3", count)):
            file = f"results/1/images/{at}.dcm"
            save(one, configuration.folder / file)
            made.append(rounds.Made(one.SOPInstanceUID, one.SOPClassUID, "1.2.840.10008.1.2.1", "images", file, 1))
        assert rounds.published(queue, 1, made, ["pacs"])
        destination = configuration.destinations[0]
        if commitment:
            destination = type(destination)(**{**vars(destination), "commitment": True})
        courier = Courier(configuration, queue, destination)
        opened.append((courier, queue))
        courier.start()
        return queue, [one.uid for one in made]

    yield make
    for courier, queue in opened:
        courier.stop()
        queue.close()


def _states(queue: Queue) -> dict[str, int]:
    return shown.sends_of(queue, 1)["pacs"]


def test_each_object_is_sent_once(due, pacs) -> None:
    archive = pacs()
    queue, uids = due(pacs=archive.port)
    until(lambda: _states(queue) == {"arrived": 3})
    time.sleep(1.0)
    assert archive.uids() == uids


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
        queue, uids = due(commitment=True, pacs=server.server_address[1])
        until(lambda: _states(queue) == {"arrived": 3}, 30)
        assert held == [*uids, uids[0]]  # the first was said to be lost, and went again
        assert shown.list_series(queue)[0]["state"] == "done"
    finally:
        server.shutdown()


def test_a_result_that_is_gone_from_the_disk_is_said(due, pacs, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sends, "SHORTEST", 0.05)
    archive = pacs(answer=lambda dataset: 0xA700)
    queue, _ = due(1, pacs=archive.port)
    until(lambda: shown.sends_with_reasons(queue, 1)[0]["attempts"] > 1)
    (tmp_path / "held" / "results" / "1" / "images" / "0.dcm").unlink()
    until(lambda: _states(queue) == {"failed": 1})
