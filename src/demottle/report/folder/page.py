"""One page and one table about a folder of scans: what came of each, the failures first."""

import csv
import io
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import isfinite, nan
from pathlib import Path
from typing import Any

from demottle.quality.verdict import FAILED, PASSED
from demottle.report.page import environment_and_style, write_whole
from demottle.report.words import signed

NOT_DONE = "not done"
_ORDER = (NOT_DONE, FAILED, "", PASSED)


@dataclass(frozen=True)
class Row:
    """What came of one scan, or of one volume of it.

    Attributes:
        scan: its name below the folder, with its volume.
        outcome: "not done", or the gate's state; empty where there are no limits for it.
        method: what denoised it.
        noise_before, noise_after: level in flat tissue, in `unit`; NaN where it was not measured.
        unit: "HU" or "a.u.".
        warnings: how many.
        seconds: what it took.
        output, page: where result and page are, relative to the table where they can be; empty where there is none.
        reason: why nothing came of it, or the first warning.
    """

    scan: str
    outcome: str
    method: str = ""
    noise_before: float = nan
    noise_after: float = nan
    unit: str = ""
    warnings: int = 0
    seconds: float = nan
    output: str = ""
    page: str = ""
    reason: str = ""

    @property
    def change(self) -> float:
        """Noise after over before, less 1."""
        return self.noise_after / self.noise_before - 1 if self.noise_before > 0 else nan


def row_of(scan: str, record: Mapping[str, Any], folder: Path) -> Row:
    """Return the row of a scan that was denoised, from its `run.json`.

    Args:
        scan: its name.
        record: content of `run.json`.
        folder: where the table lies.
    """
    noise = (record.get("check") or {}).get("noise") or {}
    before, after = (nan if noise.get(name) is None else float(noise[name]) for name in ("before", "after"))
    told = [str(one) for one in record.get("warnings") or ()]
    return Row(
        scan,
        str((record.get("gate") or {}).get("state", "")),
        str(record.get("method", "")),
        before,
        after,
        str((record.get("check") or {}).get("unit", "")),
        len(told),
        float(sum((record.get("times") or {}).values())) if record.get("times") else nan,
        _from(folder, record.get("output")),
        _from(folder, record.get("page")),
        told[0] if told else "",
    )


def write_folder_report(rows: Sequence[Row], folder: Path) -> None:
    """Write `index.html` and `results.csv` into a folder; both are whole, or as they were.

    Raises:
        OutputError: they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(table_of(rows), folder / "results.csv")
    environment, css = environment_and_style()
    environment.filters["signed"] = signed
    count = Counter(row.outcome for row in rows)
    ordered = sorted(rows, key=lambda row: _ORDER.index(row.outcome if row.outcome in _ORDER else ""))
    template = environment.get_template("folder/page.html.j2")
    page = template.render(css=css, rows=ordered, count=count, total=len(rows), not_done=NOT_DONE, finite=isfinite)
    write_whole(page, folder / "index.html")


def table_of(rows: Sequence[Row]) -> str:
    """Return the rows as CSV, in their order; what was not measured is empty. No cell begins a formula in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Row)])
    for row in rows:
        writer.writerow([_cell(value) for value in asdict(row).values()])
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if isfinite(value) else ""
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def _from(folder: Path, path: Any) -> str:
    return Path(os.path.relpath(str(path), folder)).as_posix() if path else ""
