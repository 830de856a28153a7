"""What demottle cannot use is refused in one sentence that says what, where and what to do."""

import zipfile

import numpy as np
import pydicom
import pytest

from demottle.errors import InputError
from demottle.io import list_series, read, warnings_of


def position(z):
    return [-10, -12, z]


def test_a_missing_slice_is_named_and_may_be_accepted(ct):
    folder = ct(slices=6)
    (folder / "ct-003.dcm").unlink()  # the one at 7.5 mm
    with pytest.raises(InputError, match="missing between 5 and 10 mm"):
        read(folder)
    image = read(folder, accept_uneven=True)
    assert (image.evenly_spaced, image.spacing[0], image.shape[0]) == (False, 2.5, 5)
    assert "not evenly spaced" in warnings_of(image)[0]


def test_two_slices_at_one_position_are_named(ct):
    folder = ct(ImagePositionPatient=lambda i: position([0, 2.5, 2.5, 5, 7.5][i]))
    with pytest.raises(InputError, match=r"1 position is held by more than one slice: 2\.5 mm"):
        read(folder)
    assert read(folder, accept_uneven=True).evenly_spaced is False


def test_two_different_slices_under_one_uid_are_refused_even_if_uneven_is_accepted(ct, make_slice, save_slice):
    folder = ct()
    other = make_slice(1, stored=np.full((24, 20), 1000))
    save_slice(other, folder / "other.dcm")
    with pytest.raises(InputError, match=r"same SOPInstanceUID \(duplicate\) but are not the same slice"):
        read(folder, accept_uneven=True)


def test_uneven_slices_are_named(ct):
    folder = ct(ImagePositionPatient=lambda i: position([0, 2.5, 5, 8, 10.5][i]))
    with pytest.raises(InputError, match="not from 5 to 8 mm"):
        read(folder)


def test_positions_rounded_in_the_header_are_even(ct):
    folder = ct(slices=40, ImagePositionPatient=lambda i: position(round(0.625 * i, 1)))
    image = read(folder)
    assert image.evenly_spaced
    assert image.spacing[0] == pytest.approx(0.625, abs=0.003)


def test_a_spacing_that_changes_slowly_is_uneven(ct):
    folder = ct(slices=40, ImagePositionPatient=lambda i: position(i if i < 20 else 19 + 1.1 * (i - 19)))
    with pytest.raises(InputError, match="unevenly spaced"):
        read(folder)


def test_several_series_are_listed_and_one_can_be_chosen(ct, tmp_path):
    ct("study/thin", series="2")
    ct("study/thick", series="3", SeriesDescription="Thick")
    with pytest.raises(InputError, match=r"choose one.*Thorax.*Thick") as refused:
        read(tmp_path / "study")
    assert refused.value.remedy == "series"
    wanted = list_series(tmp_path / "study")[1].uid
    assert read(tmp_path / "study", series=wanted).shape == (5, 24, 20)
    with pytest.raises(InputError, match=r"no series 1\.2\.3"):
        read(tmp_path / "study", series="1.2.3")


@pytest.mark.parametrize("localizer", [True, False])
def test_a_localizer_series_is_left_aside_with_a_warning(ct, tmp_path, localizer):
    ct("study/volume", series="2")
    ct("study/scout", series="1", slices=2, SeriesDescription="Topogram",
       ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER" if localizer else "OTHER"],
       ImageOrientationPatient=[1, 0, 0, 0, 0, -1])  # fmt: skip
    image = read(tmp_path / "study")
    assert image.shape[0] == 5
    assert "Topogram" in warnings_of(image)[0]


def test_a_localizer_within_the_series_is_left_aside_with_a_warning(ct, make_slice, save_slice):
    folder = ct()
    save_slice(make_slice(99, rows=30, ImageOrientationPatient=[1, 0, 0, 0, 0, -1]), folder / "scout.dcm")
    save_slice(make_slice(98, ImagePositionPatient=None, ImageOrientationPatient=None), folder / "screen.dcm")
    image = read(folder)
    assert image.shape == (5, 24, 20)
    assert "2 images that are not part of the volume" in warnings_of(image)[0]
    assert "scout.dcm" in warnings_of(image)[0]


def test_a_broken_zip_is_named(ct, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in ct().iterdir():
            archive.write(path, path.name)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[200:260] = b"x" * 60
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.zip"):
        read(tmp_path / "a.zip")


def test_no_permission_to_read(ct, monkeypatch):
    folder = ct()

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(InputError, match="No permission to read"):
        read(folder)


def test_only_localizers_are_no_volume(ct):
    with pytest.raises(InputError, match="only localizer"):
        read(ct(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))


def test_several_volumes_in_one_series_are_listed_until_one_is_chosen(ct, make_slice, save_slice):
    folder = ct()
    for index in range(4):
        place = {"ImagePositionPatient": [-10, 2.5 * index, 40], "ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}
        save_slice(make_slice(50 + index, **place), folder / f"other{index}.dcm")
    with pytest.raises(InputError, match=r"holds 2 volumes.*1: axial, 5 slices.*2: coronal, 4 slices"):
        read(folder)
    assert read(folder, volume=2).shape[0] == 4
    with pytest.raises(InputError, match="no volume 3"):
        read(folder, volume=3)


@pytest.mark.parametrize("keep", [0.95, 0.3, 140])
def test_a_truncated_file_is_named(ct, keep):
    folder = ct()
    path = folder / "ct-002.dcm"
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if keep < 1 else keep])
    with pytest.raises(InputError, match=r"ct-002\.dcm"):
        read(folder)


def test_an_empty_dicom_file_is_named(ct, tmp_path):
    folder = ct()
    (folder / "empty.dcm").touch()
    assert "empty.dcm" in warnings_of(read(folder))[0]
    alone = tmp_path / "alone.dcm"
    alone.touch()
    with pytest.raises(InputError, match=r"alone\.dcm is empty"):
        read(alone)


def test_other_files_in_the_folder_are_left_aside(ct):
    folder = ct()
    (folder / "README.txt").write_text("not DICOM at all, but long enough to look at" * 10)
    (folder / "zero").touch()
    image = read(folder)
    assert image.shape[0] == 5
    assert "README.txt" in warnings_of(image)[0]


def test_a_folder_without_images_and_a_path_that_is_not_there(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match="holds no DICOM images"):
        read(tmp_path)
    with pytest.raises(InputError, match="no file or folder"):
        read(tmp_path / "nowhere")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(InputError, match=r"broken\.zip"):
        read(tmp_path / "broken.zip")


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"RescaleType": "MGML"}, "MGML"),
        ({"RescaleSlope": None, "RescaleIntercept": None}, "without RescaleSlope"),
        ({"RescaleSlope": "0"}, "RescaleSlope 0"),
        ({"ImagePositionPatient": None}, "ImagePositionPatient"),
        ({"ImageOrientationPatient": None}, "ImageOrientationPatient"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "perpendicular"),
        ({"StudyInstanceUID": None}, "study UID"),
        ({"PixelSpacing": [0, 0]}, "not positive"),
        ({"PixelSpacing": None}, "PixelSpacing"),
        ({"HighBit": 15}, "bit 15"),
        ({"NumberOfFrames": 5}, "5 frames of modality CT without a place"),
    ],
)
def test_headers_that_cannot_be_used(ct, changes, said):
    with pytest.raises(InputError, match=said):
        read(ct(**changes))


def test_color_is_refused(ct):
    with pytest.raises(InputError, match="color"):
        read(ct(slices=1, SamplesPerPixel=3, PhotometricInterpretation="RGB", stored=np.zeros((24, 60))))


def test_no_message_names_the_patient(ct):
    folder = ct(RescaleType="MGML")
    with pytest.raises(
        InputError, match=r"ct-001\.dcm is CT in unit MGML \(mg/ml\), not in Hounsfield units"
    ) as caught:
        read(folder)
    assert "PATIENT" not in str(caught.value).upper().replace("IMAGEPOSITIONPATIENT", "")
    assert "4711" not in str(caught.value)


def test_a_file_without_preamble_is_still_dicom(ct):
    folder = ct()
    plain = read(folder).voxels
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        with path.with_suffix("").open("wb") as stream:
            bare = pydicom.Dataset({element.tag: element for element in dataset})
            pydicom.dcmwrite(stream, bare, implicit_vr=True, little_endian=True, enforce_file_format=False)
        path.unlink()
    assert np.array_equal(read(folder).voxels, plain)


def test_of_a_cut_file_without_compression_its_transfer_syntax_is_not_blamed(ct):
    folder = ct()
    path = folder / "ct-002.dcm"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 100])
    with pytest.raises(InputError, match=r"ct-002\.dcm cannot be read: the file is truncated or broken; replace it\."):
        read(folder)
