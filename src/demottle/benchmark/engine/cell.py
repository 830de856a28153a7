"""One cell in a process of its own (`python -m demottle.benchmark.engine.cell`): its peak of memory and a crash are its own.

Reads a request (JSON) from standard input: the cell, the folder for cases, whether energy can be told apart, the file of a method
of others. Writes the row to the file that the request names; that file is there only when the row is complete.
"""

import base64
import json
import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from demottle.benchmark.engine.cost import Energy, forget_peak, peak_mib, spending
from demottle.benchmark.engine.entrants import INPUT
from demottle.benchmark.engine.results import DONE, FAILED, Cell, Row
from demottle.benchmark.engine.running import Ran, run_entrant
from demottle.benchmark.suites.cases import Case
from demottle.benchmark.suites.catalog import Suite, suite_named
from demottle.errors import DemottleError
from demottle.image import Image, Voxels
from demottle.io.output import staged
from demottle.methods import use_file

_PICTURE = 160
"""Side of a kept picture in pixels."""


def run_cell(cell: Cell, cache: Path, alone: bool) -> Row:
    """Do a cell; what fails becomes a row with its reason.

    Args:
        cell: what to do.
        cache: folder for cases.
        alone: nothing else runs, so that the machine's energy is this cell's.
    """
    begun = time.monotonic()
    try:
        found = _found(cell, cache, alone)
    except Exception as error:
        found = {"status": FAILED, "reason": reason_of(error)}
    return {**cell.facts(), **found, "wall": round(time.monotonic() - begun, 2)}


def reason_of(error: Exception) -> str:
    """A sentence: demottle's own, or kind and text of what was raised."""
    if isinstance(error, DemottleError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There was not enough memory."
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _found(cell: Cell, cache: Path, alone: bool) -> Row:
    suite = suite_named(cell.case.suite)
    if suite.own:
        return _measured(suite, cell, cache, alone)
    case = suite.build(cell.case, cache)
    if cell.entrant.info is not None:
        cell.entrant.info.load()
    forget_peak()
    before, energy = peak_mib(), Energy() if alone else None
    ran = run_entrant(cell.entrant, case, cell.minutes, cell.threads)
    joules = None if energy is None else energy.joules()
    peak = peak_mib()
    quality = {name: _plain(value, 5) for name, value in suite.judge(case, ran.image).items()}
    return {
        "status": DONE,
        "quality": quality,
        "cost": {**_cost(ran), "peak_mib": round(peak, 1), "added_mib": round(peak - before, 1), "joules": joules},
        "settings": dict(ran.settings),
        "steps": ran.fitted.get("steps"),
        "ended": ran.fitted.get("ended"),
        "placed": {name: len(getattr(case.placed, name)) for name in ("edges", "faint", "empty", "small")},
        **_pictures(cell, case, ran.image),
    }


def _measured(suite: Suite, cell: Cell, cache: Path, alone: bool) -> Row:
    """Let a suite measure for itself; its cost is that of the process, for as far as the suite says nothing else."""
    forget_peak()
    energy = Energy() if alone else None
    with spending() as spent:
        found = suite.measure(cell.case, cell.entrant.name, cache)
    cost = {
        "seconds": round(spent.seconds, 3),
        "cpu_seconds": round(spent.cpu_seconds, 3),
        "peak_mib": round(peak_mib(), 1),
        "joules": None if energy is None else energy.joules(),
        **found.cost,
    }
    quality = {name: _plain(value, 5) for name, value in found.quality.items()}
    return {"status": DONE, "quality": quality, "cost": cost, "said": dict(found.said)}


def _pictures(cell: Cell, case: Case, image: Image) -> Row:
    if not cell.case.shown:
        return {}
    of_truth = {"truth_picture": picture_of(case, case.truth)} if cell.entrant.name == INPUT else {}
    return {"picture": picture_of(case, image), **of_truth}


def _cost(ran: Ran) -> Mapping[str, Any]:
    slices = ran.image.shape[0]
    return {
        "learning": round(ran.learning.seconds, 3),
        "per_slice": round(ran.applying.seconds / slices, 5),
        "seconds": round(ran.learning.seconds + ran.applying.seconds, 3),
        "cpu_seconds": round(ran.learning.cpu_seconds + ran.applying.cpu_seconds, 3),
    }


def picture_of(case: Case, image: Image) -> str:
    """A part of the middle slice around the middle of the body, at the body window or as bright as the truth: PNG in base64."""
    index = case.noisy.shape[0] // 2
    rows, columns = np.nonzero(case.body[index])
    box = tuple(
        slice(max(0, int(np.median(at)) - _PICTURE // 2), max(0, int(np.median(at)) - _PICTURE // 2) + _PICTURE)
        for at in (rows, columns)
    )
    low, high = window_of(case, case.truth.voxels[index][box])
    gray = np.clip((image.voxels[index][box] - low) / (high - low), 0, 1)
    if image.sequence:
        gray = np.sqrt(gray)  # linear exposures: what lies behind the spine would be black
    _, png = cv2.imencode(".png", (255 * gray).round().astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return base64.b64encode(png.tobytes()).decode()


def window_of(case: Case, shown: Voxels) -> tuple[float, float]:
    """Body window in HU; elsewhere from the part of the truth that is shown, the same for every entrant."""
    if case.truth.unit == "HU":
        return -110.0, 190.0
    low, high = np.percentile(shown, [0.5, 99.5])
    return float(low), float(high)


def _plain(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), digits)


def main() -> None:
    """Do the cell that standard input asks for."""
    request = json.load(sys.stdin)
    if request.get("method_file"):
        use_file(request["method_file"])
    cell = Cell.from_dict(request["cell"])
    _limit_threads(cell.threads)
    row = run_cell(cell, Path(request["cache"]), bool(request["alone"]))
    with staged(Path(request["answer"]), overwrite=True) as answer:
        answer.write_text(json.dumps(row, allow_nan=False), encoding="utf-8")


def _limit_threads(threads: int) -> None:
    """OpenCV does not read the environment that numpy and torch do."""
    cv2.setNumThreads(threads)


if __name__ == "__main__":
    main()
