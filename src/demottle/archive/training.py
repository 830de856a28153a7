"""What to train on as a table: series of an archive, or paths, each on one side."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from demottle.archive.columns import read_table
from demottle.archive.layout import FILES, SERIES, Archive
from demottle.errors import InputError
from demottle.image import Image
from demottle.learning.data.dataset import Entry, Reading, entry_at

SIDES = ("low", "full")
"""What the column `side` may hold."""


@dataclass(frozen=True)
class Listed:
    """What a manifest lists.

    Attributes:
        low, full: the scans of the two sides; None: the manifest has none.
        inputs: folders and files that are read.
    """

    low: list[Entry] | None
    full: list[Entry]
    inputs: tuple[Path, ...]


def read_manifest(path: Path, reading: Reading) -> Listed:
    """Read a manifest: a Parquet file with the column `side` ("low" or "full"), and `key` or `path`.

    `key`: of a series in the archive's data set in whose folder the manifest lies. `path`: of a scan, from the manifest's folder,
    with `patient` beside it where several files of other formats than DICOM are of one.
    Other columns are ignored: rows of series.parquet will do.

    Args:
        path: the file.
        reading: how scans of other formats than DICOM are read.

    Raises:
        InputError: it cannot be read, a column is missing, or a row says what cannot be.
    """
    rows = list(read_table(path))
    if not rows:
        raise InputError(f"{path} lists no scan; it needs a row for each, with side and key or path.")
    columns = rows[0].keys()
    if "side" not in columns or not {"key", "path"} & columns:
        raise InputError(f"{path} needs the columns side ({' or '.join(SIDES)}) and key or path; add what is missing.")
    for number, row in enumerate(rows, 1):
        if row["side"] not in SIDES:
            raise InputError(f"Row {number} of {path} has side {row['side']!r}; it can be {' or '.join(SIDES)}.")
    if "key" in columns:
        entries, inputs = _of_archive(path, rows, reading)
    else:
        entries, inputs = _of_paths(path, rows, reading)
    low, full = ([entry for side, entry in entries if side == name] for name in SIDES)
    if not full:
        raise InputError(f"{path} lists no full-dose scan; give some rows the side full.")
    return Listed(low or None, full, inputs)


def _of_paths(
    manifest: Path, rows: list[dict[str, Any]], reading: Reading
) -> tuple[list[tuple[str, Entry]], tuple[Path, ...]]:
    folder = manifest.parent
    entries = []
    for number, row in enumerate(rows, 1):
        scan = folder / str(row["path"] or "")
        if not row["path"] or not scan.exists():
            raise InputError(f"Row {number} of {manifest} names {row['path']!r}, which is not there; correct the path.")
        entries.append((row["side"], entry_at(scan, str(row["path"]), reading, str(row.get("patient") or ""))))
    return entries, tuple(folder / str(row["path"]) for row in rows)


def _of_archive(
    manifest: Path, rows: list[dict[str, Any]], reading: Reading
) -> tuple[list[tuple[str, Entry]], tuple[Path, ...]]:
    archive = Archive(manifest.parent)
    root = Path(archive.told().root)
    wanted = {row["key"]: row["side"] for row in rows}
    if len(wanted) < len(rows):
        twice = next(key for key, count in Counter(row["key"] for row in rows).items() if count > 1)
        raise InputError(f"{manifest} lists the series {twice} twice; keep one of its rows.")
    series = {row["key"]: row for row in read_table(archive.series, SERIES) if row["key"] in wanted}
    missing = next((key for key in wanted if key not in series), None)
    if missing is not None:
        raise InputError(f"{manifest} lists the series {missing}, which the archive does not have; index it again.")
    files: dict[str, list[tuple[str, int, int]]] = {key: [] for key in wanted}
    for part in sorted(archive.files.glob("part-*.parquet")):
        for row in read_table(part, FILES):
            if row["series"] in files and not row["wrong"]:
                files[row["series"]].append((row["path"], row["size"], row["mtime_ns"]))
    names = _names(series)
    return [(side, _entry(root, names[key], series[key], files[key], reading)) for key, side in wanted.items()], (root,)


def _names(series: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Names that sort like those of scans in folders: the folder, and a number where it holds several series."""
    by_folder: dict[str, list[Mapping[str, Any]]] = {}
    for row in series.values():
        by_folder.setdefault(row["folder"], []).append(row)
    names = {}
    for folder, some in by_folder.items():
        some.sort(
            key=lambda row: (float(row["number"]) if row["number"].isdigit() else float("inf"), row["series_uid"])
        )
        for number, row in enumerate(some, 1):
            names[row["key"]] = folder if len(some) == 1 else f"{folder}#{number}"
    return names


def _entry(root: Path, name: str, row: Mapping[str, Any], files: list[tuple[str, int, int]], reading: Reading) -> Entry:
    if row["wrong"] and not reading.accept_uneven:
        raise InputError(f"The series in {row['folder']} cannot be learned from: {row['wrong']}")
    stamp = f"{row['digest']}|{reading!r}"
    paths = [root / path for path, _, _ in files]
    return Entry(name, row["folder"], stamp, _reader(root / row["folder"], paths, row["series_uid"], reading))


def _reader(folder: Path, files: list[Path], uid: str, reading: Reading) -> Callable[[], Image]:
    return partial(_read, folder, files, uid, reading.accept_uneven)


def _read(folder: Path, files: list[Path], uid: str, accept_uneven: bool) -> Image:
    from demottle import io

    return io.open_files(folder, files, series=uid, accept_uneven=accept_uneven).read()
