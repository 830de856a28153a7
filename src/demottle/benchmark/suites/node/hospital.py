"""A day in a hospital in some minutes: is every series where it belongs, once and complete, and does the node grow?"""

import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from demottle.benchmark.suites.cases import Finding
from demottle.benchmark.suites.node.accounts import account
from demottle.benchmark.suites.node.archive import Archive
from demottle.benchmark.suites.node.day import AWAY, BEGINS, HOURS, LATE, UNKNOWN, Visit, day
from demottle.benchmark.suites.node.objects import series_uid, write_series
from demottle.benchmark.suites.node.parties import OTHER_SCANNER, SCANNER, Peer, node, send
from demottle.benchmark.suites.node.processes import Held, held_by, until
from demottle.benchmark.suites.node.slopes import Slope, slope
from demottle.errors import DemottleError
from demottle.node.queue import shown
from demottle.node.queue.store import Queue, States

SLICES, SIZE, REST = 6, 96, 2
QUIET = 2.0
_ON_THE_WAY = (States.RECEIVING, States.WAITING, States.WORKING, States.SENDING)
_LOOK = 0.5
_PATIENCE = 1800.0  # after the day: on a machine with other work a series takes several times as long
_KERNELS = {False: "Br40", True: "Hr60"}
RULES = """
[[rule]]
when = { kernel = "Br*" }
method = "gaussian"
to = ["archive"]
[[rule]]
when = { kernel = "Hr*" }
method = "gaussian"
to = ["archive", "second"]
"""
AIM_MIB = 1.0
"""Growth per 100 series."""


@dataclass
class _Seen:
    """What was seen over the day: series that were done at each look, and what was held then (MiB, descriptors, MiB)."""

    done: list[float] = field(default_factory=list)
    network: list[Held] = field(default_factory=list)
    worker: list[tuple[float, Held]] = field(default_factory=list)
    journal: list[float] = field(default_factory=list)


def measured(series: int, seconds: float, seed: int) -> Finding:
    """Live through a day.

    Args:
        series: how many come.
        seconds: that the day takes.
        seed: from which the day follows.

    Raises:
        DemottleError: a scanner could not send, or something was still on its way half an hour after the day.
    """
    visits = day(series, seed)
    archives = {"archive": Archive("ARCHIVE"), "second": Archive("SECOND")}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="node-") as temporary:
        folder = Path(temporary)
        text = "".join(one.as_toml(name) for name, one in archives.items()) + RULES
        for one in archives.values():
            one.open()
        try:
            with node(folder, text, quiet=QUIET) as peer:
                seen, states = _live(peer, folder, visits, archives, seconds)
        finally:
            for one in archives.values():
                one.close()
    return _finding(visits, archives, states, seen, time.monotonic() - begun)


def _live(
    peer: Peer, folder: Path, visits: Sequence[Visit], archives: Mapping[str, Archive], seconds: float
) -> tuple[_Seen, dict[str, shown.Shown]]:
    """Let the day pass; return what was seen, and each series as the queue shows it in the end, by the patient's name."""
    begun, wrong = time.monotonic(), []

    def until_hour(hour: float) -> None:
        time.sleep(max(0.0, begun + hour / HOURS * seconds - time.monotonic()))

    def scan(title: str) -> None:
        try:
            for hour, visit, part in _sendings(visits, title):
                until_hour(hour)
                send([_written(folder, visit)[part]], peer, title)
        except Exception as error:
            wrong.append(error)

    def sleep_over_night() -> None:
        until_hour((AWAY[0] - BEGINS) % HOURS)
        archives["second"].close()
        until_hour((AWAY[1] - BEGINS) % HOURS)
        archives["second"].open()

    def come_after() -> None:
        try:
            for visit in sorted((one for one in visits if one.after), key=lambda one: one.again or 0.0):
                until_hour(visit.again or 0.0)
                until(partial(_arrived, archives["archive"], visit), seconds + _PATIENCE, "A result did not arrive")
                send([_written(folder, visit)["rest"]], peer, visit.scanner)
        except Exception as error:
            wrong.append(error)

    doing = [threading.Thread(target=scan, args=(title,), daemon=True) for title in (SCANNER, OTHER_SCANNER)]
    doing += [threading.Thread(target=do, daemon=True) for do in (sleep_over_night, come_after)]
    for one in doing:
        one.start()
    seen, queue = _Seen(), Queue(peer.folder / "queue.sqlite")
    try:
        while any(one.is_alive() for one in doing) or _on_the_way(queue):
            if wrong:
                raise wrong[0]
            if time.monotonic() > begun + seconds + _PATIENCE:
                raise DemottleError(f"{_on_the_way(queue)} series are on their way half an hour after the day.")
            time.sleep(_LOOK)
            _look(peer, queue, seen)
        listed = {one["uid"]: one for one in shown.list_series(queue, most=len(visits) + 1)}
    finally:
        queue.close()
    if wrong:
        raise wrong[0]
    return seen, {one.name: listed[uid] for one in visits if (uid := series_uid(one.name)) in listed}


def _arrived(archive: Archive, visit: Visit) -> bool:
    """True where the first result of a late series stands in the archive."""
    return sum(one.patient == visit.name for one in list(archive.came)) >= SLICES - REST


def _sendings(visits: Sequence[Visit], title: str) -> list[tuple[float, Visit, str]]:
    """What a scanner sends, in order: the hour, the series, and which part of it."""
    made = []
    for one in visits:
        if one.scanner == title:
            made.append((one.hour, one, "first" if one.kind == LATE else "all"))
            if one.again is not None and not one.after:
                made.append((one.again, one, "rest" if one.kind == LATE else "all"))
    return sorted(made, key=lambda sending: sending[0])


def _written(folder: Path, visit: Visit) -> dict[str, Path]:
    """The folders of a series, written when they are asked for the first time: all of it, or what comes first and the rest."""
    places = {part: folder / "scans" / visit.name / part for part in ("all", "first", "rest")}
    if not places["all"].exists():
        kernel = "unheard of" if visit.kind == UNKNOWN else _KERNELS[visit.both]
        write_series(places["all"], visit.name, SLICES, SIZE, {"ConvolutionKernel": kernel})
        for part in ("first", "rest"):
            places[part].mkdir()
        for number, file in enumerate(sorted(places["all"].iterdir())):
            (places["first" if number < SLICES - REST else "rest"] / file.name).hardlink_to(file)
    return places


def _on_the_way(queue: Queue) -> int:
    """How many series are not done with."""
    states = shown.counts(queue)["series"]
    return int(sum(states.get(str(one), 0) for one in _ON_THE_WAY))


def _look(peer: Peer, queue: Queue, seen: _Seen) -> None:
    """Note how many series are done, and what processes and queue hold."""
    done = float(sum(shown.counts(queue)["series"].values()) - _on_the_way(queue))
    journal, network = peer.folder / "queue.sqlite-wal", held_by(peer.process)
    worker = held_by(peer.worker or 0)
    if network is not None:
        seen.done.append(done)
        seen.network.append(network)
        seen.journal.append(journal.stat().st_size / 2**20 if journal.exists() else 0.0)
    if worker is not None:
        seen.worker.append((done, worker))


def _finding(
    visits: Sequence[Visit],
    archives: Mapping[str, Archive],
    states: Mapping[str, shown.Shown],
    seen: _Seen,
    seconds: float,
) -> Finding:
    found = account(visits, {name: one.came for name, one in archives.items()}, states, SLICES)
    grown = _grown(seen, len(visits))
    quality: dict[str, float | None] = {**found.figures, "journal_mib": max(seen.journal, default=None)}
    missed = list(found.wrong)
    for name, one in grown.items():
        quality |= {name: None if one is None else one.per_hundred, f"{name}_half": None if one is None else one.half}
        most = AIM_MIB if name != "descriptors_slope" else 0.0
        if one is not None and not one.within(most):
            missed.append(f"{name} {one.per_hundred:+.2f} per 100 series (± {one.half:.2f})")
    said = {"states": found.states, "reasons": found.reasons, **({"missed": "; ".join(missed)} if missed else {})}
    cost = {"seconds": round(seconds, 1)}
    if seen.network and seen.worker:
        last = (seen.network[-1], seen.worker[-1][1])
        cost |= {
            "peak_mib": round(sum(one.peak for one in last), 1),
            "cpu_seconds": round(sum(one.processor for one in last), 1),
        }
    return Finding(quality, said, cost)


def _grown(seen: _Seen, series: int) -> dict[str, Slope | None]:
    """Slopes per 100 series: MiB of both processes, descriptors of both together, MiB of the queue's journal."""
    done_by_worker = [done for done, _ in seen.worker]
    return {
        "network_slope": slope(seen.done, [one.resident for one in seen.network], series),
        "worker_slope": slope(done_by_worker, [one.resident for _, one in seen.worker], series),
        "descriptors_slope": slope(seen.done, [float(one.descriptors) for one in seen.network], series),
        "journal_slope": slope(seen.done, seen.journal, series),
    }
