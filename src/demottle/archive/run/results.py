"""The data set of results: Parquet files with one row for each series that has ended, written now and then and at the end."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from demottle.archive.columns import write_table
from demottle.archive.run.rows import RESULTS, Row
from demottle.archive.run.state import State

FOLDER = "results"
_NAME = re.compile(r"part-(\d{6})\.parquet")
_LISTS = ("tissues", "verdicts", "record")


def write_results(folder: Path, state: State) -> None:
    """Write the rows that are in no file yet into one more; each row is in one file, whenever the program is killed.

    Raises:
        OutputError: the disk does not take them; they stay in the state.
    """
    place, known = folder / FOLDER, state.parts()
    for path in place.glob("part-*.parquet"):
        found = _NAME.fullmatch(path.name)
        if found is not None and int(found[1]) not in known:  # the state was not told of it, or no longer counts it
            path.unlink(missing_ok=True)
    if not state.unwritten():
        return
    part = max(known, default=0) + 1
    write_table(place / f"part-{part:06d}.parquet", RESULTS, map(_plain, state.rows(unwritten=True)))
    state.written(part)


def _plain(row: Row) -> Row:
    """Values that a column can hold."""
    return {**row, **{name: json.dumps(row[name]) for name in _LISTS if name in row and not isinstance(row[name], str)}}


def rows_of(folder: Path) -> Iterator[Row]:
    """Rows of all that has ended, those too that are in no file yet."""
    state = State(folder)
    try:
        yield from state.rows()
    finally:
        state.close()
