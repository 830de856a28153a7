"""What lies beside a scan: the scan is found, the rest is named; what may be part of the scan is never lost unseen.

Presentation states and catalogs in the folder: TIGRLab/admin #688. One malformed file that stops all others: rordenlab/dcm2niix
#283. Files cut off or without pixels, slices missing: dcm2niix #156, #140, #397, #831, #587, #733. No preamble, no suffix:
pydicom #150 and #2231, ivmartel/dwv #188, ayselafsar/dicomviewer #15. Two series in one folder: marcomusy/vedo #95. All at
https://github.com/OWNER/NAME/issues/NUMBER.
"""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ImplicitVRLittleEndian, generate_uid
from tests.io.reports.checks import assert_written_well

from demottle.errors import InputError
from demottle.image import Image
from demottle.io import find_scans, list_series, read, warnings_of, write

ROOT = "1.2.840.10008.5.1.4.1.1."
Ct = Callable[..., Path]
MakeSlice = Callable[..., Dataset]
SaveSlice = Callable[[Dataset, Path], Path]


@pytest.mark.parametrize(
    ("ending", "modality", "said"),
    [
        ("481.2", "RTDOSE", "dose distribution (RTDOSE): extra.dcm"),
        ("66.4", "SEG", "segmentation (SEG): extra.dcm"),
        ("481.3", "RTSTRUCT", "structure set (RTSTRUCT): extra.dcm"),
        ("88.22", "SR", "report (SR): extra.dcm"),
        ("88.67", "SR", "report (SR): extra.dcm"),
        ("11.1", "PR", "presentation state (PR): extra.dcm"),
        ("104.1", "DOC", "PDF document: extra.dcm"),
        ("30", "MR", "parametric map: extra.dcm"),
    ],
)
def test_an_object_that_is_no_scan_is_named(
    ct: Ct, make_slice: MakeSlice, save_slice: SaveSlice, ending: str, modality: str, said: str
) -> None:
    """A dose distribution or a segmentation has rows, columns and pixels, and is no scan for all that."""
    folder = ct()
    extra = make_slice(series="9", SOPClassUID=ROOT + ending, Modality=modality)
    if ending not in ("481.2", "66.4", "30"):
        del extra.Rows, extra.Columns, extra.PixelData
    save_slice(extra, folder / "extra.dcm")
    image = read(folder)
    assert image.shape[0] == 5
    assert warnings_of(image) == (f"Set aside 1 DICOM object that is not a scan ({said}).",)
    assert [info.number for info in list_series(folder)] == ["1"]


def test_nothing_but_other_objects_says_what_they_are(
    make_slice: MakeSlice, save_slice: SaveSlice, tmp_path: Path
) -> None:
    dose = make_slice(SOPClassUID=ROOT + "481.2", Modality="RTDOSE")
    folder = save_slice(dose, tmp_path / "plan" / "dose.dcm").parent
    for refuse in (read, find_scans):
        with pytest.raises(InputError, match=r"holds no scan, only dose distribution \(RTDOSE\): dose\.dcm"):
            refuse(folder)


def test_an_empty_file_beside_a_complete_scan_is_named(ct: Ct) -> None:
    folder = ct()
    (folder / "99.dcm").touch()
    (said,) = warnings_of(read(folder))
    assert said.startswith("Set aside 1 file that cannot be read (99.dcm).")
    assert "the result lacks it" in said


def test_a_gap_beside_a_broken_file_names_it(ct: Ct) -> None:
    folder = ct(slices=6)
    (folder / "ct-003.dcm").write_bytes(b"")
    with pytest.raises(InputError, match=r"missing between 5 and 10 mm.*ct-003\.dcm cannot be read and may be what is"):
        read(folder)


@pytest.mark.parametrize("name", ["ct-001.dcm", "ct-003.dcm", "ct-005.dcm"])
def test_a_slice_cut_off_in_its_header_is_refused_wherever_it_lies(ct: Ct, name: str) -> None:
    """The top slice too, whose loss no gap would tell."""
    folder = ct()
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: whole.index(b"\x28\x00\x10\x00")])  # before Rows
    with pytest.raises(InputError, match=rf"{name} is truncated or broken.*belongs to the series"):
        read(folder)


@pytest.mark.parametrize("name", ["ct-001.dcm", "ct-003.dcm", "ct-005.dcm"])
def test_a_slice_cut_off_in_its_pixels_is_refused(ct: Ct, name: str) -> None:
    folder = ct()
    (folder / name).write_bytes((folder / name).read_bytes()[:-100])
    with pytest.raises(InputError, match=rf"pixels of .*{name} cannot be read"):
        read(folder)


def test_a_header_without_pixels_is_refused(ct: Ct) -> None:
    """Of another size than the others or not: a slice would be missing."""
    folder = ct()
    fragment = pydicom.dcmread(folder / "ct-001.dcm")
    del fragment.PixelData
    fragment.save_as(folder / "ct-001.dcm")
    with pytest.raises(InputError, match=r"ct-001\.dcm holds no pixels"):
        read(folder)


def test_a_broken_file_of_another_series_is_only_named(ct: Ct, tmp_path: Path) -> None:
    ct("study/one", series="1")
    other = ct("study/two", series="2", slices=1) / "two-001.dcm"
    whole = other.read_bytes()
    other.write_bytes(whole[: whole.index(b"\x28\x00\x10\x00")])
    image = read(tmp_path / "study")
    assert image.shape[0] == 5
    assert "two-001.dcm" in warnings_of(image)[0]


def test_a_copy_byte_for_byte_counts_once(ct: Ct, tmp_path: Path, program: Callable[[str], str]) -> None:
    folder = ct()
    for file in sorted(folder.iterdir())[:2]:
        shutil.copy(file, file.with_name(f"copy of {file.name}"))
    image = read(folder)
    assert image.shape[0] == 5
    assert "2 files that are a copy of another" in warnings_of(image)[0]
    assert_written_well(write(image, tmp_path / "out"), image, program)


def test_the_same_slice_in_another_encoding_counts_once(ct: Ct) -> None:
    """An export that wrote each image again as Implicit VR, beside the first one."""
    folder = ct()
    again = pydicom.dcmread(folder / "ct-002.dcm")
    again.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    again.InstitutionName = "elsewhere"
    again.save_as(folder / "again.dcm", implicit_vr=True, little_endian=True)
    assert read(folder).shape[0] == 5


def test_two_runs_that_are_copies_are_one(make_slice: MakeSlice, save_slice: SaveSlice, tmp_path: Path) -> None:
    """An angiography run exported twice."""
    run = make_slice(
        SOPClassUID=ROOT + "12.1", Modality="XA", NumberOfFrames=3, FrameTime="66", RescaleIntercept="0",
        ImagePositionPatient=None, ImageOrientationPatient=None, stored=np.full((3, 24, 20), 7),
    )  # fmt: skip
    folder = save_slice(run, tmp_path / "xa" / "1.dcm").parent
    shutil.copy(folder / "1.dcm", folder / "2.dcm")
    image = read(folder)
    assert (image.shape[0], image.sequence) == (3, True)
    assert "1 file that is a copy of another" in warnings_of(image)[0]


def test_links_that_lead_nowhere_are_slices_that_are_missing(ct: Ct, tmp_path: Path) -> None:
    """Data sets under git-annex hold links, whose files are fetched one by one."""
    folder = ct()
    inner = folder / "ct-003.dcm"
    inner.unlink()
    inner.symlink_to(tmp_path / "annex" / "nowhere")
    with pytest.raises(InputError, match=r"missing between.*ct-003\.dcm cannot be read"):
        read(folder)
    for file in folder.iterdir():
        file.unlink()
        file.symlink_to(tmp_path / "annex" / file.name)
    with pytest.raises(InputError, match=r"a broken link.* 4 more files cannot be read either"):
        read(folder)


def test_color_screen_shots_beside_a_scan_are_left_aside(ct: Ct, make_slice: MakeSlice, save_slice: SaveSlice) -> None:
    """Dose sheets and prints of a scanner are Secondary Capture, and as many as there are pages."""
    folder = ct()
    for page in range(6):
        sheet = make_slice(
            page, series="99", SOPClassUID=ROOT + "7", Modality="OT", SeriesDescription="Dose sheet",
            ImagePositionPatient=None, ImageOrientationPatient=None, SamplesPerPixel=3, PhotometricInterpretation="RGB",
            stored=np.zeros((24, 20, 3)), SOPInstanceUID=generate_uid(),
        )  # fmt: skip
        save_slice(sheet, folder / f"sheet-{page}.dcm")
    image = read(folder)
    assert image.shape[0] == 5
    assert '"Dose sheet"' in warnings_of(image)[0]


def test_a_series_is_chosen_by_its_number_too(ct: Ct, tmp_path: Path) -> None:
    ct("study/thin", series="2")
    ct("study/thick", series="3", SeriesDescription="Thick")
    assert read(tmp_path / "study", series="3").source is not None
    with pytest.raises(InputError, match=r'"Thick", number 3'):
        read(tmp_path / "study")


def test_without_preamble_and_suffix_in_sub_folders(ct: Ct, tmp_path: Path) -> None:
    """Files as old archives export them: found, and each folder is a scan."""
    for series in ("1", "2"):
        folder = ct(f"disk/S{series}", series=series)
        for file in sorted(folder.iterdir()):
            stream = DicomBytesIO()
            stream.is_little_endian, stream.is_implicit_VR = True, True
            write_dataset(stream, Dataset(pydicom.dcmread(file)))
            file.with_suffix("").write_bytes(stream.getvalue())
            file.unlink()
    root = tmp_path / "disk"
    assert find_scans(root) == [root / "S1", root / "S2"]
    assert [info.slices for info in list_series(root)] == [5, 5]
    assert all(read(scan).shape[0] == 5 for scan in find_scans(root))


def test_a_series_that_is_spread_over_folders_is_one_scan(ct: Ct, tmp_path: Path) -> None:
    """Exports with so many files a folder: half of the slices in each is no scan of its own."""
    folder = ct("disk/DIR0", slices=6)
    (tmp_path / "disk" / "DIR1").mkdir()
    for file in sorted(folder.iterdir())[3:]:
        file.rename(tmp_path / "disk" / "DIR1" / file.name)
    assert find_scans(tmp_path / "disk") == [tmp_path / "disk"]
    assert read(tmp_path / "disk").shape[0] == 6


def test_a_report_in_the_upper_folder_does_not_make_it_a_scan(
    ct: Ct, make_slice: MakeSlice, save_slice: SaveSlice, tmp_path: Path
) -> None:
    ct("study/one", series="1")
    ct("study/two", series="2")
    report = make_slice(SOPClassUID=ROOT + "88.67", Modality="SR", series="8")
    del report.Rows, report.Columns, report.PixelData
    save_slice(report, tmp_path / "study" / "report.dcm")
    root = tmp_path / "study"
    assert find_scans(root) == [root / "one", root / "two"]


def test_pictures_beside_the_slices_are_no_scans_of_their_own(ct: Ct, phantom: Image) -> None:
    folder = ct()
    write(phantom, folder / "preview.tif")
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.write(folder / "ct-001.dcm")
    assert find_scans(folder) == [folder]
    assert warnings_of(read(folder)) == (
        "Set aside 1 archive (all.zip); unpack it to read what is inside.",
        "Set aside 1 file of another format (preview.tif); name it to read it.",
    )


def test_a_folder_with_one_file_of_another_format_is_that_scan(phantom: Image, tmp_path: Path) -> None:
    write(phantom, tmp_path / "in" / "scan.nii.gz")
    assert read(tmp_path / "in", modality="CT").shape == phantom.shape
    write(phantom, tmp_path / "in" / "other.nii.gz")
    with pytest.raises(InputError, match=r"holds 2 scans \(other\.nii\.gz, scan\.nii\.gz\); name one"):
        read(tmp_path / "in")
