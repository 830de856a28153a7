"""What may be the scan that is meant: a volume beside folders of scans, archives, series cut into single slices, captures.

A folder with several scans: icometrix/dicom2nifti #132. Archives: OHIF/Viewers #815, UNFmontreal/Dcm2Bids #262. A series whose
UID changes from slice to slice: rordenlab/dcm2niix #495, medInria/medInria-public #156. Secondary captures: Slicer/Slicer #2831.
A radiograph taken for a volume: pydicom/pydicom #721. All at https://github.com/OWNER/NAME/issues/NUMBER.
"""

import gzip
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage, SecondaryCaptureImageStorage, generate_uid
from tests.io.enhanced import enhanced_ct
from tests.io.reports.checks import assert_written_well
from tests.io.volumes.objects import mr_slice

from demottle.errors import InputError
from demottle.image import Image
from demottle.io import find_scans, open_scan, read, warnings_of, write

Ct = Callable[..., Path]
Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]


@pytest.mark.parametrize("name", ["loose.nii.gz", "loose.mha", "below/loose.nrrd"])
def test_a_volume_beside_folders_of_slices_is_a_candidate(ct: Ct, phantom: Image, tmp_path: Path, name: str) -> None:
    """It was named as a file without a DICOM image, and the folder read in its place."""
    folder = ct("study/one").parent
    (folder / name).parent.mkdir(exist_ok=True)
    loose = write(phantom, folder / name)
    assert find_scans(folder) == sorted([folder / "one", loose])
    with pytest.raises(
        InputError, match=rf"holds 2 scans \((one, )?{name}(, one)?\); name one of them, or choose a DICOM"
    ) as refused:
        read(folder)
    assert refused.value.remedy == "series"
    assert read(folder, series="1").shape[0] == 5 and read(loose).shape == phantom.shape


def test_an_enhanced_object_beside_folders_of_slices_is_a_candidate(ct: Ct, save_slice: Save) -> None:
    folder = ct("study/one").parent
    save_slice(enhanced_ct(), folder / "enhanced.dcm")
    with pytest.raises(
        InputError, match=r'There are 2 series; choose one of them: .*"Thorax".*"Enhanced", number 7'
    ) as refused:
        read(folder)
    assert refused.value.remedy == "series"
    assert "Set aside" not in " ".join(warnings_of(read(folder, series="7")))


def test_a_download_beside_what_it_holds_is_no_second_scan(ct: Ct) -> None:
    folder = ct("study/one").parent
    shutil.make_archive(str(folder / "one"), "zip", folder / "one")
    assert warnings_of(read(folder)) == ("Set aside 1 archive (one.zip); unpack it to read what is inside.",)


def zipped(path: Path, files: list[Path]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.write(file, file.name)
    return path


def test_a_zip_within_a_zip_has_to_be_unpacked(ct: Ct, tmp_path: Path) -> None:
    slices = sorted(ct().iterdir())
    inner = zipped(tmp_path / "inner.zip", slices)
    outer = zipped(tmp_path / "outer.zip", [inner])
    with pytest.raises(
        InputError, match=r"outer\.zip holds no DICOM images but 1 archive \(outer\.zip:inner\.zip\); unpack it first"
    ):
        read(outer)
    image = read(zipped(tmp_path / "both.zip", [inner, *slices]))
    assert image.shape[0] == 5 and "Set aside 1 archive (both.zip:inner.zip); unpack it" in warnings_of(image)[0]


def test_other_archives_have_to_be_unpacked(ct: Ct, tmp_path: Path) -> None:
    folder = ct()
    held = tmp_path / "held"
    held.mkdir()
    with tarfile.open(held / "ct.tar", "w") as archive:
        archive.add(folder, "ct")
    with tarfile.open(held / "ct.tar.xz", "w:xz") as archive:
        archive.add(folder, "ct")
    (held / "slice.dcm.gz").write_bytes(gzip.compress((folder / "ct-001.dcm").read_bytes()))
    (held / "old.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(30))
    for refuse in (read, find_scans):
        with pytest.raises(
            InputError, match=r"no DICOM images but 4 archives \(ct\.tar, ct\.tar\.xz, old\.7z, \.\.\.\); unpack them"
        ):
            refuse(held)
    with pytest.raises(InputError, match=r"ct\.tar is an archive; unpack it first"):
        read(held / "ct.tar")


def test_an_image_of_another_format_in_a_zip_has_to_be_unpacked(phantom: Image, tmp_path: Path) -> None:
    path = zipped(tmp_path / "in.zip", [write(phantom, tmp_path / "scan.nii.gz")])
    with pytest.raises(
        InputError, match=r"without DICOM images, but with in\.zip:scan\.nii\.gz; unpack it and name the image"
    ):
        read(path)


@pytest.mark.parametrize("series", [None, "1"])
def test_a_series_uid_for_each_slice_is_one_scan(
    make_slice: Make,
    save_slice: Save,
    tmp_path: Path,
    denoised: Callable[[Image], Image],
    program: Callable[[str], str],
    series: str | None,
) -> None:
    for index in range(30):
        one = make_slice(index)
        one.SeriesInstanceUID = generate_uid()
        save_slice(one, tmp_path / "in" / f"{index}.dcm")
    image = read(tmp_path / "in", series=series)
    assert image.shape[0] == 30 and "30 SeriesInstanceUIDs" in warnings_of(image)[0]
    out = write(denoised(image), tmp_path / "out")
    assert len({pydicom.dcmread(path).SeriesInstanceUID for path in out.iterdir()}) == 1
    assert_written_well(out, image, program)


def test_a_series_uid_for_each_place_of_volumes_over_time(save_slice: Save, tmp_path: Path) -> None:
    """Functional series of Canon as classic objects: each series holds one slice at all times."""
    for time in range(5):
        for place in range(4):
            one = mr_slice(place, 4 * time + place + 1, AcquisitionTime=f"1011{10 + time}")
            one.SeriesInstanceUID = f"1.2.3.{place + 1}"
            save_slice(one, tmp_path / f"{time}-{place}.dcm")
    (part,) = open_scan(tmp_path).volumes
    assert part.over_time and len(part.volumes) == 5 and len(part.volumes[0].slices) == 4


def test_single_slices_at_one_place_or_of_other_numbers_are_series_of_their_own(
    make_slice: Make, save_slice: Save, tmp_path: Path
) -> None:
    for index in range(6):
        save_slice(make_slice(0, series="1", SeriesInstanceUID=f"1.2.4.{index + 1}", InstanceNumber=index),
                   tmp_path / "place" / f"{index}.dcm")  # fmt: skip
        save_slice(make_slice(index, series=str(index)), tmp_path / "number" / f"{index}.dcm")
    for name in ("place", "number"):
        with pytest.raises(InputError, match="There are 6 series"):
            read(tmp_path / name)


def test_a_long_list_of_series_is_cut(make_slice: Make, save_slice: Save, tmp_path: Path) -> None:
    for index in range(30):
        save_slice(make_slice(index % 2, series=str(index)), tmp_path / f"{index}.dcm")
    with pytest.raises(InputError, match=r"There are 30 series; .*; and 10 more\."):
        read(tmp_path)


@pytest.mark.parametrize("index", [2, 6, 60])
def test_a_capture_with_the_place_of_a_slice_is_no_slice(
    ct: Ct, make_slice: Make, save_slice: Save, index: int
) -> None:
    """A dose table or a measurement, saved into the series that it was made on, with its header."""
    folder = ct(slices=6)
    capture = make_slice(index, seed=9, SOPClassUID=SecondaryCaptureImageStorage, InstanceNumber=99)
    save_slice(capture, folder / "capture.dcm")
    image = read(folder)
    assert image.shape[0] == 6
    assert "1 image that is not part of the volume (1 x 24 x 20, screen captures" in warnings_of(image)[0]


def test_a_volume_of_captures_is_still_read(ct: Ct) -> None:
    assert read(ct(SOPClassUID=SecondaryCaptureImageStorage)).shape[0] == 5


def test_a_radiograph_is_called_one(ct: Ct) -> None:
    folder = ct(slices=1, SOPClassUID=ComputedRadiographyImageStorage, Modality="CR", ImagePositionPatient=None)
    with pytest.raises(
        InputError, match=r"is a radiograph \(modality CR\): neither a slice of a volume nor an X-ray run"
    ):
        read(folder)
