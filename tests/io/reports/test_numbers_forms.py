"""Values in a form that the standard does not have: read right, and right in the output.

Dates and times with points and colons, as before DICOM: pydicom/pydicom #1366, blairconrad/dicognito #182, ivmartel/dwv #665.
A backslash in a description: pydicom #1105. Decimal strings of more than 16 characters: pydicom #1264, tomaroberts/nii2dcm #48.
An age without three digits: datalad/example-dicom-structural #2. Frames that are 0 or 1 where there is one image: Slicer/Slicer
#6091. All at https://github.com/OWNER/NAME/issues/NUMBER; made from scratch.
"""

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from tests.io.reports.checks import assert_written_well, errors_of
from tests.io.reports.test_numbers_text import with_raw
from tests.io.volumes.objects import save_all

from demottle.errors import InputError
from demottle.io import list_series, open_scan, read, warnings_of, write
from demottle.io.dicom.headers.text import without_backslash

FORMS = {
    "StudyDate": ("DA", b"1995.03.01", "19950301"),
    "ContentDate": ("DA", b"1995-03-01", "19950301"),
    "StudyTime": ("TM", b"10:11:12.5", "101112.5"),
    "ContentTime": ("TM", b"10:11", "1011"),
    "AcquisitionDateTime": ("DT", b"1995-03-01T10:11:12", "19950301101112"),
    "PatientAge": ("AS", b"45y", "045Y"),
    "PatientSex": ("CS", b"male", "M"),
    "PatientPosition": ("CS", b"hfs", "HFS"),
    "ImageType": ("CS", rb"original\primary\axial", ["DERIVED", "PRIMARY", "AXIAL"]),
    "SpecificCharacterSet": ("CS", b"ISO-8859-1", "ISO_IR 100"),
    "KVP": ("DS", b"120.000000000000000001", "120.0"),
    "InstanceNumber": ("IS", b"3.0", "3"),
    "StudyDescription": ("LO", rb"Chest\Abdomen", "Chest/Abdomen"),
    "NumberOfFrames": ("IS", b"0", None),
    "SliceThickness": ("DS", b"0", "None"),
}


@pytest.mark.parametrize("keyword", FORMS)
def test_the_output_holds_it_in_the_form_of_the_standard(ct, denoised, program, tmp_path, keyword):
    vr, value, right = FORMS[keyword]
    folder = with_raw(ct(slices=3), keyword, value, vr)
    assert errors_of(next(folder.iterdir()), program)
    image = read(folder)
    out = write(denoised(image), tmp_path / "out")
    after = pydicom.dcmread(next(out.iterdir())).get(keyword)
    assert (
        list(after) if isinstance(right, list) else None if after is None and right is None else str(after)
    ) == right
    assert_written_well(out, image, program)


@pytest.mark.parametrize("nested", [1, 2])
@pytest.mark.parametrize("length", ["defined", "undefined"])
def test_dates_in_sequences_too(ct, make_slice, denoised, program, tmp_path, nested, length):
    """With what stands there and is right left as it is, byte by byte."""
    folder = ct(slices=3)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        code, item = Dataset(), Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99X", "Gr\u00f6\u00dfe"
        code.ContextGroupVersion = "19950301"
        code["ContextGroupVersion"] = RawDataElement(
            Tag("ContextGroupVersion"), "DT", 20, b"1995-03-01 10:11:12 ", 0, False, True
        )
        item.PerformedProtocolCodeSequence = [code]
        for keyword, vr, value in (("PerformedProcedureStepStartDate", "DA", b"1995.03.01"), ("KVP", "DS", b"0,7 ")):
            item[keyword] = RawDataElement(Tag(keyword), vr, len(value), value, 0, False, True)
        outer = item
        if nested == 2:
            outer = Dataset()
            outer.PerformedProtocolCodeSequence = [item]
        dataset.RequestAttributesSequence = [outer]
        dataset["RequestAttributesSequence"].is_undefined_length = length == "undefined"
        dataset.save_as(path)
    image = read(folder)
    out = write(denoised(image), tmp_path / "out")
    after = pydicom.dcmread(next(out.iterdir())).RequestAttributesSequence[0]
    after = after.PerformedProtocolCodeSequence[0] if nested == 2 else after
    assert after.PerformedProcedureStepStartDate == "19950301" and after.KVP == 0.7
    assert after.PerformedProtocolCodeSequence[0].ContextGroupVersion == "19950301101112"
    assert after.PerformedProtocolCodeSequence[0].CodeMeaning == "Gr\u00f6\u00dfe"
    assert not [line for line in errors_of(next(out.iterdir()), program) if "Value invalid" in line]


def test_a_window_without_a_width_is_left_out(ct, denoised, program, tmp_path):
    image = read(ct(slices=3, WindowCenter=40, WindowWidth=0))
    out = write(denoised(image), tmp_path / "out")
    assert "WindowWidth" not in pydicom.dcmread(next(out.iterdir()))
    assert_written_well(out, image, program)


def test_the_order_of_colors_of_a_gray_image_is_left_out(ct, denoised, program, tmp_path):
    """Converters of color images write it for gray ones too; Samples per Pixel has to go with it (fo-dicom/fo-dicom #837)."""
    image = read(ct(slices=3, PlanarConfiguration=0))
    assert_written_well(write(denoised(image), tmp_path / "out"), image, program)


def test_an_intercept_that_is_two_numbers_is_named(ct):
    """Of the kind of pydicom #828: two numbers where one belongs."""
    with pytest.raises(InputError, match="the CT is without a valid RescaleIntercept,"):
        read(with_raw(ct(slices=3), "RescaleIntercept", rb"-1024\-1024"))


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [("PatientBirthDate", "DA", b"01.03.1995"), ("StudyDate", "DA", b"1995.13.01"), ("PatientID", "LO", rb"a\b")],
)
def test_what_only_a_guess_could_mend_stays(ct, denoised, tmp_path, keyword, vr, value):
    """Day or month first; no such month; another identifier would be another patient."""
    out = write(denoised(read(with_raw(ct(slices=3), keyword, value, vr))), tmp_path / "out")
    assert pydicom.dcmread(next(out.iterdir())).get_item(keyword).value.strip(b" ") == value


def test_a_description_with_a_backslash_is_shown_as_one_and_said(ct, denoised, program, tmp_path):
    folder = with_raw(ct(), "SeriesDescription", rb"Lung\Axial", "LO")
    assert list_series(folder)[0].description == "Lung/Axial"
    image = read(folder)
    assert any("SeriesDescription holds a backslash" in said for said in warnings_of(image))
    assert_written_well(write(denoised(image), tmp_path / "out"), image, program)


def test_a_backslash_that_is_half_a_character_stays() -> None:
    japanese, chinese = b"\x1b$B9\\\x1b(B\\x", "\\誠\\".encode("gb18030")
    assert without_backslash(japanese, "") == b"\x1b$B9\\\x1b(B/x"
    assert without_backslash(chinese, "GB18030") == b"/" + chinese[1:-1] + b"/"


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("allocated", [8, 16])
def test_a_ct_of_eight_bits_comes_out_in_sixteen(ct, denoised, program, tmp_path, allocated, signed):
    """A CT has 12 to 16 bits (PS3.3 C.8.2.1); old ones and those of small animals have 8."""
    stored = np.random.default_rng(0).integers(-100, 100, (24, 20)) + (0 if signed else 120)
    image = read(
        ct(slices=3, BitsAllocated=allocated, BitsStored=8, HighBit=7, PixelRepresentation=signed, stored=stored)
    )
    out = write(denoised(image, 2), tmp_path / "out")
    after = pydicom.dcmread(next(out.iterdir()))
    assert (after.BitsAllocated, after.BitsStored, after.HighBit) == (16, 16, 15)
    assert np.array_equal(after.pixel_array, stored + 2)
    assert_written_well(out, image, program)


def test_times_of_the_old_form_tell_volumes_apart(make_slice, tmp_path):
    source = []
    for volume in range(2):
        for place in range(4):
            one = make_slice(place, seed=volume, SOPInstanceUID=f"1.2.3.{volume}.{place}")
            for keyword, vr, value in (
                ("AcquisitionTime", "TM", f"10:0{volume}:00"),
                ("AcquisitionDate", "DA", "1995.03.01"),
            ):
                tag, raw = Tag(keyword), value.encode()
                one._dict[tag] = RawDataElement(tag, vr, len(raw), raw, 0, False, True)
            source.append(one)
    folder = save_all(source, tmp_path / "in")
    assert [part.label for part in open_scan(folder).volumes] == ["after 0 s", "after 60 s"]
