"""Numbers written as text in ways of their own, and headers that are encoded in others than they say.

A comma for the decimal point: fo-dicom/fo-dicom #1296 and #1915, dcmjs-org/dcmjs #287. Two numbers in an element of another type
(UT): pydicom/pydicom #828. One number or three for PixelSpacing: InsightSoftwareConsortium/ITK #6639,
cornerstonejs/cornerstoneWADOImageLoader #28; a comma between two numbers: pydicom #173. File meta information in implicit
encoding and without a preamble: rii-mango/Daikon #49; none at all: Enet4/dicom-rs #83, pydicom #78, #217, #342. Types where the
file says that there are none: wearemothership/dicom.ts #54, pydicom #820. All at
https://github.com/OWNER/NAME/issues/NUMBER.
"""

import struct

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
    RLELossless,
)
from tests.io.reports.checks import assert_written_well

from demottle.errors import InputError
from demottle.io import read, write


def with_raw(folder, keyword, value, vr="DS"):
    """Put bytes into an element of every file of a folder as they are."""
    tag = Tag(keyword)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        value += b" " * (len(value) % 2)
        dataset._dict[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
        dataset.save_as(path)
    return folder


@pytest.mark.parametrize("implicit", [False, True])
def test_a_comma_for_the_decimal_point(ct, denoised, program, tmp_path, implicit):
    folder = ct()
    for keyword, value in (("PixelSpacing", rb"0,8\0,7"), ("RescaleSlope", b"1,0"), ("SliceThickness", b"2,5"),
                           ("WindowCenter", b"40,5"), ("WindowWidth", b"400,5")):  # fmt: skip
        with_raw(folder, keyword, value)
    if implicit:
        for path in folder.iterdir():
            data = path.read_bytes()
            dataset = pydicom.dcmread(path)
            for keyword in ("PixelSpacing", "RescaleSlope", "SliceThickness", "WindowCenter", "WindowWidth"):
                text = dataset.get_item(Tag(keyword)).value
                setattr(dataset, keyword, text.decode().replace(",", ".").split("\\"))
            dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
            dataset.save_as(path)
            data = path.read_bytes()
            for point in (rb"0.8\0.7", b"1.0 ", b"2.5 ", b"40.5", b"400.5"):
                data = data.replace(point, point.replace(b".", b","))
            path.write_bytes(data)
    image = read(folder)
    assert image.spacing == (2.5, 0.8, 0.7) and image.slice_thickness == 2.5
    out = write(denoised(image), tmp_path / "out")
    after = pydicom.dcmread(next(out.iterdir()))
    assert (float(after.WindowCenter), float(after.WindowWidth), list(map(float, after.PixelSpacing))) == (
        40.5,
        400.5,
        [0.8, 0.7],
    )
    assert_written_well(out, image, program)


def test_two_numbers_in_an_element_of_another_type(ct, denoised, program, tmp_path):
    folder = with_raw(ct(), "PixelSpacing", rb"0.8000\0.7000", "UT")
    image = read(folder)
    assert image.spacing == (2.5, 0.8, 0.7)
    out = write(denoised(image), tmp_path / "out")
    assert pydicom.dcmread(next(out.iterdir()))["PixelSpacing"].VR == "DS"
    assert_written_well(out, image, program)


@pytest.mark.parametrize("value", [b"0.8", rb"0.8\0\0.8", b"0.8,0.7", b"0,8,0,7", b"N/A", rb"\0.8", rb"0.8\nan"])
def test_a_pixel_spacing_that_is_none_is_refused_by_name(ct, value):
    with pytest.raises(InputError, match=r"PixelSpacing|header of .* is broken"):
        read(with_raw(ct(), "PixelSpacing", value))


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian], ids=lambda s: s.name
)
@pytest.mark.parametrize("name", ["{}.dcm", "{}"])
def test_no_file_meta_information_at_all(ct, make_slice, tmp_path, denoised, syntax, name):
    folder = tmp_path / "in"
    folder.mkdir()
    expected = []
    for index in range(4):
        dataset = make_slice(index)
        expected.append(dataset.pixel_array - 1024.0)
        big = syntax == ExplicitVRBigEndian
        if big:
            dataset.PixelData = dataset.pixel_array.astype(">u2").tobytes()
        dataset.__dict__.pop("file_meta", None)
        pydicom.dcmwrite(folder / name.format(index), dataset, implicit_vr=syntax == ImplicitVRLittleEndian,
                         little_endian=not big, enforce_file_format=False)  # fmt: skip
    image = read(folder)
    assert np.array_equal(image.voxels, expected)
    assert np.array_equal(
        read(write(denoised(image), tmp_path / "out"), accept_own_output=True).voxels, image.voxels + 3
    )


def test_file_meta_information_in_implicit_encoding(make_slice, tmp_path):
    """Elekta's cone-beam CT: group 2 as implicit elements, no preamble."""
    folder = tmp_path / "in"
    folder.mkdir()
    for index in range(4):
        dataset = make_slice(index)
        meta = dataset.file_meta
        dataset.__dict__.pop("file_meta", None)
        path = folder / f"{index}.dcm"
        pydicom.dcmwrite(path, dataset, implicit_vr=True, little_endian=True, enforce_file_format=False)
        entries = ((0x0001, b"\0\1"), (0x0002, dataset.SOPClassUID.encode()), (0x0003, dataset.SOPInstanceUID.encode()),
                   (0x0010, ImplicitVRLittleEndian.encode()))  # fmt: skip
        head = b""
        for element, value in entries:
            value += b"\0" * (len(value) % 2)
            head += struct.pack("<HHI", 2, element, len(value)) + value
        path.write_bytes(head + path.read_bytes())
        assert meta
    image = read(folder)
    assert np.array_equal(image.voxels, [make_slice(index).pixel_array - 1024.0 for index in range(4)])


def test_overlays_and_tables_of_a_big_endian_file(make_slice, save_slice, denoised, tmp_path):
    """Their words have an order of bytes too, in sequences as well; what is written is little-endian."""
    dataset = make_slice(0)
    pixels = dataset.pixel_array.copy()
    drawn = np.random.default_rng(1).random((24, 20)) < 0.3
    words = np.packbits(drawn.ravel(), bitorder="little").view("<u2")
    for element, vr, value in (
        (0x10, "US", 24), (0x11, "US", 20), (0x40, "CS", "G"), (0x50, "SS", [1, 1]), (0x100, "US", 1), (0x102, "US", 0),
        (0x3000, "OW", words.astype(">u2").tobytes()),
    ):  # fmt: skip
        dataset.add_new((0x6000, element), vr, value)
    table = pydicom.Dataset()
    table.LUTDescriptor = [256, 0, 16]
    table.add_new("LUTData", "OW", np.arange(256).astype(">u2").tobytes())
    dataset.VOILUTSequence = [table]
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset.PixelData = pixels.astype(">u2").tobytes()
    dataset["PixelData"].VR = "OW"
    image = read(save_slice(dataset, tmp_path / "in.dcm"))
    after = pydicom.dcmread(write(denoised(image, 1), tmp_path / "out.dcm"))
    assert np.array_equal(after.pixel_array, pixels + 1) and np.array_equal(after.overlay_array(0x6000), drawn)
    assert np.array_equal(np.frombuffer(after.VOILUTSequence[0].LUTData, "<u2"), np.arange(256))


def relabelled(folder, stated, encoded=None):
    """Let the file meta information of each file state a transfer syntax that its elements do not have."""
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = encoded or ExplicitVRLittleEndian
        dataset.save_as(path)
        data = path.read_bytes()
        old, new = (uid.encode() + b"\0" * (len(uid) % 2) for uid in (dataset.file_meta.TransferSyntaxUID, stated))
        at = data.index(old)
        data = data[: at - 2] + struct.pack("<H", len(new)) + new + data[at + len(old) :]
        length = struct.unpack("<I", data[140:144])[0] + len(new) - len(old)
        path.write_bytes(data[:140] + struct.pack("<I", length) + data[144:])
    return folder


@pytest.mark.parametrize(
    ("stated", "encoded"),
    [(ImplicitVRLittleEndian, ExplicitVRLittleEndian), (ExplicitVRLittleEndian, ImplicitVRLittleEndian)],
    ids=["says implicit", "says explicit"],
)
def test_elements_with_and_without_types_whatever_the_file_says(ct, denoised, program, tmp_path, stated, encoded):
    """Seen in this project: pixels were read two to the left, with the length of the element for the first two."""
    expected = read(ct("right")).voxels
    image = read(relabelled(ct("wrong"), stated, encoded))
    assert np.array_equal(image.voxels, expected)
    assert_written_well(write(denoised(image), tmp_path / "out"), image, program)


@pytest.mark.parametrize("stated", [JPEGLosslessSV1, RLELossless, "1.2.840.113619.5.2", "1.2.3.4"])
def test_a_transfer_syntax_that_the_pixels_do_not_have_is_named(ct, stated):
    with pytest.raises(InputError, match=rf"truncated or broken, or its transfer syntax \({stated}\) is not supported"):
        read(relabelled(ct(), stated))


def test_zeros_behind_the_pixels(ct, denoised, program, tmp_path):
    """Whole blocks, as on tapes and disks (pydicom has them as elements of group 0, which no file may hold)."""
    folder = ct()
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes() + b"\0" * 512)
    image = read(folder)
    assert_written_well(write(denoised(image), tmp_path / "out"), image, program)
