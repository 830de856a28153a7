"""Files that belong to an MR series: names that cannot be are refused in words before the work begins."""

from pathlib import Path

import pytest

from demottle.cli.denoise.series_files import SeriesFiles
from demottle.cli.places import Places
from demottle.errors import OutputError


def test_names_that_cannot_be_are_refused_in_words(tmp_path: Path) -> None:
    scan, places = tmp_path / "scan.nii.gz", Places(tmp_path / "out.nii.gz")
    scan.touch()
    folder = tmp_path / "map.nii.gz"
    folder.mkdir()
    with pytest.raises(OutputError, match=r"map\.nii\.gz is a folder already; choose another name\."):
        SeriesFiles(save_noise_map=folder).added_to(places, scan, None)
    with pytest.raises(OutputError, match=r"map\.txt has to end in \.nii\.gz or \.nii\."):
        SeriesFiles(save_noise_map=tmp_path / "map.txt").added_to(places, scan, None)
    same = SeriesFiles(save_noise_map=tmp_path / "out.nii.gz")
    with pytest.raises(OutputError, match=r"Two results would be called .*out\.nii\.gz; choose another name for one"):
        same.added_to(places, scan, None).refuse_inputs([scan])
