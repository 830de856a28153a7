"""A disk that is full to the last byte: nothing that was acknowledged is lost, nothing counts as failed, and it goes on after."""

import errno
import logging
import os
import sqlite3
import threading
from typing import Any

import pytest
from pynetdicom import dimse_messages
from tests.node.conftest import associated, noisy_series, send, until

from demottle.node import log
from demottle.node.completing import complete
from demottle.node.queue import rounds, shown
from demottle.node.queue.store import Queue
from demottle.node.supervisor import Supervisor
from demottle.node.work import denoising, worker
from demottle.node.work.shared import SharedModels


class _Full:
    """A file that takes a header and nothing more."""

    def __init__(self, file: Any) -> None:
        self.file, self.name, self.close = file.file, file.name, file.close
        self._file, self._taken = file, 0

    def write(self, data: bytes) -> int:
        self._taken += len(data)
        if self._taken > 2000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return int(self._file.write(data))


def test_an_object_for_which_there_is_no_room_ends_its_association_alone(receiver, monkeypatch, caplog) -> None:
    server, _, told = receiver()
    whole = dimse_messages.NamedTemporaryFile
    monkeypatch.setattr(dimse_messages, "NamedTemporaryFile", lambda *a, **more: _Full(whole(*a, **more)))
    with caplog.at_level(logging.INFO, "demottle.node"):
        association = associated(server.port)
        answer = association.send_c_store(noisy_series(slices=1)[0])
    assert "Status" not in answer  # not acknowledged
    until(lambda: any("is ended: No space left on device" in one for one in caplog.messages))
    until(lambda: not list((told.folder / "incoming").iterdir()))
    monkeypatch.undo()
    assert send(server.port, noisy_series(slices=1)) == [0]


class _FullOnce:
    """A connection to a database that cannot be written once."""

    def __init__(self, db: Any) -> None:
        self._db, self._full = db, True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def execute(self, statement: str, *values: Any) -> Any:
        if statement == "COMMIT" and self._full:
            self._full = False
            raise sqlite3.OperationalError("database or disk is full")
        return self._db.execute(statement, *values)


def test_the_queue_goes_on_after_a_step_that_the_disk_did_not_take(receiver) -> None:
    server, queue, _ = receiver()
    queue._db = _FullOnce(queue._db)
    assert send(server.port, noisy_series(slices=2)) == [0xA700, 0]
    assert queue.row("SELECT COUNT(*) FROM instance")[0] == 1


def _claimed(server: Any, queue: Queue, told: Any) -> rounds.Round:
    send(server.port, noisy_series(slices=3, size=32))
    queue.rows("UPDATE series SET last = 0")
    complete(told, queue)
    found = rounds.claim(queue)
    assert found is not None
    return found


def test_a_result_that_cannot_be_entered_is_made_again_and_not_failed(receiver, monkeypatch) -> None:
    server, queue, told = receiver()
    round, models = _claimed(server, queue, told), SharedModels(told.folder / "models")

    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(denoising, "_denoised", lambda *_: [])
    monkeypatch.setattr(denoising, "_publish", full)
    with pytest.raises(sqlite3.OperationalError):
        denoising.work_on(told, queue, round, models)
    assert [one["state"] for one in shown.list_series(queue)] == ["working"]
    monkeypatch.setattr(worker, "_FULL", 0.0)
    worker._rest(queue)
    assert [one["state"] for one in shown.list_series(queue)] == ["waiting"]


def test_who_looks_after_the_worker_does_not_end_with_it(told, receiver, monkeypatch, caplog) -> None:
    _, queue, configuration = receiver()
    _, file = told()
    stopping, asked = threading.Event(), []

    def full(_: Queue) -> None:
        asked.append(1)
        if len(asked) > 1:
            stopping.set()
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("demottle.node.supervisor.rounds.blame", full)
    monkeypatch.setattr("demottle.node.supervisor._REST", 0.01)
    monkeypatch.setattr("demottle.node.supervisor.sys.executable", "/bin/false")
    Supervisor(configuration, file, queue, stopping).run()
    assert len(asked) == 2 and "looking after the worker: OperationalError" in caplog.text


def test_a_thread_that_ends_by_an_error_is_said_without_what_it_quotes(monkeypatch, caplog) -> None:
    monkeypatch.setattr(threading, "excepthook", log._ended)

    def fails() -> None:
        raise ValueError("Doe^Jane")

    thread = threading.Thread(target=fails, name="some")
    thread.start()
    thread.join()
    assert caplog.messages == ["a thread ended (some): ValueError"]
