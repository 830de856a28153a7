"""Make a plan: each series gets a rule and a group, some of each group are measured, and all of it is written to one table."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from demottle.archive.columns import read_table, write_table
from demottle.archive.index.processes import shared_out, usual_processes
from demottle.archive.layout import FILES, PLAN, SERIES, Archive
from demottle.archive.plan.costs import Cost, usual_cost
from demottle.archive.plan.groups import group_of
from demottle.archive.plan.rows import Deciding, Totals, row_of
from demottle.archive.plan.rules import rule_for
from demottle.archive.plan.sampling import SLICES, Sampled, Series, lost, measure_some
from demottle.errors import InputError
from demottle.events import Listener, Progress, Stage, silent
from demottle.node.configuration import Rule

_UNREADABLE = "It cannot be read as it is; series.parquet and plan.parquet say why."


@dataclass
class _Group:
    """What is known of a group while series are counted: the series to measure are drawn by their keys, the same each time."""

    rule: Rule
    count: int = 0
    drawn: list[tuple[int, str, str]] = field(default_factory=list)  # minus the draw, key, folder

    def add(self, row: Mapping[str, Any], most: int) -> None:
        """Count a series."""
        self.count += 1
        if most and row["volumes"]:
            heapq.heappush(
                self.drawn, (-int(sha256(row["key"].encode()).hexdigest()[:12], 16), row["key"], row["folder"])
            )
            if len(self.drawn) > most:
                heapq.heappop(self.drawn)


@dataclass(frozen=True)
class Planned:
    """What a plan says, summed up.

    Attributes:
        totals: by rule and method: series, groups, slices, seconds of one core and bytes of results.
        left: why series are left alone: reason, how many.
        measured, failed: series that were measured, and that could not be.
        cores: of this machine.
    """

    totals: tuple[Totals, ...]
    left: tuple[tuple[str, int], ...]
    measured: int
    failed: int
    cores: int

    @property
    def series(self) -> int:
        """Series that something is done with."""
        return sum(one.series for one in self.totals)

    @property
    def seconds(self) -> float:
        """Seconds that one core takes for all of them."""
        return sum(one.seconds for one in self.totals)

    @property
    def bytes(self) -> int:
        """Bytes of all results."""
        return sum(one.bytes for one in self.totals)


def plan(
    archive: Archive,
    rules: tuple[Rule, ...],
    *,
    sample: int = 3,
    trial: bool = False,
    workers: int | None = None,
    listener: Listener = silent,
) -> Planned:
    """Write plan.parquet; whatever was planned before is replaced.

    Args:
        archive: the data set, indexed.
        rules: `demottle.archive.plan.rules`.
        sample: series of each group that are measured; 0: none, headers decide alone.
        trial: time the methods on this machine instead of taking the figures that were measured once.
        workers: processes that measure; None: as many as there are cores.
        listener: told of progress.

    Raises:
        InputError: there is no index.
        OutputError: the plan cannot be written.
    """
    told = archive.told()
    if not archive.series.is_file():
        raise InputError(f"The index in {archive.folder} is not complete; run 'demottle archive index' again.")
    groups = _counted(archive, rules, sample)
    measured = _measured(archive, Path(told.root), groups, workers, listener)
    deciding = Deciding({name: (one.count, _of(one, measured)) for name, one in groups.items()}, measured, rules)
    costs = _Costs(trial, listener)
    totals: dict[tuple[str, str], Totals] = {}
    left: Counter[str] = Counter()

    def rows() -> Iterator[Mapping[str, Any]]:
        fitted: set[str] = set()
        for series in read_table(archive.series, SERIES):
            row = row_of(series, deciding, costs, fitted)
            if row["verb"] == "leave":
                left[_UNREADABLE if series["wrong"] else row["reason"]] += 1
            else:
                key = row["rule"], row["expected"]
                totals.setdefault(key, Totals(*key)).add(row, series)
            yield row

    write_table(archive.plan, PLAN, rows())
    failed = sum(bool(one.failed) for one in measured.values())
    ordered = tuple(sorted(totals.values(), key=lambda one: -one.series))
    return Planned(ordered, tuple(left.most_common()), len(measured) - failed, failed, usual_processes())


def _counted(archive: Archive, rules: tuple[Rule, ...], sample: int) -> dict[str, _Group]:
    """The groups, with as many series of each as are to be measured."""
    groups: dict[str, _Group] = {}
    for row in read_table(archive.series, SERIES):
        rule, why = rule_for(row, rules)
        if rule is not None and not why:
            groups.setdefault(group_of(row, rule), _Group(rule)).add(row, sample)
    return groups


def _measured(
    archive: Archive, root: Path, groups: Mapping[str, _Group], workers: int | None, listener: Listener
) -> dict[str, Sampled]:
    """Measure the series that were drawn, in several processes."""
    drawn = {key: folder for group in groups.values() for _, key, folder in group.drawn}
    if not drawn:
        return {}
    files = _files(archive, set(drawn))
    tasks = (
        [Series(key, folder, files[key], str(root))] for key, folder in sorted(drawn.items(), key=lambda one: one[1])
    )
    found: dict[str, Sampled] = {}
    processes = min(workers or usual_processes(), len(drawn)) if len(drawn) > _FEW else 1
    listener(Progress(Stage.MEASURE, 0, len(drawn)))
    for _, results in shared_out(measure_some, tasks, processes, lost):
        found.update({one.key: one for one in results})
        listener(Progress(Stage.MEASURE, len(found), len(drawn)))
    return found


_FEW = 4
"""Series that one process measures before others are worth starting."""


def _files(archive: Archive, keys: set[str]) -> dict[str, tuple[str, ...]]:
    """The files of some series: those in the middle where each has its place."""
    found: dict[str, list[tuple[int | None, str]]] = defaultdict(list)
    for part in sorted(archive.files.glob("part-*.parquet")):
        for row in read_table(part, FILES):
            if row["series"] in keys and not row["wrong"]:
                found[row["series"]].append((row["place"], row["path"]))
    return {key: _in_the_middle(found[key]) for key in keys}


def _in_the_middle(files: list[tuple[int | None, str]]) -> tuple[str, ...]:
    if any(place is None for place, _ in files):
        return tuple(path for _, path in files)
    first = max(0, (len(files) - SLICES) // 2)
    return tuple(path for _, path in sorted(files, key=lambda one: one[0] or 0)[first : first + SLICES])


def _of(group: _Group, measured: Mapping[str, Sampled]) -> list[Sampled]:
    return [measured[key] for _, key, _ in group.drawn if key in measured]


class _Costs(dict[str, Cost]):
    """Costs by method, each looked up or timed when it is first asked for."""

    def __init__(self, trial: bool, listener: Listener) -> None:
        """Know whether methods are timed on this machine."""
        super().__init__()
        self._trial, self._listener = trial, listener

    def __missing__(self, method: str) -> Cost:
        from demottle.archive.plan.costs import timed_cost
        from demottle.methods import method as look_up

        known = look_up(method)
        timed = self._trial and known.takes(sequence=False) and not known.is_trained
        self[method] = timed_cost(method, listener=self._listener) if timed else usual_cost(method)
        return self[method]
