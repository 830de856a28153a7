"""The queue: each object once, each series once complete, each result sent once; and what was finished survives a kill."""

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from demottle.errors import InputError
from demottle.node.queue import actions, arrivals, rounds, sends, shown
from demottle.node.queue.store import Queue, States


@pytest.fixture
def queue(tmp_path: Path):
    made = Queue(tmp_path / "queue.sqlite")
    yield made
    made.close()


def _arrival(number: int, series: str = "1.1", digest: str = "d", **more) -> arrivals.Arrival:
    values = {
        "series": series,
        "study": "1.0",
        "uid": f"{series}.{number}",
        "sop_class": "1.2.840.10008.5.1.4.1.1.2",
        "syntax": "1.2.840.10008.1.2.1",
        "caller": "CT1",
        "modality": "CT",
        "file": f"objects/{series}.{number}",
        "size": 10,
        "digest": digest,
    }
    return arrivals.Arrival(**{**values, **more})


def _send(queue: Queue, series: str = "1.1", count: int = 2, to: tuple[str, ...] = ("pacs",)) -> int:
    """Bring a series to where its results are to be sent; return the round."""
    for number in range(count):
        arrivals.arrived(queue, _arrival(number, series))
    (found,) = arrivals.complete_series(queue, 0)
    made = rounds.begin(queue, found, "rule 1")
    assert made is not None
    claimed = rounds.claim(queue)
    assert claimed is not None and claimed.id == made and len(claimed.files) == count
    results = [rounds.Made(f"2.{series}.{n}", "1.2", "1.2", "images", f"r/{n}", 5) for n in range(count)]
    assert rounds.published(queue, made, results, to, method="gaussian")
    return made


def _state(queue: Queue) -> list[str]:
    return [one["state"] for one in shown.list_series(queue)]


def test_an_object_that_comes_twice_counts_once_and_other_content_is_kept_aside(queue: Queue) -> None:
    assert [arrivals.arrived(queue, _arrival(0)) for _ in range(2)] == ["new", "same"]
    assert [arrivals.arrived(queue, _arrival(0, digest="e", file="aside/x")) for _ in range(2)] == ["other", "same"]
    (series,) = shown.list_series(queue)
    assert (series["instances"], series["others"]) == (1, 1)
    assert shown.files_of_series(queue, series["id"]) == ["objects/1.1.0"]
    assert [event["what"] for event in shown.events(queue)] == ["series begins", "other content"]


def test_a_series_is_complete_when_quiet_or_counted_or_committed(queue: Queue) -> None:
    arrivals.arrived(queue, _arrival(0), now=100.0)
    arrivals.arrived(queue, _arrival(0, "1.2", expected=2), now=100.0)
    arrivals.arrived(queue, _arrival(0, "1.3"), now=100.0)
    assert arrivals.complete_series(queue, 60.0, now=159.0) == []
    arrivals.arrived(queue, _arrival(1, "1.2", expected=2), now=101.0)
    assert arrivals.committed(queue, ["1.3.0", "9.9"]) == (["1.3.0"], ["9.9"])
    assert [one.id for one in arrivals.complete_series(queue, 60.0, now=102.0)] == [2, 3]
    assert [one.id for one in arrivals.complete_series(queue, 60.0, now=160.0)] == [1, 2, 3]
    arrivals.arrived(queue, _arrival(2, "1.2"), now=102.0)  # one more than there should be: more may come
    assert [one.id for one in arrivals.complete_series(queue, 60.0, now=102.0)] == [3]


def test_quiet_is_counted_from_when_the_node_listens_again(queue: Queue) -> None:
    arrivals.arrived(queue, _arrival(0), now=100.0)
    assert arrivals.complete_series(queue, 60.0, now=500.0, since=450.0) == []
    assert [one.id for one in arrivals.complete_series(queue, 60.0, now=510.0, since=450.0)] == [1]


def test_an_object_that_comes_while_the_round_is_made_keeps_it_from_being_made(queue: Queue) -> None:
    arrivals.arrived(queue, _arrival(0))
    (found,) = arrivals.complete_series(queue, 0)
    arrivals.arrived(queue, _arrival(1))
    assert rounds.begin(queue, found, "rule 1") is None
    (found,) = arrivals.complete_series(queue, 0)
    assert found.instances == 2 and rounds.begin(queue, found, "rule 1") == 1
    assert arrivals.complete_series(queue, 0) == []


def test_late_objects_make_a_round_of_their_own(queue: Queue) -> None:
    first = _send(queue)
    arrivals.arrived(queue, _arrival(7))
    assert _state(queue) == ["receiving"]
    (found,) = arrivals.complete_series(queue, 0)
    second = rounds.begin(queue, found, "rule 1")
    claimed = rounds.claim(queue)
    assert claimed is not None and (claimed.id, claimed.number, len(claimed.files)) == (second, 2, 3)
    assert len(sends.waiting(queue, "pacs")) == 2  # what the first round made still goes out: nothing is replaced
    whole = shown.one_series(queue, 1)
    assert whole is not None and [one["id"] for one in whole["rounds"]] == [second, first]


def test_objects_that_come_before_anything_is_sent_overtake_the_round(queue: Queue) -> None:
    arrivals.arrived(queue, _arrival(0))
    (found,) = arrivals.complete_series(queue, 0)
    rounds.begin(queue, found, "rule 1")
    arrivals.arrived(queue, _arrival(1))
    assert rounds.claim(queue) is None  # it had not begun
    (found,) = arrivals.complete_series(queue, 0)
    rounds.begin(queue, found, "rule 1")
    claimed = rounds.claim(queue)
    assert claimed is not None
    arrivals.arrived(queue, _arrival(2))
    assert not rounds.published(queue, claimed.id, [rounds.Made("2.1", "1", "1", "images", "x", 1)], ["pacs"])
    assert sends.waiting(queue, "pacs") == []


def test_urgent_series_go_first(queue: Queue) -> None:
    for series, urgent in (("1.1", False), ("1.2", True), ("1.3", False)):
        arrivals.arrived(queue, _arrival(0, series))
        (found,) = arrivals.complete_series(queue, 0)
        rounds.begin(queue, found, "rule 1", urgent=urgent)
    order = [claimed.series for _ in range(3) if (claimed := rounds.claim(queue)) is not None]
    assert order == [2, 1, 3] and rounds.claim(queue) is None


def test_a_worker_that_dies_at_a_series_gets_it_again_but_not_for_ever(queue: Queue) -> None:
    arrivals.arrived(queue, _arrival(0))
    (found,) = arrivals.complete_series(queue, 0)
    rounds.begin(queue, found, "rule 1")
    for _ in range(10):  # the node itself was killed: not the fault of the series
        assert rounds.claim(queue) is not None
        rounds.unclaim(queue)
    for _ in range(rounds.MOST_ATTEMPTS):
        assert rounds.claim(queue) is not None
        rounds.blame(queue)
    assert rounds.claim(queue) is None
    (series,) = shown.list_series(queue)
    assert series["state"] == "failed" and "ended 3 times" in series["reason"]


def test_what_was_acknowledged_is_never_sent_again(queue: Queue) -> None:
    round = _send(queue, to=("pacs", "second"))
    for send in sends.waiting(queue, "pacs"):
        sends.acknowledged(queue, send, commitment=False)
    assert sends.waiting(queue, "pacs") == [] and len(sends.waiting(queue, "second")) == 2
    assert _state(queue) == ["sending"]
    assert shown.sends_of(queue, round) == {"pacs": {"arrived": 2}, "second": {"waiting": 2}}
    for send in sends.waiting(queue, "second"):
        sends.acknowledged(queue, send, commitment=False)
    assert _state(queue) == ["done"]


def test_a_dead_destination_is_tried_less_and_less_until_the_days_are_over(queue: Queue) -> None:
    _send(queue, count=1)
    (send,) = sends.waiting(queue, "pacs")
    sends.postponed(queue, [send], "no connection", days=1)
    assert sends.waiting(queue, "pacs") == []
    assert [sends.pause(n) for n in (1, 2, 3, 50)] == [2.0, 4.0, 8.0, sends.LONGEST]
    with queue.transaction() as db:
        db.execute("UPDATE send SET since = since - 90000, next = 0")
    sends.postponed(queue, sends.waiting(queue, "pacs"), "no connection", days=1)
    (series,) = shown.list_series(queue)
    assert series["state"] == "failed" and series["reason"] == "1 objects did not reach pacs: no connection"
    assert actions.resend(queue, 1, "anna") == 1
    assert _state(queue) == ["sending"] and len(sends.waiting(queue, "pacs")) == 1


def test_commitment_ends_a_send_and_what_is_not_held_goes_again(queue: Queue) -> None:
    _send(queue)
    for send in sends.waiting(queue, "pacs"):
        sends.acknowledged(queue, send, commitment=True)
    assert _state(queue) == ["sending"]
    open_ = sends.unconfirmed(queue, "pacs", again=60)
    assert len(open_) == 2
    sends.asked(queue, open_)
    assert sends.unconfirmed(queue, "pacs", again=60) == []
    sends.confirmed(queue, "pacs", [open_[0].uid], [open_[1].uid])
    (again,) = sends.waiting(queue, "pacs", now=2**40)
    assert again.uid == open_[1].uid
    sends.acknowledged(queue, again, commitment=True)
    sends.confirmed(queue, "pacs", [again.uid], [])
    assert _state(queue) == ["done"]


def test_a_person_does_again_or_rejects_and_stands_in_the_log(queue: Queue) -> None:
    round = _send(queue)
    assert actions.reject(queue, round, "anna", "streaks") == 0
    assert sends.waiting(queue, "pacs") == [] and _state(queue) == ["rejected"]
    with pytest.raises(InputError, match="no-such"):
        actions.redo(queue, 1, "anna", {"method": "no-such"})
    rounds.ended(queue, round, States.FAILED, "too late")
    assert _state(queue) == ["rejected"]
    again = actions.redo(queue, 1, "anna", {"method": "nl-bayes"})
    claimed = rounds.claim(queue)
    assert claimed is not None and (claimed.id, claimed.wanted) == (again, {"method": "nl-bayes"})
    with pytest.raises(InputError, match="being done already"):
        actions.redo(queue, 1, "anna")
    assert [(event["who"], event["what"]) for event in shown.events(queue)][-2:] == [
        ("anna", "reject"),
        ("anna", "redo"),
    ]


def test_the_log_of_events_cannot_be_changed(queue: Queue) -> None:
    arrivals.arrived(queue, _arrival(0))
    for statement in ("DELETE FROM event", "UPDATE event SET who = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="only added"), queue.transaction() as db:
            db.execute(statement)
    assert len(shown.events(queue)) == 1


def test_others_of_the_machine_may_not_read_the_queue(tmp_path: Path) -> None:
    file = tmp_path / "queue.sqlite"
    for made_before in (False, True):
        if made_before:
            file.chmod(0o644)
        queue = Queue(file)
        arrivals.arrived(queue, _arrival(int(made_before)))
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
        assert len(modes) == 3 and set(modes.values()) == {0o600}
        queue.close()


def test_a_queue_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "queue.sqlite").write_bytes(b"x" * 4096)
    with pytest.raises(InputError, match="cannot be opened"):
        Queue(tmp_path / "queue.sqlite")


KILLED = """
import os, signal, sys
from pathlib import Path
from demottle.node.queue import arrivals
from demottle.node.queue.store import Queue
from tests.node.test_queue import _arrival
queue = Queue(Path(sys.argv[1]))
for number in range(3):
    arrivals.arrived(queue, _arrival(number))
with queue.transaction() as db:
    db.execute("DELETE FROM instance")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_in_the_middle_of_a_step_leaves_what_was_finished(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "queue.sqlite")], check=False)
    assert done.returncode == -9
    queue = Queue(tmp_path / "queue.sqlite")
    assert shown.counts(queue)["objects"] == 3
    assert [one.instances for one in arrivals.complete_series(queue, 0)] == [3]
    assert States.RECEIVING in shown.counts(queue)["series"]
    queue.close()
