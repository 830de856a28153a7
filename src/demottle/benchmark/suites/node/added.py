"""What a node adds between the last instance of a series and the first of the result, where nothing has to be learned for it."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom

from demottle import io
from demottle.benchmark.suites import unpaired_cohort
from demottle.benchmark.suites.cases import CaseSpec, Finding
from demottle.benchmark.suites.node.archive import Archive
from demottle.benchmark.suites.node.parties import Peer, node, send
from demottle.benchmark.suites.node.processes import Watch, until
from demottle.benchmark.suites.speed.commands import long_scan
from demottle.benchmark.suites.training import trained_small
from demottle.errors import DemottleError
from demottle.node.queue import shown
from demottle.node.queue.store import Queue, States

AIM_SECONDS = 30.0
RULE = '[[rule]]\nto = ["archive"]\nshare = true\n'
_PATIENCE = 3600.0
_STEPS = 100
_ENDED = (States.DONE, States.REFUSED, States.FAILED, States.LEFT)


def measured(
    slices: int, size: int, seed: int, method: str = "", share: bool = True, preset: str = "", model: Path | None = None
) -> Finding:
    """Send two patients of one protocol, one after the other; what is told is of the second. One is enough for a filter.

    Args:
        slices, size: of each series.
        seed: of the first patient; the second has the next one.
        method: that the rule names; empty: the scan decides.
        preset: of the rule; empty: none.
        share: keep the network of the first patient for the second; False: for a method that learns nothing.
        model: a trained model in the place of a method; its results are sent whatever the gate says of them.

    Raises:
        DemottleError: a result did not pass the gate or did not arrive; the sentence says why.
    """
    archive = Archive("ARCHIVE")
    archive.open()
    try:
        with tempfile.TemporaryDirectory(prefix="node-") as temporary:
            folder = Path(temporary)
            several = range(2 if share and model is None else 1)
            scans = [_written(folder / f"patient {number}", slices, size, seed + number) for number in several]
            rule = RULE if len(scans) > 1 else RULE.replace("share = true\n", "")
            named = {"method": method, "preset": preset, "model": model}
            rule += "".join(f'{key} = "{value}"\n' for key, value in named.items() if value)
            rule += "gate = false\n" if model else ""
            with node(folder, archive.as_toml("archive") + rule) as peer:
                before = [_done(peer, scan, number) for number, scan in enumerate(scans[:-1], 1)]
                with Watch(0.5, worker=lambda: peer.worker) as watch:
                    last = _done(peer, scans[-1], len(scans))
                return _finding(peer, archive, [*before, last], watch, slices)
    finally:
        archive.close()


def trained(name: str, cache: Path) -> Path:
    """The file of a model that a hospital might share, after a short training (kept in the cache)."""
    recipe = {**unpaired_cohort.QUICK, "real": False, "learning_seed": 0}
    case = unpaired_cohort.build(CaseSpec("node", "trained model", unpaired_cohort.FIRST_SEED, recipe), cache)
    folder = cache / "trained model"
    trained_small(name, {"steps": _STEPS, "warm_up": _STEPS}, case, folder, name)
    return next(folder.glob(f"{name}-*.safetensors"))


def _written(folder: Path, slices: int, size: int, seed: int) -> Path:
    """Write a scan that says how many instances it has, so that it is complete with the last of them."""
    made = long_scan(slices, size, seed=seed)
    io.write(replace(made, slice_thickness=made.spacing[0]), folder, format="dicom")
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.PatientID, dataset.NumberOfSeriesRelatedInstances = folder.name, slices
        dataset.save_as(path)
    return folder


def _done(peer: Peer, scan: Path, number: int) -> shown.Shown:
    """Send a scan and wait until it was sent on; return what the queue shows of it."""
    send([scan], peer)
    queue = Queue(peer.folder / "queue.sqlite")
    try:
        found: list[shown.Shown] = []

        def ended() -> bool:
            found[:] = [one for one in [shown.one_series(queue, number)] if one is not None]
            return bool(found) and found[0]["state"] in _ENDED

        until(ended, _PATIENCE, "The series was not sent on")
    finally:
        queue.close()
    if found[0]["state"] != States.DONE:
        raise DemottleError(f"Series {number} was not sent on: {found[0]['reason']}")
    return found[0]


def _finding(peer: Peer, archive: Archive, done: Sequence[shown.Shown], watch: Watch, slices: int) -> Finding:
    folders = [peer.folder / "results" / str(one["rounds"][0]["id"]) for one in done]
    records = [json.loads((folder / "run.json").read_text("utf-8")) for folder in folders]
    if len(done) > 1 and not records[-1].get("shared_model"):
        raise DemottleError(
            "The second series got a network of its own: its warnings or the gate spoke against the first."
        )
    came = [one.at for one in archive.came[-slices:]]
    told = done[-1]
    times = parts(told, folders[-1], records[-1]["times"], came)
    seconds = came[0] - told["last"]
    missed = {"missed": f"{seconds:.0f} s, the aim is {AIM_SECONDS:.0f}"} if seconds > AIM_SECONDS else {}
    figures: dict[str, float | None] = {"added": seconds, **{f"added_{name}": value for name, value in times.items()}}
    figures["added_first"] = done[0]["rounds"][0]["ended"] - done[0]["last"] if len(done) > 1 else None
    said = {"times": [one["times"] for one in records], "method": records[-1]["method"], **missed}
    cost = {"seconds": round(came[-1] - told["last"], 2)}
    worker = watch.seen["worker"]
    if worker:
        cost["cpu_seconds"] = round(worker[-1][1].processor - worker[0][1].processor, 1)
        cost["peak_mib"] = round(worker[-1][1].peak, 1)
    return Finding(figures, said, cost)


def parts(
    series: Mapping[str, Any], results: Path, times: Mapping[str, float], came: Sequence[float]
) -> dict[str, float]:
    """Where the seconds go, in order; reading is with the gate and all that has no name, sending until the first object came.

    The page does not count: it is drawn while images are sent.

    Args:
        series: as the queue shows it (`shown.one_series`).
        results: the folder of its results, whose files say when they were written.
        times: of the record: seconds of measure, learn, apply, check.
        came: when its objects came to the archive.
    """
    images = [path.stat().st_mtime for path in (results / "images").rglob("*.dcm")]
    begun = float(series["rounds"][0]["begun"])
    within = {name: float(times.get(name, 0.0)) for name in ("measure", "learn", "apply", "check")}
    return {
        "complete": begun - float(series["last"]),
        "read": min(images) - begun - sum(within.values()),
        **within,
        "write": max(images) - min(images),
        "send": came[0] - max(images),
    }
