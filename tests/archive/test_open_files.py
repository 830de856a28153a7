"""A series of which one knows the files is read as from a folder that holds no others."""

from pathlib import Path

import numpy as np
import pytest
from tests.io.conftest import ct_slice, save

from demottle import io
from demottle.errors import InputError


def test_files_among_others_are_read_as_from_a_folder_of_their_own(tmp_path: Path) -> None:
    for series in ("1", "2"):
        for index in range(4):
            for place in (tmp_path / "alone" / series, tmp_path / "mixed"):
                save(ct_slice(index, series=series), place / f"{series}-{index}.dcm")
    with pytest.raises(InputError, match="choose one of them"):
        io.read(tmp_path / "mixed")
    files = sorted((tmp_path / "mixed").glob("2-*"))
    mine, alone = io.open_files(tmp_path / "mixed", files).read(), io.read(tmp_path / "alone" / "2")
    assert np.array_equal(mine.voxels, alone.voxels) and mine.spacing == alone.spacing
    assert io.warnings_of(mine) == io.warnings_of(alone)
    with pytest.raises(InputError, match="missing"):
        io.open_files(tmp_path, [tmp_path / "gone.dcm"])
