"""Tables are written whole or not at all, and what is wrong with one that is read is said in a sentence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demottle.archive.columns import Column, read_table, write_table
from demottle.errors import InputError, OutputError

pytest.importorskip("pyarrow", reason="the data set needs the extra archive")
COLUMNS = (Column("key", "text", "a name"), Column("slices", "int", "how many"), Column("kvp", "float", "kV"))


def test_what_is_written_comes_back_with_empty_texts_and_missing_numbers(tmp_path: Path) -> None:
    rows = [{"key": "a", "slices": 3, "kvp": 120.0}, {"kvp": None}]
    assert write_table(tmp_path / "t.parquet", COLUMNS, rows) == 2
    assert list(read_table(tmp_path / "t.parquet", COLUMNS)) == [rows[0], {"key": "", "slices": None, "kvp": None}]


def test_a_table_that_breaks_off_leaves_the_former_one(tmp_path: Path) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield {"key": "new"}
        raise KeyboardInterrupt

    write_table(tmp_path / "t.parquet", COLUMNS, [{"key": "old"}])
    with pytest.raises(KeyboardInterrupt):
        write_table(tmp_path / "t.parquet", COLUMNS, broken())
    assert [row["key"] for row in read_table(tmp_path / "t.parquet")] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        write_table(tmp_path / "in" / "t.parquet", COLUMNS, [])


def test_what_is_no_table_and_what_lacks_a_column_is_said(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    with pytest.raises(InputError, match="There is no file"):
        read_table(path)
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        read_table(path)
    write_table(path, COLUMNS[:1], [{"key": "a"}])
    with pytest.raises(InputError, match="no column 'slices'"):
        read_table(path, COLUMNS)
