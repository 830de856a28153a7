"""An archive of small CT series, its index, and the tables of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import demottle  # noqa: F401  (a fixture)
from tests.io.conftest import ct_slice, save

from demottle.archive.columns import read_table
from demottle.archive.index.indexing import Indexed, index
from demottle.archive.layout import FILES, SERIES, Archive

pytest.importorskip("pyarrow", reason="the data set needs the extra archive")
Rows = list[dict[str, Any]]


def series_in(folder: Path, series: str = "1", slices: int = 4, **changes: Any) -> list[Path]:
    """Write a CT series to a folder."""
    return [
        save(ct_slice(index, series=series, **changes), folder / f"{series}-{index}.dcm") for index in range(slices)
    ]


class Indexer:
    """Indexes one root, and gives the tables."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.archive = root, Archive(folder)

    def __call__(self, **options: Any) -> Indexed:
        return index(self.root, self.archive.folder, **options)

    @property
    def files(self) -> dict[str, dict[str, Any]]:
        parts = sorted(self.archive.files.iterdir())
        return {row["path"]: row for part in parts for row in read_table(part, FILES)}

    @property
    def series(self) -> Rows:
        return list(read_table(self.archive.series, SERIES))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def indexed(root: Path, tmp_path: Path) -> Indexer:
    return Indexer(root, tmp_path / "archive")


Series = Callable[..., list[Path]]
