"""What is to be done comes into the state of a run: from the plan, from the index alone, or from the results of another run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from demottle.archive.columns import read_table
from demottle.archive.layout import FILES, PLAN, SERIES, Archive
from demottle.archive.run.results import rows_of
from demottle.archive.run.rows import DONE
from demottle.archive.run.state import State
from demottle.errors import InputError

_GUESS = 4e-7
"""Seconds for a byte, where the plan says nothing; only the ratios between series count, as the pace is measured."""
_AT_ONCE = 20_000  # files in memory


class _About(NamedTuple):
    """What has to be known of a series here: little, as all of an archive's are in memory for a moment."""

    key: str
    series_uid: str
    folder: str
    modality: str
    own: bool
    bytes: int
    wrong: str


_KNOWN = [one for one in SERIES if one.name in _About._fields]


def enter(archive: Archive, state: State, verb: str, evaluated: Path | None = None) -> int:
    """Take in the series that are not yet known to a run; return how many.

    Args:
        archive: the data set.
        state: of the run.
        verb: denoise and simulate take what the plan says; inspect takes every series that can be read; evaluate takes what is
            done in another run.
        evaluated: folder of that run.

    Raises:
        InputError: there is no index, no plan, or no such run.
    """
    about = {row["key"]: _About(*(row[one.name] for one in _KNOWN)) for row in read_table(archive.series, _KNOWN)}
    wanted = _planned(archive, about, verb) if evaluated is None else _evaluated(about, evaluated)
    added = state.enter(_entries(about, wanted))
    numbers = state.without_files()
    if numbers:
        state.enter_files(_files(archive, numbers))
    return added


def _planned(archive: Archive, about: dict[str, _About], verb: str) -> Iterator[dict[str, Any]]:
    """Series with what is to be done with them."""
    if verb == "inspect":
        yield from ({"key": key, "verb": verb, "seconds": 0.0} for key, one in about.items() if not one.wrong)
        return
    planned = list(_rows_for(archive, verb)) if verb == "simulate" else _rows_for(archive, verb)
    if verb == "simulate" and not planned:
        known = (key for key, one in about.items() if not one.wrong and one.modality == "CT" and not one.own)
        planned = [{"key": key, "verb": verb, "seconds": 0.0} for key in known]
    yield from planned


def _rows_for(archive: Archive, verb: str) -> Iterator[dict[str, Any]]:
    if archive.plan.is_file():
        yield from (row for row in read_table(archive.plan, PLAN) if row["verb"] == verb)
    elif verb != "simulate":
        raise InputError(f"{archive.folder} holds no plan; make one with 'demottle archive plan {archive.folder}'.")


def _evaluated(about: dict[str, _About], evaluated: Path) -> Iterator[dict[str, Any]]:
    for row in rows_of(evaluated):
        if row["state"] == DONE and row.get("output") and row["key"] in about:
            settings = json.dumps({"result": row["output"]})
            yield {"key": row["key"], "verb": "evaluate", "settings": settings, "seconds": 0.0}


def _entries(about: dict[str, _About], wanted: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows for the state."""
    for row in wanted:
        one = about.get(row["key"])
        if one is None:
            raise InputError("The plan is of another index than the series; plan again.")
        strength = row.get("strength")
        told = {
            "method": row.get("method") or "",
            "settings": json.loads(row.get("settings") or "{}") or None,
            "strength": 1.0 if strength is None else float(strength),
            "model": row.get("model") or "",
            "more": json.loads(row.get("more") or "{}"),
        }
        size = int(one.bytes or 0)
        yield {
            "key": row["key"],
            "verb": row["verb"],
            "folder": one.folder,
            "uid": one.series_uid,
            "told": json.dumps(told),
            "grp": row.get("group") or "",
            "seconds": float(row.get("seconds") or 0.0) or max(size * _GUESS, 0.1),
            "bytes": int(row.get("bytes") or size),
        }


def _files(archive: Archive, numbers: dict[str, int]) -> Iterator[tuple[int, list[str], int]]:
    """Files of series with their bytes, some at a time; copies and broken ones are left out."""
    found: dict[int, tuple[list[str], int]] = {}
    count = 0
    for part in sorted(archive.files.glob("part-*.parquet")):
        for row in read_table(part, FILES):
            number = numbers.get(row["series"])
            if number is None or row["wrong"]:
                continue
            paths, size = found.get(number, ([], 0))
            paths.append(row["path"])
            found[number] = paths, size + int(row["size"] or 0)
            count += 1
            if count >= _AT_ONCE:
                yield from ((number, *some) for number, some in found.items())
                found, count = {}, 0
    yield from ((number, *some) for number, some in found.items())
