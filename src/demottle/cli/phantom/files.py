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


def with_history(path: Path, place: Path, figures: Sequence[Figure], date: str, scan: Image, kind: str) -> list[Entry]:
    """Write a history with a scan's figures added, and return all of it; those of a scan that is in it already are replaced.

    Args:
        path: the history so far; it need not be there.
        place: where the new one is written, as a whole.
        figures: of the scan.
        date: its day, YYYY-MM-DD.
        scan: the scan, which is known again by its voxels.
        kind: kind of phantom.

    Raises:
        InputError: for another kind of file.
    """
    mark = hashlib.sha256(np.ascontiguousarray(scan.voxels).tobytes()).hexdigest()[:_FINGERPRINT]
    kept = [entry for entry in read_history(path) if (entry.scan, entry.phantom) != (mark, kind)]
    entries = [*kept, *entries_of(figures, date, mark, kind)]
    place.write_text(as_csv(entries), encoding="utf-8")
    return entries
