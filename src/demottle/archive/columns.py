"""Tables as Parquet files: their columns, read and written."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from demottle.errors import DemottleError, InputError, OutputError

Row = Mapping[str, Any]
_ROWS = 10_000  # in memory at a time


@dataclass(frozen=True)
class Column:
    """One column; texts are never missing, numbers may be.

    Attributes:
        name: of the column.
        kind: type of its values.
        what: it holds; goes into the file as the field's description.
    """

    name: str
    kind: Literal["text", "int", "float", "bool"]
    what: str


def write_table(path: Path, columns: Sequence[Column], rows: Iterable[Row]) -> int:
    """Write rows to a Parquet file, which appears when it is complete, in place of the one that was there.

    Args:
        path: the file.
        columns: of the table; what a row lacks is empty (text) or missing (numbers).
        rows: taken one after the other, never all in memory.

    Returns:
        How many rows.

    Raises:
        OutputError: the disk does not take it; the file is as it was.
        DemottleError: pyarrow is missing.
    """
    pyarrow, parquet = _packages()
    schema, count, source = _schema(columns), 0, iter(rows)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with parquet.ParquetWriter(new, schema, compression="zstd") as writer:
            while some := [_filled(columns, row) for row in islice(source, _ROWS)]:
                writer.write_table(pyarrow.Table.from_pylist(some, schema=schema))
                count += len(some)
        with new.open("rb") as stream:
            os.fsync(stream.fileno())
        new.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}); make room, or let it be written."
        ) from error
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)
    return count


def read_table(path: Path, columns: Sequence[Column] | None = None) -> Iterator[dict[str, Any]]:
    """Read the rows of a Parquet file one after the other, never all in memory.

    Args:
        path: the file.
        columns: what has to be there, and what is read; None: whatever there is.

    Raises:
        InputError: there is no such file, it is broken, or a column is missing; said before the first row.
        DemottleError: pyarrow is missing.
    """
    pyarrow, parquet = _packages()
    try:
        source = parquet.ParquetFile(path)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise InputError(f"{path} is not a readable Parquet file; make it again.") from error
    missing = [one.name for one in columns or () if one.name not in source.schema_arrow.names]
    if missing:
        raise InputError(f"{path} has no column '{missing[0]}'; make it again with this version of demottle.")
    return _rows(path, source, None if columns is None else [one.name for one in columns])


def _rows(path: Path, source: Any, names: list[str] | None) -> Iterator[dict[str, Any]]:
    try:
        for batch in source.iter_batches(_ROWS, columns=names):
            yield from batch.to_pylist()
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is broken; make it again.") from error


def _filled(columns: Sequence[Column], row: Row) -> dict[str, Any]:
    filled = {one.name: row.get(one.name) for one in columns}
    return {**filled, **{one.name: filled[one.name] or "" for one in columns if one.kind == "text"}}


def _schema(columns: Sequence[Column]) -> Any:
    pyarrow, _ = _packages()
    kinds = {"text": pyarrow.string(), "int": pyarrow.int64(), "float": pyarrow.float64(), "bool": pyarrow.bool_()}
    return pyarrow.schema(
        [pyarrow.field(one.name, kinds[one.kind], metadata={"description": one.what}) for one in columns]
    )


def refuse_missing_package() -> None:
    """Say before the work that pyarrow is missing.

    Raises:
        DemottleError: it is.
    """
    _packages()


def _packages() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DemottleError(
            'The data set of an archive needs the package pyarrow; install it with: pip install "demottle[archive]".'
        ) from error
    return pyarrow, pyarrow.parquet
