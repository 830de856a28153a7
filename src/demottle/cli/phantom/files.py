"""What `demottle phantom` writes besides the page: figures as CSV and JSON, and the history."""

import csv
import hashlib
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from demottle.image import Image
from demottle.io.output import staged
from demottle.io.workplace import held
from demottle.quality.phantoms.figures import Figure
from demottle.quality.phantoms.history import Chart, Entry, as_csv, entries_of, read_history
from demottle.quality.phantoms.measured import Examined
from demottle.quality.to_plain import plain

COLUMNS = ("group", "figure", "unit", "before", "after", "low", "high", "error")
_FINGERPRINT = 16


def write_figures(path: Path, figures: Sequence[Figure]) -> None:
    """Write one figure to a line; what was not measured, or is not stated, is empty.

    Raises:
        OutputError: where the file cannot be written.
    """
    with staged(path, overwrite=True) as place, place.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for f in figures:
            values = (f.before, f.after, f.low, f.high, f.error)
            writer.writerow((f.group, f.name, f.unit, *(f"{v:.8g}" if isfinite(v) else "" for v in values)))


def as_mapping(examined: Examined, figures: Sequence[Figure], charts: Sequence[Chart]) -> dict[str, Any]:
    """What is told as JSON: which phantom, how it lies, every figure, what could not be measured, and what drifted."""
    found, after = examined.found, examined.after
    return {
        "kind": found.layout.kind,
        "title": found.layout.title,
        "agreement": plain(found.score),
        "pose": plain(found.pose),
        "figures": [
            {**plain(f), "within_before": f.within(f.before), "within_after": f.within(f.after)} for f in figures
        ],
        "refused": {"before": list(examined.before.refused), "after": list(after.refused) if after else []},
        "history": [{**plain(chart), "outside": list(chart.outside)} for chart in charts],
    }


def add_to_history(path: Path, figures: Sequence[Figure], date: str, scan: Image, kind: str) -> list[Entry]:
    """Add a scan's figures to a history and return all of it. The figures of a scan that is in it already are replaced.

    The file is replaced as a whole: it is complete at any time. Two programs that add to it at once wait for each other.

    Raises:
        InputError: for another kind of file.
        OutputError: where it cannot be written.
    """
    mark = hashlib.sha256(np.ascontiguousarray(scan.voxels).tobytes()).hexdigest()[:_FINGERPRINT]
    path.absolute().parent.mkdir(parents=True, exist_ok=True)
    with held(path.absolute().parent):
        kept = [entry for entry in read_history(path) if (entry.scan, entry.phantom) != (mark, kind)]
        entries = [*kept, *entries_of(figures, date, mark, kind)]
        with staged(path, overwrite=True) as place:
            place.write_text(as_csv(entries), encoding="utf-8")
    return entries
