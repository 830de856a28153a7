"""What the log of a node says: which round of which series, and why something was not done; no path and no name."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.node.conftest import TOML, noisy_series
from tests.node.test_receiving import send

from demottle.errors import InputError
from demottle.io.dicom.headers import rehearsal
from demottle.node.completing import complete
from demottle.node.disk import prepare
from demottle.node.network import receiving
from demottle.node.queue.rounds import claim
from demottle.node.queue.store import Queue
from demottle.node.service import running
from demottle.node.work.denoising import work_on
from demottle.node.work.shared import SharedModels

STRICT = TOML.replace('name = "all"\n', 'name = "all"\ngate = {{ noise = 0.0001 }}\n')


def _worked(told: Any, queue: Queue) -> str:
    """Do the one round that there is, and return the reason in the queue."""
    queue.rows("UPDATE series SET last = 0")
    assert complete(told, queue) == 1
    round = claim(queue)
    assert round is not None
    work_on(told, queue, round, SharedModels(told.folder / "models"))
    row = queue.row("SELECT reason FROM round")
    assert row is not None
    return str(row["reason"])


def test_why_a_result_is_not_sent_stands_in_the_log(receiver: Callable[..., Any], caplog: Any) -> None:
    server, queue, told = receiver(text=STRICT)
    send(server.port, noisy_series(slices=3, size=32))
    with caplog.at_level(logging.INFO, "demottle.node"):
        reason = _worked(told, queue)
    limits = reason.removeprefix("the result fails the gate: ")
    assert "noise" in limits
    assert f"series 1, round 1: the result fails the gate and is not sent: {limits}" in caplog.messages


def test_why_a_series_is_not_denoised_stands_in_the_log(receiver: Callable[..., Any], caplog: Any) -> None:
    server, queue, told = receiver()
    empty = noisy_series(slices=1, size=32, PatientName="Doe^Jane")[0]
    empty.PixelData = bytes(len(empty.PixelData))
    send(server.port, [empty])
    with caplog.at_level(logging.INFO, "demottle.node"):
        reason = _worked(told, queue)
    assert reason and f"series 1, round 1: not denoised: {reason}" in caplog.messages
    assert str(told.folder) not in caplog.text and "Doe" not in caplog.text


def test_what_a_broken_element_holds_stands_in_neither_log_nor_queue(
    receiver: Callable[..., Any], monkeypatch: Any, caplog: Any
) -> None:
    def broken(*arguments: object, **more: object) -> None:
        raise ValueError("could not convert string to float: 'Doe^Jane'")

    monkeypatch.setattr(rehearsal, "mend", broken)
    server, queue, told = receiver()
    send(server.port, noisy_series(slices=1, size=32))
    with caplog.at_level(logging.INFO, "demottle.node"):
        reason = _worked(told, queue)
    assert "is broken and cannot be written again (ValueError); repair it" in reason
    assert f"series 1, round 1: not denoised: {reason}" in caplog.messages
    assert "Doe" not in caplog.text + repr([tuple(row) for row in queue.rows("SELECT said FROM event")])


def test_warnings_of_libraries_are_said_without_what_they_quote() -> None:
    """In a process of its own: the node's log is where standard error goes."""
    code = (
        "from demottle.node.log import begin_log; begin_log()\n"
        "import pydicom; one = pydicom.Dataset(); one.StudyDate = 'Doe^Jane'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert "WARNING pydicom/valuerep.py, line " in done.stderr and "warns of something (UserWarning)" in done.stderr
    assert "Doe" not in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_full_disk_is_said_with_both_numbers_and_at_the_start(told: Any, monkeypatch: Any, caplog: Any) -> None:
    monkeypatch.setattr(os, "statvfs", lambda folder: os.statvfs_result((4096, 4096, 0, 0, 3 << 8, 0, 0, 0, 0, 255)))
    configuration, file = told(text=TOML.replace("reserve = 0", "reserve = 2000"))
    with caplog.at_level(logging.WARNING, "demottle.node"), running(configuration, file) as service:
        assert send(service.receiver.port, noisy_series(slices=1)) == [receiving.NO_ROOM]
    room = "3 MiB are free and 2000 have to stay free (reserve)"
    assert f"no object is taken until there is room: {room}" in caplog.messages
    assert f"refused an object: the disk is nearly full, {room}" in caplog.messages


def test_a_folder_that_cannot_be_made_is_named_by_its_key(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    said = (
        r"^'folder' in \[node\] is .*/taken/held, where this user cannot write \(Not a directory\); .* another folder\."
    )
    with pytest.raises(InputError, match=said):
        prepare(tmp_path / "taken" / "held")
