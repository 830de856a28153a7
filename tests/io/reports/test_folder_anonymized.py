"""What anonymization and export file by file leave of identifiers: read where places tell the slices, and right in the output.

Each image of one series in a study of its own: fo-dicom/fo-dicom #497. A SOPInstanceUID that is missing: fli-iam/shanoir-ng pull
#1998; one for many slices: GoogleCloudPlatform/healthcare-dicom-dicomweb-adapter #153 (an archive keeps the last of them). A
Frame of Reference with a key of its own: slicebox/slicebox #290. No Modality at all: dgobbi/vtk-dicom #183 and #197. A
SOPClassUID that a reader does not find: DIAGNijmegen/rse-panimg #116. All at https://github.com/OWNER/NAME/issues/NUMBER.
"""

import subprocess

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    XRayAngiographicImageStorage,
    XRayRadiofluoroscopicImageStorage,
)
from tests.io.reports.checks import assert_written_well

from demottle.errors import InputError
from demottle.io import read, warnings_of, write


def written_uids(folder, keyword):
    return {str(pydicom.dcmread(path, stop_before_pixels=True)[keyword].value) for path in folder.iterdir()}


@pytest.mark.parametrize("of", [lambda i: "1.2.3.4", lambda i: f"1.2.3.{i // 2}"])
def test_slices_at_several_places_under_one_instance_uid(ct, denoised, program, tmp_path, of):
    image = read(ct(SOPInstanceUID=of))
    assert image.shape[0] == 5 and "share a SOPInstanceUID" in warnings_of(image)[0]
    out = write(denoised(image, 3), tmp_path / "out")
    assert len(written_uids(out, "SOPInstanceUID")) == 5
    assert_written_well(out, image, program)
    assert np.array_equal(read(out, accept_own_output=True).voxels, image.voxels + 3)
    assert written_uids(write(denoised(image, 3), tmp_path / "again"), "SOPInstanceUID") == written_uids(
        out, "SOPInstanceUID"
    )


def test_another_slice_at_one_place_under_one_instance_uid_is_still_refused(ct, make_slice, save_slice):
    folder = ct()
    save_slice(make_slice(2, seed=1), folder / "other.dcm")
    with pytest.raises(InputError, match="have the same SOPInstanceUID"):
        read(folder)


def test_a_frame_of_reference_for_each_slice(ct, denoised, program, tmp_path):
    image = read(ct(FrameOfReferenceUID=lambda i: f"1.2.3.{i + 1}"))
    assert "frame of reference of its own" in " ".join(warnings_of(image))
    out = write(denoised(image), tmp_path / "out")
    assert len(written_uids(out, "FrameOfReferenceUID")) == 1
    assert_written_well(out, image, program)
    entities = subprocess.run(
        [program("dcentvfy"), *out.iterdir()], capture_output=True, text=True, check=False, errors="replace"
    )
    assert "Error" not in entities.stdout + entities.stderr


def test_two_frames_of_reference_are_still_two(ct):
    with pytest.raises(InputError, match="2 frames of reference"):
        read(ct(FrameOfReferenceUID=lambda i: f"1.2.3.{i // 3 + 1}"))


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "PatientID"])
def test_a_study_or_patient_for_each_slice_is_called_what_it_is(ct, keyword):
    with pytest.raises(InputError, match=r"holds images of 5 .* anonymization file by file"):
        read(ct(**{keyword: lambda i: f"1.2.3.{i + 1}"}))


def test_class_and_instance_that_only_the_file_meta_information_states(ct, denoised, program, tmp_path):
    folder = ct()
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        del dataset.SOPClassUID, dataset.SOPInstanceUID
        dataset.save_as(path)
    image = read(folder)
    out = write(denoised(image), tmp_path / "out")
    assert_written_well(out, image, program)
    assert len(written_uids(out, "SOPInstanceUID")) == 5


@pytest.mark.parametrize("stated", [None, "", "OT"])
def test_a_modality_that_is_missing_is_that_of_the_class(ct, denoised, program, tmp_path, stated):
    image = read(ct(Modality=stated))
    assert (image.modality, image.unit) == ("CT", "HU")
    assert "stored as CT Image Storage, it is read as CT" in warnings_of(image)[0]
    out = write(denoised(image), tmp_path / "out")
    assert written_uids(out, "Modality") == {stated or "CT"}
    assert_written_well(out, image, program)


@pytest.mark.parametrize("stated", [None, "OT", "CR"])
@pytest.mark.parametrize(
    "sop_class, modality", [(XRayAngiographicImageStorage, "XA"), (XRayRadiofluoroscopicImageStorage, "RF")]
)
def test_a_projection_over_time_is_one_whatever_it_is_called(run, tmp_path, denoised, sop_class, modality, stated):
    """Frames were taken for the slices of a volume."""
    image = read(run(SOPClassUID=sop_class, Modality=stated))
    assert (image.modality, image.sequence, image.shape[0]) == (modality, True, 5)
    again = read(write(denoised(image, 2), tmp_path / "out"), accept_own_output=True)
    assert again.sequence and np.array_equal(again.voxels, image.voxels + 2)


@pytest.fixture
def run(make_slice, save_slice, tmp_path):
    """Write five frames without a place as one file, and return it."""

    def build(**changes):
        gone = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "FrameOfReferenceUID")
        stored = np.random.default_rng(2).normal(1000, 20, (5, 24, 20))
        dataset = make_slice(0, **dict.fromkeys(gone), **changes, stored=stored, NumberOfFrames=5, FrameTime="66")
        del dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType
        return save_slice(dataset, tmp_path / "run.dcm")

    return build


OTHER = {"Modality": "OT", "SOPClassUID": SecondaryCaptureImageStorage}


def test_what_states_no_modality_may_be_told_it(ct):
    """Programs that convert to DICOM write Secondary Capture of modality OT."""
    assert "does not say whether this is CT or MR" in warnings_of(read(ct(**OTHER)))[0]
    image = read(ct("as-ct", **OTHER), modality="CT")
    assert (image.modality, image.unit) == ("CT", "HU")
    assert "read as CT, as requested" in warnings_of(image)[0]
    assert (read(ct("as-mr", **OTHER), modality="MR").modality) == "MR"


def test_a_ct_told_without_hu_is_refused(ct):
    with pytest.raises(InputError, match="not known to be CT numbers"):
        read(ct(**OTHER, RescaleType="US"), modality="CT")


def test_frames_of_a_capture_may_be_told_to_be_a_run(run):
    path = run(SOPClassUID=MultiFrameGrayscaleWordSecondaryCaptureImageStorage, Modality="OT")
    with pytest.raises(InputError, match="If they are such a run, give the modality, XA or RF"):
        read(path)
    image = read(path, modality="XA")
    assert (image.modality, image.sequence, image.shape) == ("XA", True, (5, 24, 20))


@pytest.mark.parametrize("stated, given", [("CT", "MR"), ("PT", "CT")])
def test_a_modality_against_the_header_is_refused(ct, stated, given):
    with pytest.raises(InputError, match=f"The modality of the series is {stated}, .* cannot be read as {given}"):
        read(ct(Modality=stated, SOPClassUID=SecondaryCaptureImageStorage), modality=given)
    assert read(ct("same"), modality="CT").unit == "HU"
