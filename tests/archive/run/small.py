"""An archive of small CT series with its index and plan, made in a moment."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from demottle import io
from demottle.archive.columns import read_table, write_table
from demottle.archive.layout import FILES, PLAN, SERIES, Archive, Told
from demottle.archive.run.begin import folder_of_run
from demottle.archive.run.drive import Told as Progress
from demottle.archive.run.drive import drive, take_back
from demottle.archive.run.engines.engine import Engine
from demottle.archive.run.engines.plain import Plain
from demottle.archive.run.entering import enter
from demottle.archive.run.order import Job, Order
from demottle.archive.run.state import State
from demottle.io.output import publishing
from demottle.physics.phantoms.phantom import body_phantom

Row = dict[str, Any]


def small_archive(
    folder: Path,
    count: int,
    size: int = 48,
    slices: int = 2,
    method: str = "gaussian",
    groups: Sequence[str] = (),
    cut: int = 0,
) -> Archive:
    """Write scans/P0/S0 ... below a folder, and their tables in data/; every series has noise of its own.

    `cut`: rows and columns that the field of view leaves out at each side.
    """
    truth = body_phantom(slices, size, (3.0, 384 / size, 384 / size))
    truth = replace(truth, voxels=truth.voxels[:, cut : size - cut, cut : size - cut])
    root, archive = folder / "scans", Archive(folder / "data")
    files: list[Row] = []
    series: list[Row] = []
    plan: list[Row] = []
    for number in range(count):
        noise = np.random.default_rng(number).normal(0, 20, truth.shape).astype(np.float32)
        image = replace(truth.with_voxels(truth.voxels + noise), slice_thickness=3.0, source=io.described("Body"))
        name, key = f"P{number // 3}/S{number}", f"{number:016x}"
        io.write(image, root / name, format="dicom")
        paths = sorted((root / name).iterdir())
        files += [
            {"path": path.relative_to(root).as_posix(), "size": path.stat().st_size, "series": key} for path in paths
        ]
        size_of = sum(path.stat().st_size for path in paths)
        about = {"folder": name, "modality": "CT", "own": False, "slices": slices, "files": slices, "bytes": size_of}
        told = {"manufacturer": ("A", "B")[number % 2], "model": "Scanner", "protocol": "Chest", "date": "2025-06-03"}
        series.append({"key": key, **about, **told})
        group = groups[number] if groups else ""
        plan.append({"key": key, "verb": "denoise", "method": method, "strength": 1.0, "group": group, "seconds": 1.0})
    archive.folder.mkdir(parents=True)
    archive.tell(Told(str(root)))
    write_table(archive.files / "part-00000.parquet", FILES, files)
    write_table(archive.series, SERIES, series)
    write_table(archive.plan, PLAN, plan)
    return archive


def order_of(archive: Archive, name: str = "denoise", **more: Any) -> Order:
    """An order of a run beside the archive, whose results are written whatever the gate says."""
    folder = folder_of_run(archive, name)
    told = {"output": archive.folder.parent / "out", "force": True, "pages": False, **more}
    return Order(archive.folder, Path(archive.told().root), folder, **told)


def carried_out(order: Order, engine: Engine | None = None, verb: str = "denoise", **more: Any) -> Progress:
    """Run, or go on with a run; `more`: for `drive`."""
    state = State(order.folder)
    take_back(order, state)
    enter(Archive(order.archive), state, verb, order.evaluated)
    told = {"stop": lambda: False, "show": lambda told: None, **more}
    return drive(order, state, engine or Plain(order), **told)


def results_of(order: Order) -> dict[str, Row]:
    """Rows of the data set by key; a key that is there twice fails."""
    rows = [row for part in sorted((order.folder / "results").glob("*.parquet")) for row in read_table(part)]
    assert len({row["key"] for row in rows}) == len(rows)
    return {row["key"]: row for row in rows}


def digests(folder: Path) -> dict[str, str]:
    """What lies below a folder, hidden names too."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def quickly(order: Order, job: Job, row: Row, closing: Callable[[], Row]) -> Row:
    """In place of denoising, where that does not matter: a file in the folder of the result, and the row."""
    output, record = job.result(order), job.record(order)
    with publishing([output, record], overwrite=True) as at:
        at[output].mkdir()
        (at[output] / "1.dcm").write_bytes(b"".join((order.root / file).read_bytes() for file in job.files))
        row = {**row, "method": job.method, "output": str(output), **closing()}
        at[record].write_text(json.dumps(row), encoding="utf-8")
    return row
