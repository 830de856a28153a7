"""Suite node's day: what is drawn, and that what is lost, doubled or grown is seen."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from demottle.benchmark.suites.node import added, hospital, memory
from demottle.benchmark.suites.node.accounts import account
from demottle.benchmark.suites.node.archive import Came
from demottle.benchmark.suites.node.day import HOURS, LATE, PLAIN, TWICE, UNKNOWN, Visit, day
from demottle.benchmark.suites.node.slopes import Slope, slope

linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not tell what a process holds")


def _visit(name: str, kind: str = PLAIN, both: bool = False) -> Visit:
    return Visit(name, "CT1", 1.0, kind, both, None)


def _came(patient: str, series: str, slices: int) -> list[Came]:
    return [Came(0.0, patient, series, f"{series}.{number}") for number in range(slices)]


def _told(visit: Visit, archive: Sequence[Came], second: Sequence[Came] = (), state: str = "done", reason: str = ""):
    shown = {visit.name: {"state": state, "reason": reason}}
    return account([visit], {"archive": archive, "second": second}, shown, 4)


def test_a_day_follows_from_its_seed_and_has_all_that_is_odd() -> None:
    visits = day(200, 1)
    assert visits == day(200, 1) != day(200, 2)
    kinds = Counter(one.kind for one in visits)
    assert kinds == {LATE: 20, TWICE: 20, UNKNOWN: 20, PLAIN: 140}
    assert len({one.name for one in visits}) == 200 and {one.scanner for one in visits} == {"CT1", "CT2"}
    hours = [one.hour for one in visits]
    assert hours == sorted(hours) and hours[0] >= 0 and hours[-1] < HOURS
    by_night = sum(12 <= hour < 18 for hour in hours)  # midnight to six
    assert by_night < 20 < sum(20 <= hour < 24 for hour in hours)
    assert all((one.again is not None) == (one.kind in (LATE, TWICE)) for one in visits)
    assert {one.kind for one in day(12, 3)} == {LATE, TWICE, UNKNOWN, PLAIN}
    assert [one.after for one in visits if one.kind == LATE] == [True, False] * 10
    assert not any(one.after for one in visits if one.kind != LATE)


def test_a_series_that_came_whole_and_once_has_arrived() -> None:
    found = _told(_visit("a", both=True), _came("a", "1", 4), _came("a", "1", 4))
    assert found.figures["arrived"] == 1 and found.figures["lost"] == found.figures["doubled"] == 0 and not found.wrong


def test_the_latest_result_of_a_late_series_counts_and_the_one_before_is_told() -> None:
    found = _told(_visit("a", LATE), [*_came("a", "1", 2), *_came("a", "2", 4)])
    assert found.figures["arrived"] == found.figures["again"] == 1 and not found.wrong
    assert _told(_visit("a", LATE), [*_came("a", "2", 4), *_came("a", "1", 2)]).figures["lost"] == 1


def test_a_series_whose_rest_came_after_its_result_has_to_be_done_again() -> None:
    visit = replace(_visit("a", LATE), after=True)
    assert not _told(visit, [*_came("a", "1", 2), *_came("a", "2", 4)]).wrong
    assert _told(visit, _came("a", "2", 4)).wrong == ["a was not done again when the rest of it came"]


@pytest.mark.parametrize(
    ("visit", "archive", "second", "state"),
    [
        (_visit("a"), _came("a", "1", 3), [], "done"),  # an object is missing
        (_visit("a"), [], [], "done"),
        (_visit("a", both=True), _came("a", "1", 4), [], "done"),
        (_visit("a"), _came("a", "1", 4), _came("a", "1", 4), "done"),  # where it does not belong
        (_visit("a", UNKNOWN), _came("a", "1", 4), [], "done"),
        (_visit("a"), _came("a", "1", 4), [], "sending"),
        (_visit("a"), [], [], "failed"),  # and nobody says why
    ],
)
def test_what_is_not_where_it_belongs_is_lost(
    visit: Visit, archive: list[Came], second: list[Came], state: str
) -> None:
    found = _told(visit, archive, second, state)
    assert found.figures["lost"] == 1 and found.figures["arrived"] == 0 and visit.name in found.wrong[0]


def test_a_reason_tells_and_objects_that_came_twice_are_counted() -> None:
    left = _told(_visit("a", UNKNOWN), [], state="left", reason="meets no rule")
    assert left.figures["told"] == 1 and left.figures["lost"] == 0 and left.reasons == {"meets no rule": 1}
    twice = _told(_visit("a"), [*_came("a", "1", 4), *_came("a", "1", 2)])
    assert twice.figures["doubled"] == 2 and twice.wrong == ["2 objects came more than once"]
    nobody = account([_visit("a")], {"archive": [], "second": []}, {}, 4)
    assert nobody.figures["lost"] == 1 and "unknown to the queue" in nobody.wrong[0]


def test_growth_is_told_from_noise_and_from_what_is_cached_at_first() -> None:
    chance = np.random.default_rng(1)
    done = np.repeat(np.arange(200.0), 3)
    cached = np.minimum(done, 40) + chance.normal(0, 0.5, len(done))
    flat, grows = slope(done, cached, 200), slope(done, cached + 0.05 * done, 200)
    assert flat is not None and grows is not None
    assert flat.within(1.0) and abs(flat.per_hundred) < 0.5
    assert not grows.within(1.0) and grows.per_hundred == pytest.approx(5, abs=0.5)
    assert slope(done, np.full(len(done), 4.0), 200) == Slope(0.0, 0.0)
    assert slope(done, cached, 12) is None and slope([199.0], [1.0], 200) is None


def test_the_parts_of_the_added_time_are_all_of_it(tmp_path: Path) -> None:

    (tmp_path / "images").mkdir()
    for name, at in {"images/1.dcm": 120.0, "images/2.dcm": 121.0, "report.html": 128.0}.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    series = {"last": 100.0, "rounds": [{"begun": 101.0}]}
    found = added.parts(series, tmp_path, {"measure": 3.0, "learn": 0.0, "apply": 10.0, "check": 2.0}, [122.0, 123.0])
    assert found == {
        **{"complete": 1.0, "read": 4.0, "measure": 3.0, "learn": 0.0, "apply": 10.0, "check": 2.0},
        **{"write": 1.0, "send": 1.0},
    }
    assert sum(found.values()) == 122.0 - 100.0


@pytest.mark.slow
@linux
def test_a_short_day_loses_nothing() -> None:
    found = hospital.measured(6, 6.0, seed=1)
    assert found.quality["lost"] == found.quality["doubled"] == 0 and found.quality["series"] == 6
    assert found.quality["again"] >= 1 and found.quality["told"] == 1
    assert found.said["reasons"] == {"meets no rule": 1} and "missed" not in found.said


@pytest.mark.slow
@linux
def test_what_a_node_holds_is_told_with_a_large_object_in_it() -> None:
    found = memory.measured(16, 4, 64)
    assert 100 < found.quality["network_mib"] < 300 and 50 < found.quality["worker_new_mib"] < 400
    assert found.quality["beside_mib"] < 1024 and found.cost["cpu_seconds"] > 1
