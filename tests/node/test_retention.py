"""What is done with goes from the disk after its days; nothing goes before."""

import os
import time
from pathlib import Path

import pytest
from tests.node.test_queue import _arrival

from demottle.errors import InputError
from demottle.node.configuration import Configuration, Rule
from demottle.node.disk import QUEUE, prepare
from demottle.node.queue import actions, arrivals, rounds, sends, shown
from demottle.node.queue.store import Queue
from demottle.node.retention import purge, sweep

DAY = 86400.0


def test_only_what_is_done_and_old_is_purged(tmp_path: Path) -> None:
    told = Configuration(tmp_path, keep=10)
    prepare(tmp_path)
    queue = Queue(tmp_path / QUEUE)
    for series in ("1.1", "1.2"):
        arrival = _arrival(0, series, file=f"objects/{series}/a.dcm")
        (tmp_path / arrival.file).parent.mkdir()
        (tmp_path / arrival.file).write_text("x")
        arrivals.arrived(queue, arrival)
        rounds.begin(queue, arrivals.complete_series(queue, 0)[0], "all")
        claimed = rounds.claim(queue)
        assert claimed is not None
        (tmp_path / "results" / str(claimed.id)).mkdir()
        rounds.published(queue, claimed.id, [rounds.Made(f"2.{series}", "1", "1", "images", "f", 1)], ["pacs"])
    sends.acknowledged(queue, sends.waiting(queue, "pacs")[0], commitment=False)
    later = shown.list_series(queue)[1]["ended"] + 10 * DAY + 1
    assert purge(told, queue, later - 2) == 0
    assert purge(told, queue, later) == 1 and purge(told, queue, later) == 0
    assert [path.name for path in (tmp_path / "objects").iterdir()] == ["1.2"]
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["2"]
    assert [one["purged"] is None for one in shown.list_series(queue)] == [True, False]
    with pytest.raises(InputError, match="no longer held"):
        actions.redo(queue, 1, "anna")
    assert arrivals.arrived(queue, _arrival(0)) == "new"  # sent again from the archive
    queue.close()


def test_a_rule_says_how_long_its_series_stay(tmp_path: Path) -> None:
    rules = Rule("brief", keep=1), Rule("long", keep=30), Rule("as the node")
    told = Configuration(tmp_path, keep=10, rules=rules)
    prepare(tmp_path)
    queue = Queue(tmp_path / QUEUE)
    for number, rule in enumerate(rules, 1):
        arrivals.arrived(queue, _arrival(number, f"1.{number}", file=f"objects/{number}/a.dcm"))
        rounds.begin(queue, arrivals.complete_series(queue, 0)[0], rule.name, left="for the test")
    now = time.time()
    assert [purge(told, queue, now + days * DAY + 1) for days in (0.9, 1, 9, 10, 29, 30)] == [0, 1, 0, 1, 0, 1]
    gone = [row["series"] for row in queue.rows("SELECT series FROM event WHERE what = 'purged' ORDER BY id")]
    assert gone == [1, 3, 2]
    queue.close()


def test_what_no_line_of_the_queue_knows_is_swept_away(tmp_path: Path) -> None:
    prepare(tmp_path)
    queue = Queue(tmp_path / QUEUE)
    arrivals.arrived(queue, _arrival(0, file="objects/a/known.dcm"))
    for name in ("objects/a/known.dcm", "objects/a/killed.dcm", "objects/a/coming.dcm", "incoming/broken.dcm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
        if "coming.dcm" not in name:
            os.utime(tmp_path / name, (0, 0))
    (tmp_path / "results" / "77").mkdir()
    sweep(tmp_path, queue)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/**/*") if path.is_file())
    assert left == ["objects/a/coming.dcm", "objects/a/known.dcm"]
    assert not (tmp_path / "results" / "77").exists()
    queue.close()
