"""An archive: series per hour with one worker and two, what the engines add to a plain loop, a lost node, the program's memory.

Series are CT phantoms that share one network, fitted before anything is timed. Each run is one of the real command line, or of
the functions that it calls, in a process of its own.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from demottle import io
from demottle.archive.columns import write_table
from demottle.archive.layout import FILES, PLAN, SERIES, Archive, Told
from demottle.benchmark.suites.cases import Finding
from demottle.benchmark.suites.speed.engines import overhead, workers
from demottle.errors import DemottleError
from demottle.physics.phantoms.phantom import body_phantom

FIELD_MM, SPACING_MM, SIGMA = 380.0, 1.0, 30.0
GROUP = "chest"


def measured(what: str, series: int, slices: int, size: int, rounds: int) -> Finding:
    """Measure one of "workers", "overhead", "lost node" or "memory"; the first two in so many rounds.

    Raises:
        DemottleError: a run failed; the sentence has the end of what it said.
    """
    if what == "memory":
        return _memory(series)
    with tempfile.TemporaryDirectory() as temporary:
        archive = make_archive(Path(temporary), series, slices, size)
        if what == "lost node":
            return _lost(archive, series)
        return {"workers": workers, "overhead": overhead}[what](archive, series, rounds)


def make_archive(folder: Path, series: int, slices: int, size: int) -> Archive:
    """Write scans and tables of an archive, and the network that its series share."""
    pixel = FIELD_MM / size
    truth, archive = body_phantom(slices, size, (SPACING_MM, pixel, pixel)), Archive(folder / "data")
    files: list[dict[str, Any]] = []
    about: list[dict[str, Any]] = []
    for number in range(series):
        noise = np.random.default_rng(number).normal(0, SIGMA, truth.shape).astype(np.float32)
        image = replace(
            truth.with_voxels(truth.voxels + noise), slice_thickness=SPACING_MM, source=io.described("Chest")
        )
        name, key = f"S{number}", f"{number:016x}"
        io.write(image, folder / "scans" / name, format="dicom")
        paths = sorted((folder / "scans" / name).iterdir())
        files += [{"path": f"{name}/{one.name}", "size": one.stat().st_size, "series": key} for one in paths]
        about.append({"key": key, "folder": name, "modality": "CT", "own": False, "bytes": slices * size * size * 2})
        if number == 0:
            _fit(folder / "scans" / name, archive.fitted / f"{GROUP}.safetensors")
    archive.folder.mkdir(exist_ok=True)
    archive.tell(Told(str(folder / "scans")))
    write_table(archive.files / "part-00000.parquet", FILES, files)
    write_table(archive.series, SERIES, about)
    told = {"verb": "denoise", "method": "ns-n2n", "strength": 1.0, "group": GROUP, "seconds": 10.0}
    write_table(archive.plan, PLAN, ({**told, "key": one["key"]} for one in about))
    return archive


def _fit(scan: Path, model: Path) -> None:
    from demottle.pipeline.run import denoise

    model.parent.mkdir(parents=True)
    denoise(io.read(scan), method="ns-n2n", steps=5, progress=False).denoiser.save(
        model
    )  # what it learned costs nothing later


def _lost(archive: Archive, series: int) -> Finding:
    """A cluster of three nodes, each with a core, of which one is lost in the middle of a run."""
    done = subprocess.run(
        [sys.executable, "-c", _CLUSTER, str(archive.folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DemottleError(f"The cluster's run ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}.")
    told = json.loads(done.stdout.splitlines()[-1])
    finished = told["done"] == series and told["lost_at"] < series
    why = {} if finished else {"missed": f"{told['done']} of {series} series are done"}
    return Finding({"passes": float(finished)}, {"series": series, **told, **why}, {"seconds": told["seconds"]})


def _memory(series: int) -> Finding:
    """Peak memory of the program for so many series that take no time, beside that for a tenth of them."""
    from demottle.benchmark.suites.speed.commands import spent

    few, many = (spent([sys.executable, "-c", _DRIVER, str(count)]) for count in (series // 10, series))
    grown = 1024 * (many[2] - few[2])
    said = {"series": series, "tenth_mib": round(1024 * few[2], 1)}
    quality = {"grown_mib": round(grown, 1), "per_second": round(series / many[0], 1)}
    return Finding(quality, said, {"seconds": round(many[0], 2), "peak_mib": round(1024 * many[2], 1)})


_CLUSTER = """
import os, sys, time, json, threading
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "RAY_raylet_start_wait_time_s": "180"}
from pathlib import Path
from ray.cluster_utils import Cluster as Nodes
from demottle.archive.layout import Archive
from demottle.archive.run.drive import drive
from demottle.archive.run.engines.cluster import Cluster
from demottle.archive.run.entering import enter
from demottle.archive.run.order import Order
from demottle.archive.run.state import State
archive = Archive(Path(sys.argv[1]))
places = archive.runs / "nodes", archive.folder.parent / "nodes"
order = Order(archive.folder, Path(archive.told().root), *places, force=True, pages=False, threads=1)
store = {"object_store_memory": 80 << 20}
nodes = Nodes(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **store})
others = [nodes.add_node(num_cpus=1, **store) for _ in range(2)]
state = State(order.folder)
enter(archive, state, "denoise")
lost = []
def show(told):
    done = told.state.counts()["done"]
    if done >= 2 and not lost:
        lost.append(done)
        nodes.remove_node(others[0], allow_graceful=False)
begun = time.monotonic()
told = drive(order, state, Cluster(order, 1, nodes.address, 1, 0, 0, 3), lambda: False, show)
counts, rows = state.counts(), list(state.rows())
again = sum(row["attempts"] > 1 for row in rows)
seconds = round(time.monotonic() - begun, 1)
print(json.dumps({**counts, "lost_at": lost[0] if lost else 10**9, "begun_again": again, "seconds": seconds}))
nodes.shutdown()
"""

_DRIVER = """
import sys, tempfile
from pathlib import Path
from demottle.archive.run.drive import drive
from demottle.archive.run.engines.engine import Ended
from demottle.archive.run.order import Order
from demottle.archive.run.state import State
class Instant:
    workers = room = 4
    def __init__(self):
        self.jobs = []
    def submit(self, job):
        self.jobs.append(job)
    def wait(self, seconds):
        jobs, self.jobs = self.jobs, []
        verdicts = [{"name": "noise", "value": 0.4}] * 20
        row = {"state": "done", "reason": "", "attempts": 1, "seconds": 1.0, "verdicts": verdicts}
        return [Ended(job, {**row, "key": job.key}) for job in jobs]
    def close(self, now):
        pass
with tempfile.TemporaryDirectory() as folder:
    place = Path(folder)
    order, state = Order(place, place, place / "run"), State(place / "run")
    told = {"verb": "inspect", "folder": "a", "uid": "1.2", "told": "{}", "grp": "", "seconds": 1.0, "bytes": 1}
    state.enter({**told, "key": f"{number:016x}"} for number in range(int(sys.argv[1])))
    done = drive(order, state, Instant(), lambda: False, lambda told: None)
    assert state.counts()["done"] == int(sys.argv[1])
"""
