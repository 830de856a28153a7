"""A DICOM input becomes the right numbers in the right order, or one clear sentence."""

import base64
import subprocess
import zipfile

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGExtended12Bit,
    JPEGLSLossless,
    RLELossless,
)

from demottle.errors import InputError
from demottle.io import list_series, warnings_of


def test_slices_are_sorted_by_position_whatever_name_and_number_say(ct, read):
    image = read(ct(InstanceNumber=lambda i: [3, 1, 5, 2, 4][i], stored=lambda i: np.full((24, 20), 1024 + 10 * i)))
    assert image.voxels[:, 0, 0].tolist() == [0, 10, 20, 30, 40]
    assert image.spacing == (2.5, 0.8, 0.7)
    assert (image.modality, image.unit, image.slice_thickness, image.evenly_spaced) == ("CT", "HU", 2.5, True)
    assert warnings_of(image) == ()


def test_positions_along_a_coronal_normal(ct, read):
    folder = ct(ImageOrientationPatient=[1, 0, 0, 0, 0, -1], ImagePositionPatient=lambda i: [0, 50 - 2 * i, 0],
                stored=lambda i: np.full((24, 20), 1024 + i))  # fmt: skip
    image = read(folder)
    assert image.spacing[0] == 2
    assert image.voxels[:, 0, 0].tolist() == [4, 3, 2, 1, 0]


def test_each_slice_has_its_own_rescale(ct, read):
    image = read(ct(RescaleSlope=lambda i: str(1 + i / 2), RescaleIntercept=lambda i: str(-1000 - i),
                    stored=np.full((24, 20), 1000)))  # fmt: skip
    assert image.voxels[:, 3, 3].tolist() == [0, 499, 998, 1497, 1996]


@pytest.mark.parametrize("bits, signed", [(8, 0), (10, 0), (12, 1), (16, 0), (16, 1)])
def test_bits_and_sign(ct, read, bits, signed):
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    stored = np.full((24, 20), 5)
    stored[1, 1], stored[2, 2] = low, high
    image = read(ct(BitsAllocated=8 if bits == 8 else 16, BitsStored=bits, HighBit=bits - 1, PixelRepresentation=signed,
                    RescaleIntercept="0", stored=stored))  # fmt: skip
    assert (image.voxels[0, 1, 1], image.voxels[0, 2, 2]) == (low, high)


def test_monochrome1_changes_the_display_not_the_numbers(ct, read):
    stored = np.full((24, 20), 1064)
    assert (read(ct(PhotometricInterpretation="MONOCHROME1", stored=stored)).voxels == 40).all()


def test_padding_and_outside_the_circle_are_not_valid(ct, read):
    stored = np.full((24, 20), 40)
    stored[0, :3], stored[1, 1] = -2000, -1000
    signed = {"PixelRepresentation": 1, "RescaleIntercept": "0", "stored": stored}
    bare = read(ct("bare", **signed))
    padded = read(ct("padded", PixelPaddingValue=-1000, **signed))
    ranged = read(ct("ranged", PixelPaddingValue=-1000, PixelPaddingRangeLimit=-2048, **signed))
    assert [int((~image.valid[0]).sum()) for image in (bare, padded, ranged)] == [3, 4, 4]
    assert read(ct("none", stored=np.full((24, 20), 1000))).valid is None


def test_padding_that_does_not_fit_the_bits_stored(ct, read):
    stored = np.full((24, 20), 1064)
    stored[3, 3] = 63536  # -2000 in 16 bits, as some scanners write it into 12
    image = read(ct(PixelPaddingValue=63536, stored=stored))
    assert np.argwhere(~image.valid[0]).tolist() == [[3, 3]]


def test_corners_far_below_air_are_outside_the_circle(ct, read):
    stored = np.full((24, 20), 1064)
    stored[[0, 0, -1, -1], [0, -1, 0, -1]] = 0
    image = read(ct(RescaleIntercept="-3024", stored=stored))
    assert (~image.valid[2]).sum() == 4


def test_overlay_bits_above_bits_stored_are_no_part_of_the_value(ct, read):
    stored = np.full((24, 20), 1064)
    stored[4, 4] |= 0x8000
    assert (read(ct(stored=stored)).voxels == 40).all()


def test_gantry_tilt_is_accepted(ct, read):
    angle = np.deg2rad(20)
    image = read(ct(ImageOrientationPatient=[1, 0, 0, 0, round(np.cos(angle), 6), round(-np.sin(angle), 6)],
                    ImagePositionPatient=lambda i: [0, 0, 3 * i]))  # fmt: skip
    assert image.spacing[0] == pytest.approx(3 * np.cos(angle), abs=1e-4)
    assert image.evenly_spaced


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless, RLELossless])
@pytest.mark.parametrize("signed", [0, 1])
def test_compressed_transfer_syntaxes(ct, read, syntax, signed):
    folder = ct(PixelRepresentation=signed, rows=64, columns=64)
    plain = read(folder).voxels
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(path)
    assert np.array_equal(read(folder).voxels, plain)


@pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_native_transfer_syntaxes(ct, read, syntax):
    folder = ct()
    plain = read(folder).voxels
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path, implicit_vr=syntax.is_implicit_VR, little_endian=True)
    assert np.array_equal(read(folder).voxels, plain)


# A slice with the values 1024 + 10 * row + column as one HTJ2K codestream, made by another codec (OpenJPH): nothing that
# demottle depends on can write it.
HTJ2K = (
    "/0//UQApQAAAAAAUAAAAGAAAAAAAAAAAAAAAFAAAABgAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB/1wAEyCIkJCQkJCQkJCQkJCQ"
    "iIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAHYAAf+TwAAmR/cFB3QAwAASwAASgOAAB3QAVgGHdACgAAkAuxIzAKAACpBarfbAEIH+"
    "tgDAABNAABWAIt+v23UALGOM/fQARgAB7LgAwAAqYAAWgADw7/ilKUvnAFJERERE/v9TPfJ798nsugD/2Q=="
)


def test_htj2k(ct, read):
    folder = ct(slices=1, BitsStored=16, HighBit=15)
    path = next(folder.iterdir())
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([base64.b64decode(HTJ2K)])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = HTJ2KLossless
    dataset.save_as(path)
    rows, columns = np.mgrid[:24, :20]
    assert np.array_equal(read(folder).voxels[0], 10 * rows + columns)


def test_jpeg_lossless(ct, read, program, tmp_path):
    folder = ct()
    plain = read(folder).voxels
    for path in list(folder.iterdir()):
        subprocess.run([program("dcmcjpeg"), "+e1", str(path), str(path)], check=True)
        assert pydicom.dcmread(path).file_meta.TransferSyntaxUID.name.startswith("JPEG Lossless")
    assert np.array_equal(read(folder).voxels, plain)


def test_12_bit_jpeg_extended_names_the_plug_in(ct, read, program):
    folder = ct(slices=1)
    path = next(folder.iterdir())
    subprocess.run([program("dcmcjpeg"), "+ee", str(path), str(path)], check=True)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == JPEGExtended12Bit
    with pytest.raises(InputError, match="pylibjpeg-libjpeg"):
        read(folder)


def test_unknown_transfer_syntax_is_refused(ct, read):
    folder = ct()
    path = sorted(folder.iterdir())[0]
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0"))
    with pytest.raises(InputError, match=path.name):
        read(folder)


def test_a_zip_a_file_and_a_dicomdir_hold_the_same_slices(ct, read, tmp_path):
    folder = ct()
    whole = read(folder)
    with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"a/{path.name}")
    assert np.array_equal(read(tmp_path / "scan.zip").voxels, whole.voxels)
    one = read(folder / "ct-005.dcm")
    assert np.array_equal(one.voxels[0], whole.voxels[0])
    assert one.spacing == (2.5, 0.8, 0.7)
    medium = tmp_path / "medium"
    files = FileSet()
    for path in folder.iterdir():
        files.add(path)
    files.write(medium)
    files._stage["t"].cleanup()  # pydicom leaves it to the garbage collector
    for path in sorted(medium.rglob("*"), reverse=True):  # copies of media often come out in lower case
        if path.name != "DICOMDIR":
            path.rename(path.with_name(path.name.lower()))
    assert np.array_equal(read(medium / "DICOMDIR").voxels, whole.voxels)
    assert np.array_equal(read(medium).voxels, whole.voxels)


def test_list_series(ct):
    (info,) = list_series(ct())
    assert (info.description, info.modality, info.slices, info.matrix, info.own_output) == (
        "Thorax",
        "CT",
        5,
        (24, 20),
        False,
    )
