"""Where every series of a day is in the end: in the archives, once and complete, or in the queue with a reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demottle.benchmark.suites.node.archive import Came
from demottle.benchmark.suites.node.day import UNKNOWN, Visit
from demottle.node.queue.store import States

FIRST, SECOND = "archive", "second"


@dataclass(frozen=True)
class Account:
    """What became of a day's series.

    Attributes:
        figures: series; arrived (once and complete, where their rule sends them); told (not sent, with a reason); lost (neither);
            doubled (objects that an archive was sent more than once); again (results that are followed by another).
        states, reasons: how often each.
        wrong: a sentence for each thing that must not be.
    """

    figures: Mapping[str, float]
    states: Mapping[str, int]
    reasons: Mapping[str, int]
    wrong: Sequence[str]


def account(
    visits: Sequence[Visit], came: Mapping[str, Sequence[Came]], states: Mapping[str, Mapping[str, Any]], slices: int
) -> Account:
    """Hold what the archives hold against what was sent.

    Args:
        visits: the series that were sent.
        came: what came to each archive, by its name.
        states: each series as the queue shows it (`shown.list_series`), by the name of its visit.
        slices: objects of each series.
    """
    by_patient = {name: _by_patient(objects) for name, objects in came.items()}
    arrived = told = again = 0
    wrong: list[str] = []
    for one in visits:
        shown = states.get(one.name, {"state": "unknown to the queue", "reason": ""})
        wanted = {FIRST: one.kind != UNKNOWN, SECOND: one.kind != UNKNOWN and one.both}
        there = {name: by_patient[name].get(one.name, {}) for name in wanted}
        if shown["state"] == States.DONE and all(
            _whole(there[name], slices) == is_wanted for name, is_wanted in wanted.items()
        ):
            arrived += 1
        elif shown["state"] in (States.LEFT, States.FAILED, States.REFUSED) and shown["reason"]:
            told += 1
        else:
            counts = {name: [len(uids) for uids in held.values()] for name, held in there.items()}
            wrong.append(f"{one.name} ({one.kind}): {shown['state']}, {counts} objects in the archives")
        again += max(0, len(there[FIRST]) - 1)
        if one.after and len(there[FIRST]) < 2:
            wrong.append(f"{one.name} was not done again when the rest of it came")
    doubled = sum(times - 1 for objects in came.values() for times in Counter(found.uid for found in objects).values())
    figures = {
        **{"series": len(visits), "arrived": arrived, "told": told, "lost": len(visits) - arrived - told},
        **{"doubled": doubled, "again": again},
    }
    if doubled:
        wrong.append(f"{doubled} objects came more than once")
    kept = [states[one.name] for one in visits if one.name in states]
    return Account(
        {name: float(value) for name, value in figures.items()},
        dict(Counter(str(one["state"]) for one in kept)),
        dict(Counter(str(one["reason"]) for one in kept if one["reason"])),
        wrong,
    )


def _by_patient(came: Sequence[Came]) -> dict[str, dict[str, set[str]]]:
    """UIDs of the objects of each series of each patient, series in the order in which their last objects came."""
    found: dict[str, dict[str, set[str]]] = {}
    for one in came:
        series = found.setdefault(one.patient, {})
        uids = series.pop(one.series, set())
        series[one.series] = uids | {one.uid}
    return found


def _whole(series: Mapping[str, set[str]], slices: int) -> bool:
    """True where the latest of the series has all objects."""
    return bool(series) and len(list(series.values())[-1]) == slices
