"""True Enhanced CT and MR, not made from classic slices: frames out of order, oblique, each with its own rescale."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from tests.io.enhanced import COLUMNS, GAP, NORMAL, OBLIQUE, ORDER, ORIGIN, ROWS, enhanced_ct, enhanced_mr, position

from demottle.errors import InputError
from demottle.io import read, write

MAKERS = {"CT": enhanced_ct, "MR": enhanced_mr}
Save = Callable[[Dataset, Path], Path]


@pytest.fixture(params=list(MAKERS))
def made(request: pytest.FixtureRequest, tmp_path: Path, save_slice: Save) -> tuple[str, Dataset, Path]:
    dataset = MAKERS[request.param]()
    return request.param, dataset, save_slice(dataset, tmp_path / "in" / "enhanced.dcm")


def errors_of(program: Callable[[str], str], path: Path) -> list[str]:
    """What dciodvfy objects to.

    It does not let a DERIVED image tell its pulse sequence; PS3.3 C.8.13.4 does: "Required if Image Type Value 1 is ORIGINAL or
    MIXED. May be present otherwise." So that objection alone does not count.
    """
    done = subprocess.run([program("dciodvfy"), "-new", path], capture_output=True, text=True, check=False)
    errors = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]
    too_strict = "present when condition unsatisfied", "Module=<MRPulseSequence>"
    return [line for line in errors if not all(word in line for word in too_strict)]


def test_the_objects_of_these_tests_are_valid(made, program) -> None:
    assert errors_of(program, made[2]) == []


def test_frames_are_sorted_and_have_the_values_their_own_rescale_gives(made) -> None:
    modality, dataset, path = made
    image = read(path)
    stored = np.frombuffer(dataset.PixelData, "<i2").reshape(len(ORDER), ROWS, COLUMNS).astype(np.float32)
    assert (image.modality, image.unit) == (modality, "HU" if modality == "CT" else "a.u.")
    for frame, in_stack in enumerate(ORDER):
        wanted = stored[frame] - 1024 - in_stack if modality == "CT" else stored[frame] * (1 + in_stack)
        assert np.array_equal(image.voxels[in_stack], wanted)


def test_geometry_is_that_of_the_functional_groups(made) -> None:
    image = read(made[2])
    assert image.spacing == pytest.approx((GAP, 0.8, 0.7))
    assert (image.slice_thickness, image.evenly_spaced) == (2.5, True)
    affine = image.source.payload.affine
    assert affine[:3, 3] == pytest.approx(ORIGIN)
    assert affine[:3, 0] == pytest.approx(0.7 * np.array(OBLIQUE[:3]))
    assert affine[:3, 1] == pytest.approx(0.8 * np.array(OBLIQUE[3:]))
    assert affine[:3, 2] == pytest.approx(GAP * NORMAL)


def test_what_is_written_has_every_frame_in_its_place_and_keeps_the_geometry(made, tmp_path, denoised) -> None:
    modality, before, path = made
    image = read(path)
    change = np.float32(60)  # a multiple of every slope
    (written,) = write(denoised(image, change), tmp_path / "out").iterdir()
    after = pydicom.dcmread(written)
    slopes = [1.0] * len(ORDER) if modality == "CT" else [1.0 + in_stack for in_stack in ORDER]
    difference = after.pixel_array.astype(int) - np.frombuffer(before.PixelData, "<i2").reshape(after.pixel_array.shape)
    assert [np.unique(plane).tolist() for plane in difference] == [[round(change / slope)] for slope in slopes]
    for one, other, in_stack in zip(
        before.PerFrameFunctionalGroupsSequence, after.PerFrameFunctionalGroupsSequence, ORDER, strict=True
    ):
        assert list(other.PlanePositionSequence[0].ImagePositionPatient) == position(in_stack)
        assert other.FrameContentSequence == one.FrameContentSequence
        assert other.PixelValueTransformationSequence == one.PixelValueTransformationSequence
    shared = after.SharedFunctionalGroupsSequence[0]
    assert list(shared.PlaneOrientationSequence[0].ImageOrientationPatient) == list(OBLIQUE)
    assert shared.PixelMeasuresSequence == before.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    again = read(written, accept_own_output=True)
    assert np.array_equal(again.voxels, image.voxels + change)
    assert again.source.payload.affine == pytest.approx(image.source.payload.affine)


def test_what_is_written_says_that_it_is_derived_and_is_valid(made, tmp_path, denoised, program) -> None:
    modality, before, path = made
    (written,) = write(denoised(read(path)), tmp_path / "out").iterdir()
    after = pydicom.dcmread(written)
    assert after.SOPClassUID == before.SOPClassUID
    assert after.SeriesInstanceUID != before.SeriesInstanceUID
    frame_type = "CTImageFrameTypeSequence" if modality == "CT" else "MRImageFrameTypeSequence"
    shared = after.SharedFunctionalGroupsSequence[0]
    assert after.ImageType[0] == shared[frame_type][0].FrameType[0] == "DERIVED"
    assert list(after.ImageType[1:]) == list(before.ImageType[1:])
    assert shared.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID == before.SOPInstanceUID
    assert errors_of(program, written) == []


def test_frames_of_two_stacks_are_refused(tmp_path, save_slice) -> None:
    dataset = enhanced_ct()
    for frame in dataset.PerFrameFunctionalGroupsSequence[3:]:
        place = frame.PlanePositionSequence[0]
        place.ImagePositionPatient = [float(v) + 100.3 for v in place.ImagePositionPatient]
    with pytest.raises(InputError, match=r"missing between|unevenly spaced"):
        read(save_slice(dataset, tmp_path / "two.dcm"))


def test_frames_of_two_echoes_at_the_same_places_are_refused(tmp_path, save_slice) -> None:
    dataset = enhanced_mr()
    for frame in dataset.PerFrameFunctionalGroupsSequence[3:]:
        frame.PlanePositionSequence = dataset.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence
    with pytest.raises(InputError, match="held by more than one slice"):
        read(save_slice(dataset, tmp_path / "two.dcm"))
