"""Slices whose headers leave out or contradict where they lie, and images that lie nowhere.

A negative SpacingBetweenSlices: Slicer/Slicer #7987, OHIF/Viewers #4352, cornerstonejs/cornerstone3D #1752. No Frame of
Reference: ImagingDataCommons/highdicom #200 and #284. Pixels of another size in one series: SlicerProstate/SliceTracker #327,
fedorov/MultiVolumeImporter #48. Overlapping slices, whose thickness is not their distance: bbrister/SIFT3D #14,
InsightSoftwareConsortium/ITK #112. Images without a place: Slicer/Slicer #7566 and #4019. All at
https://github.com/OWNER/NAME/issues/NUMBER.
"""

import pydicom
import pytest
from tests.io.reports.checks import assert_written_well

from demottle.errors import InputError
from demottle.io import open_scan, read, write

ROOT = "1.2.840.10008.5.1.4.1.1."


@pytest.mark.parametrize("between", ["-2.5", "-5"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_negative_distance_between_slices(ct, denoised, program, tmp_path, between, order):
    image = read(ct(SpacingBetweenSlices=between, ImagePositionPatient=lambda i: [-10, -12, order * 2.5 * i]))
    assert image.spacing[0] == 2.5
    out = write(denoised(image), tmp_path / "out")
    assert {float(pydicom.dcmread(path).SpacingBetweenSlices) for path in out.iterdir()} == {-float(between)}
    assert_written_well(out, image, program)


@pytest.mark.parametrize("stated", [None, ""])
def test_slices_without_a_frame_of_reference_lie_in_that_of_their_series(ct, denoised, program, tmp_path, stated):
    """Anonymization took it; the standard demands one, and all results of one series share it."""
    gone = dict.fromkeys(("PatientID", "PatientName", "PatientBirthDate", "StudyDate", "StudyID", "Manufacturer"))
    image = read(ct(FrameOfReferenceUID=stated, **gone))
    found = set()
    for name in ("one", "two"):
        out = write(denoised(image, len(name)), tmp_path / name)
        assert_written_well(out, image, program)
        found |= {pydicom.dcmread(path).FrameOfReferenceUID for path in out.iterdir()}
    assert len(found) == 1 and len(found.pop()) > 10


def test_a_slice_without_a_position_is_named_where_one_is_missing(ct):
    folder = ct()
    path = sorted(folder.iterdir())[2]
    dataset = pydicom.dcmread(path)
    del dataset.ImagePositionPatient
    dataset.save_as(path)
    with pytest.raises(InputError, match=rf"Slices are missing between .*{path.name} states no position \(ImagePos"):
        read(folder)


def test_pixels_of_several_sizes_are_told_by_their_size(ct):
    folder = ct(slices=8, PixelSpacing=lambda i: [0.8 + 0.1 * (i > 3), 0.7])
    assert [part.label for part in open_scan(folder).volumes] == ["pixels of 0.8 x 0.7 mm", "pixels of 0.9 x 0.7 mm"]


def test_slices_that_overlap(ct, denoised, program, tmp_path):
    image = read(ct(SliceThickness="5", SpacingBetweenSlices="2.5"))
    assert (image.spacing[0], image.slice_thickness) == (2.5, 5)
    assert_written_well(write(denoised(image), tmp_path / "out"), image, program)


@pytest.mark.parametrize(
    ("modality", "ending"), [("US", "6.1"), ("NM", "20"), ("SC", "7"), ("OP", "77.1.5.1"), ("XC", "77.1.4")]
)
def test_an_image_that_lies_nowhere_is_refused_by_its_modality(ct, modality, ending):
    gone = dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "FrameOfReferenceUID"))
    with pytest.raises(InputError, match=f"an image of modality {modality} without a place in the patient"):
        read(ct(slices=1, Modality=modality, SOPClassUID=ROOT + ending, **gone))


@pytest.mark.parametrize("turn", [0.00499, 0.0, -0.015])
def test_cosines_and_sizes_that_are_rounded_differently_from_slice_to_slice(ct, denoised, program, tmp_path, turn):
    """moloney/dcmstack #55: GE's numbers vary in the last digits; here they lie on both sides of where two digits are rounded."""
    image = read(
        ct(
            slices=8,
            ImageOrientationPatient=lambda i: [1, turn + 2e-5 * (i % 2), 0, -turn - 2e-5 * (i % 2), 1, 0],
            PixelSpacing=lambda i: [0.4885 - 1e-6 * (i % 2), 0.4885],
        )
    )
    assert image.shape[0] == 8
    assert_written_well(write(denoised(image), tmp_path / "out"), image, program)
