"""From the rows of a run and the index to what the page of an archive tells."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from math import nan
from pathlib import Path
from typing import Any

from demottle.archive.columns import read_table
from demottle.archive.layout import PLAN, SERIES, Archive
from demottle.archive.run.rows import Row
from demottle.archive.run.state import State
from demottle.report.archive.page import Facts, write_archive_report
from demottle.report.archive.summary import Entry

_KNOWN = [
    one for one in SERIES if one.name in ("key", "folder", "manufacturer", "model", "protocol", "description", "date")
]


def write_report(archive: Archive, run: Path, page: Path, command: str = "") -> tuple[Path, int]:
    """Write the page of a run, also while it is at work, and its table; return the table's name and how many series it has.

    Raises:
        InputError: the index cannot be read.
        OutputError: page or table cannot be written.
    """
    state = State(run)
    try:
        about = {row["key"]: row for row in read_table(archive.series, _KNOWN)}
        entries = list(_entries(state, about, page.absolute().parent))
        counts = state.counts()
        verb = (state.told("order") or {}).get("verb", run.name)
    finally:
        state.close()
    left = counts["waiting"] + counts["running"]
    facts = Facts(archive.folder.resolve().name, run.name, verb, left, command, _left_alone(archive, verb))
    return write_archive_report(entries, facts, page), len(entries)


def _entries(state: State, about: Mapping[str, Mapping[str, Any]], beside: Path) -> Iterator[Entry]:
    for row in state.rows():
        one = about.get(row["key"], {})
        scanner = " ".join(dict.fromkeys(part for part in (one.get("manufacturer"), one.get("model")) if part))
        yield Entry(
            name=str(one.get("folder") or row["key"]),
            state=row["state"],
            reason=row["reason"],
            scanner=scanner,
            protocol=str(one.get("protocol") or one.get("description") or ""),
            month=str(one.get("date") or "")[:7],
            before=_number(row.get("noise_before")),
            after=_number(row.get("noise_after")),
            unit=str(row.get("unit") or ""),
            shifts=_shifts(row),
            gate=str(row.get("gate") or ""),
            seconds=_number(row.get("seconds")),
            shared=bool(row.get("shared")),
            page=Path(os.path.relpath(row["page"], beside)).as_posix() if row.get("page") else "",
        )


def _left_alone(archive: Archive, verb: str) -> dict[str, int]:
    """Series that the plan leaves alone, by reason; a run of another verb than the plan's asks it nothing."""
    if verb != "denoise" or not archive.plan.is_file():
        return {}
    wanted = [one for one in PLAN if one.name in ("verb", "reason")]
    return dict(Counter(row["reason"] for row in read_table(archive.plan, wanted) if row["verb"] == "leave"))


def _shifts(row: Row) -> dict[str, float]:
    told = row.get("tissues") or {}
    return {name: after - before for name, (before, after) in told.items() if before is not None and after is not None}


def _number(value: Any) -> float:
    return nan if value is None else float(value)
