"""Enhanced (multi-frame) CT: each frame becomes a slice, and goes back to its own place in one object."""

import subprocess
import warnings

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.uid import MRImageStorage, generate_uid

from demottle.errors import InputError
from demottle.image import ProcessingStep
from demottle.io import list_series, read, warnings_of, write


@pytest.fixture
def enhanced(ct, tmp_path):
    """A classic series and the same as one multi-frame object made by highdicom."""
    folder = ct(slices=6, RescaleIntercept=lambda i: str(-1024 - i), StudyID="S1")
    sources = [pydicom.dcmread(path) for path in folder.iterdir()]
    for source in sources:
        source.PatientSex = "O"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        multi = highdicom.legacy.LegacyConvertedEnhancedCTImage(
            sources, generate_uid(entropy_srcs=["multi"]), 4, generate_uid(entropy_srcs=["multi 1"]), 1
        )
        path = tmp_path / "multi" / "enhanced.dcm"
        path.parent.mkdir()
        multi.save_as(path)
    return folder, path


def test_frames_are_the_slices_of_the_classic_series(enhanced):
    folder, path = enhanced
    classic, multi = read(folder), read(path.parent)
    assert np.array_equal(multi.voxels, classic.voxels)
    assert (multi.spacing, multi.modality, multi.unit) == (classic.spacing, "CT", "HU")
    assert list_series(path)[0].slices == 6


def test_enhanced_mr(ct, tmp_path, denoised):
    mr = {
        "SOPClassUID": MRImageStorage,
        "Modality": "MR",
        "RescaleType": "US",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
    }
    physics = {
        "ScanningSequence": "SE",
        "SequenceVariant": "NONE",
        "ScanOptions": "",
        "MRAcquisitionType": "2D",
        "EchoTime": 10,
    }
    folder = ct(
        slices=4, RescaleSlope=lambda i: str(1 + i), **mr, **physics, EchoTrainLength=1, KVP=None, RepetitionTime=500
    )
    sources = [pydicom.dcmread(path) for path in folder.iterdir()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        multi = highdicom.legacy.LegacyConvertedEnhancedMRImage(sources, "1.2.3", 4, "1.2.4", 1)
        multi.save_as(tmp_path / "mr.dcm")
    image = read(tmp_path / "mr.dcm")
    assert (image.modality, image.unit) == ("MR", "a.u.")
    assert np.array_equal(image.voxels, read(folder).voxels)
    write(denoised(image, 12), tmp_path / "out.dcm")
    after = pydicom.dcmread(tmp_path / "out.dcm")
    by_slope = {
        g.PixelValueTransformationSequence[0].RescaleSlope: n
        for n, g in enumerate(after.PerFrameFunctionalGroupsSequence)
    }
    change = after.pixel_array.astype(int) - multi.pixel_array
    assert {slope: np.unique(change[frame]).tolist() for slope, frame in by_slope.items()} == {
        1: [12],
        2: [6],
        3: [4],
        4: [3],
    }


def test_the_result_is_one_object_with_every_frame_in_its_place(enhanced, tmp_path, denoised):
    _, path = enhanced
    image = read(path)
    out = write(denoised(image, 2), tmp_path / "out")
    (after_path,) = out.iterdir()
    before, after = pydicom.dcmread(path), pydicom.dcmread(after_path)
    assert np.array_equal(before.pixel_array.astype(int) + 2, after.pixel_array)
    for one, other in zip(before.PerFrameFunctionalGroupsSequence, after.PerFrameFunctionalGroupsSequence, strict=True):
        assert one.PlanePositionSequence == other.PlanePositionSequence
        assert one.PixelValueTransformationSequence == other.PixelValueTransformationSequence
    assert after.ImageType[0] == "DERIVED"
    assert after.SOPInstanceUID != before.SOPInstanceUID
    groups = [after.SharedFunctionalGroupsSequence[0], *after.PerFrameFunctionalGroupsSequence]
    frame_types = [g.CTImageFrameTypeSequence[0].FrameType[0] for g in groups if "CTImageFrameTypeSequence" in g]
    assert frame_types
    assert set(frame_types) == {"DERIVED"}
    (derivation,) = (g.DerivationImageSequence for g in groups if "DerivationImageSequence" in g)
    assert derivation[0].SourceImageSequence[0].ReferencedSOPInstanceUID == before.SOPInstanceUID
    again = read(out, accept_own_output=True)
    assert np.array_equal(again.voxels, image.voxels + 2)


def test_unchanged_frames_keep_every_byte_and_one_file_can_become_one_file(enhanced, tmp_path):
    _, path = enhanced
    image = read(path)
    write(image.with_voxels(image.voxels, ProcessingStep("nothing", "1")), tmp_path / "one.dcm")
    assert pydicom.dcmread(path).PixelData == pydicom.dcmread(tmp_path / "one.dcm").PixelData


def test_a_frame_in_another_plane_is_left_as_it_is(enhanced, tmp_path, denoised):
    _, path = enhanced
    dataset = pydicom.dcmread(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    frames = dataset.PerFrameFunctionalGroupsSequence
    orientation = shared.PlaneOrientationSequence
    del shared.PlaneOrientationSequence
    for index, frame in enumerate(frames):
        item = pydicom.Dataset()
        item.ImageOrientationPatient = [1, 0, 0, 0, 0, -1] if index == 0 else orientation[0].ImageOrientationPatient
        frame.PlaneOrientationSequence = [item]
    dataset.save_as(path)
    image = read(path)
    assert image.shape[0] == 5
    write(denoised(image, 2), tmp_path / "one.dcm")
    after = pydicom.dcmread(tmp_path / "one.dcm").pixel_array
    assert np.array_equal(after[0], dataset.pixel_array[0])
    assert np.array_equal(after[1:], dataset.pixel_array[1:] + 2)


def test_a_cine_run_beside_a_volume_is_left_aside(ct, tmp_path, make_slice, save_slice):
    ct("study/ct")
    run = make_slice(0, series="9", stored=np.zeros((24 * 3, 20)), NumberOfFrames=3, ImagePositionPatient=None)
    save_slice(run, tmp_path / "study" / "run.dcm")
    image = read(tmp_path / "study")
    assert image.shape[0] == 5
    assert "3 x 24 x 20" in warnings_of(image)[0]


def test_a_missing_description_of_a_frame_is_refused(enhanced):
    _, path = enhanced
    dataset = pydicom.dcmread(path)
    del dataset.PerFrameFunctionalGroupsSequence[2]
    dataset.save_as(path)
    with pytest.raises(InputError, match="6 frames but describes 5"):
        read(path)


def test_dciodvfy_finds_nothing_new(enhanced, tmp_path, denoised, program):
    _, path = enhanced
    write(denoised(read(path)), tmp_path / "one.dcm")

    def errors(file):
        done = subprocess.run([program("dciodvfy"), str(file)], capture_output=True, text=True, check=False)
        return {line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")}

    assert errors(tmp_path / "one.dcm") <= errors(path)
