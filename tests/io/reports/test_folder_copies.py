"""Copies, lists of contents and hidden folders, as public reports describe them.

Slices twice: icometrix/dicom2nifti #21 (same place and data, other UIDs), rordenlab/dcm2niix #837 (identical files "(1).dcm"),
qurit/rt-utils #122. DICOMDIR that names what is not there: dgobbi/vtk-dicom #119 and #124. Folders named after a series
description that begins with a dot: commontk/CTK #797. Files of macOS beside the slices: notmatthancock/pylidc #43. Slices of
zeros from a broken copy: pydicom/pydicom #966.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet
from pydicom.uid import generate_uid
from tests.io.reports.checks import assert_written_well

from demottle.errors import InputError
from demottle.image import Image
from demottle.io import find_scans, open_scan, read, warnings_of, write

Ct = Callable[..., Path]
Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]


def copied(file: Path, name: str, **changes: object) -> None:
    """Save a slice again beside itself, under another SOPInstanceUID."""
    dataset = pydicom.dcmread(file)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    dataset.save_as(file.with_name(name))


def test_copies_under_other_uids_count_once(
    ct: Ct, denoised: Callable[..., Image], program: Callable[[str], str], tmp_path: Path
) -> None:
    folder = ct()
    for file in sorted(folder.iterdir()):
        copied(file, f"again-{file.name}")
    image = read(folder)
    assert (image.shape[0], image.spacing[0]) == (5, 2.5)
    assert "5 files that are a copy of another" in warnings_of(image)[0]
    assert_written_well(write(denoised(image), tmp_path / "out"), image, program)


@pytest.mark.parametrize("some", [2, 5])
def test_copies_that_were_numbered_anew_count_once(ct: Ct, some: int) -> None:
    """Sent twice to an archive that numbers what it gets; one slice is empty, as at the end of a head."""
    folder = ct(stored=lambda index: np.full((24, 20), 24) if index == 0 else None)
    for number, file in enumerate(sorted(folder.iterdir())[-some:]):
        copied(file, f"again-{file.name}", InstanceNumber=100 + number, ContentTime="235959")
    image = read(folder)
    assert image.shape[0] == 5
    assert f"{some} files that are a copy of another" in warnings_of(image)[0]


def test_empty_slices_alone_are_no_copies(ct: Ct) -> None:
    """Two volumes whose first slices hold nothing."""
    folder = ct(stored=lambda index: np.full((24, 20), 24) if index == 0 else None)
    for number, file in enumerate(sorted(folder.iterdir())):
        other = np.frombuffer(pydicom.dcmread(file).PixelData, "<u2")
        copied(file, f"b-{file.name}", PixelData=(other + (other > 24)).tobytes(), InstanceNumber=11 - number)
    assert [len(part.volumes[0].slices) for part in open_scan(folder).volumes] == [5, 5]


def test_other_pixels_at_the_same_place_are_no_copies(ct: Ct) -> None:
    """A second scan of the same slices has noise of its own."""
    folder = ct()
    for file in sorted(folder.iterdir()):
        other = np.frombuffer(pydicom.dcmread(file).PixelData, "<u2") + np.uint16(1)
        copied(file, f"again-{file.name}", PixelData=other.tobytes())
    with pytest.raises(InputError, match="held by more than one slice"):
        read(folder)


def test_identical_files_of_a_download_count_once(ct: Ct) -> None:
    folder = ct()
    for number in (1, 2):
        shutil.copy(folder / "ct-003.dcm", folder / f"ct-003({number}).dcm")
    image = read(folder)
    assert image.shape[0] == 5
    assert "2 files that are a copy" in warnings_of(image)[0]


@pytest.fixture
def medium(ct: Ct, tmp_path: Path) -> Path:
    """Two series on a disc, with its DICOMDIR."""
    files = FileSet()
    for series in ("1", "2"):
        for file in sorted(ct(f"source/{series}", series=series).iterdir()):
            files.add(file)
    files.write(tmp_path / "disc")
    files._stage["t"].cleanup()  # pydicom leaves it to the garbage collector
    return tmp_path / "disc"


def of_series(medium: Path, number: int) -> list[Path]:
    files = [file for file in sorted(medium.rglob("*")) if file.is_file() and file.name != "DICOMDIR"]
    return [file for file in files if pydicom.dcmread(file).SeriesNumber == number]


def test_a_dicomdir_whose_other_series_was_not_copied_is_read(medium: Path) -> None:
    for file in of_series(medium, 2):
        file.unlink()
    image = read(medium / "DICOMDIR")
    assert image.shape[0] == 5
    assert "5 files that cannot be read" in warnings_of(image)[0]


def test_a_slice_that_a_dicomdir_names_and_lacks_is_missing_at_the_end_too(medium: Path) -> None:
    lost = max(of_series(medium, 1), key=lambda file: float(pydicom.dcmread(file).ImagePositionPatient[2]))
    lost.unlink()
    with pytest.raises(InputError, match=rf"DICOMDIR names .*{lost.name}, which is missing.*belongs to the series"):
        read(medium / "DICOMDIR", series="1")
    assert read(medium / "DICOMDIR", series="2").shape[0] == 5


def test_hidden_folders_with_slices_are_named_and_can_be_read(ct: Ct, tmp_path: Path) -> None:
    ct("study/T1", series="1")
    hidden = ct("study/T2 FLAIR", series="2")
    hidden = hidden.rename(hidden.with_name(".T2 FLAIR"))
    root = tmp_path / "study"
    assert find_scans(root) == [root / "T1"]
    assert "hidden and holds DICOM images (.T2 FLAIR)" in warnings_of(read(root))[0]
    assert read(hidden).shape[0] == 5
    shutil.rmtree(root / "T1")
    with pytest.raises(InputError, match=r"hidden and holds DICOM images \(\.T2 FLAIR\)"):
        read(root)


def test_hidden_slices_are_named(ct: Ct) -> None:
    folder = ct(slices=6)
    (folder / "ct-001.dcm").rename(folder / ".ct-001.dcm")
    assert "(.ct-001.dcm)" in warnings_of(read(folder))[0]


def test_what_a_system_leaves_beside_the_slices_is_not_looked_at(ct: Ct) -> None:
    folder = ct()
    for name in ("._ct-001.dcm", ".git/annex/a.dcm", "__MACOSX/ct-001.dcm", ".demottle-x.partial/a.dcm"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "ct-001.dcm", folder / name)
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    image = read(folder)
    assert (image.shape[0], warnings_of(image)) == (5, ())


def test_an_empty_slice_between_others_is_said(ct: Ct) -> None:
    """Copies that broke off and were filled up have the right size, and zeros for pixels."""
    folder = ct(stored=lambda index: None if index != 2 else np.zeros((24, 20)))
    (said,) = warnings_of(read(folder))
    assert "ct-003.dcm between other slices holds one value everywhere" in said


def test_empty_slices_at_the_ends_are_nothing_to_tell(ct: Ct) -> None:
    """Reformatted volumes end in slices of padding."""
    assert warnings_of(read(ct(stored=lambda index: None if 0 < index < 4 else np.zeros((24, 20))))) == ()
