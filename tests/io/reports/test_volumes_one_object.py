"""Volumes of CT in one object with many frames and no functional groups, as programs for cone-beam CT of the teeth export them.

icometrix/dicom2nifti #127, Slicer/Slicer #7496, #6773: one position, and SliceThickness for the distance. Offsets of each frame
as a dose has them: bastula/dicompyler #19. All at https://github.com/OWNER/NAME/issues/NUMBER; made from scratch.
"""

import numpy as np
import pytest
import SimpleITK

from demottle.errors import InputError, OutputError
from demottle.io import read, warnings_of, write

FRAMES = 6


def stored():
    """Air beside tissue, each frame another."""
    rng = np.random.default_rng(1)
    values = rng.normal(1040, 20, (FRAMES, 24, 20)) + 10 * np.arange(FRAMES)[:, None, None]
    values[..., :6] = rng.normal(24, 4, (FRAMES, 24, 6))
    return values.round()


@pytest.fixture
def one_object(make_slice, save_slice, tmp_path):
    def build(**changes):
        return save_slice(make_slice(0, stored=stored(), NumberOfFrames=FRAMES, **changes), tmp_path / "in.dcm")

    return build


NOWHERE = dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID"))


@pytest.mark.parametrize(
    "changes, step, keyword",
    [
        ({"SliceThickness": "0.7"}, 0.7, "SliceThickness"),
        ({"SliceThickness": "2", "SpacingBetweenSlices": "0.7"}, 0.7, "SpacingBetweenSlices"),
        ({"SliceThickness": "0.7", **NOWHERE}, 0.7, "SliceThickness"),
    ],
)
def test_frames_without_places_are_slices_and_come_out_as_they_were(
    one_object, tmp_path, denoised, changes, step, keyword
):
    image = read(one_object(**changes))
    assert (image.modality, image.unit, image.sequence) == ("CT", "HU", False)
    assert image.spacing == pytest.approx((step, 0.8, 0.7))
    assert np.array_equal(image.voxels, stored() - 1024)
    assert keyword in warnings_of(image)[0] and "is not known" in warnings_of(image)[0]
    again = read(write(denoised(image, 5), tmp_path / "out.dcm"), accept_own_output=True)
    assert np.array_equal(again.voxels, image.voxels + 5)
    with pytest.raises(OutputError, match="So nifti cannot be written"):
        write(image, tmp_path / "out.nii.gz")


def test_without_any_distance_they_are_refused(one_object):
    with pytest.raises(InputError, match="6 frames of modality CT without a place for each"):
        read(one_object(SliceThickness=None))


@pytest.mark.parametrize("sign", [1, -1])
def test_offsets_place_each_frame(one_object, tmp_path, sign):
    offsets = sign * 1.5 * np.arange(FRAMES)
    image = read(one_object(GridFrameOffsetVector=offsets.tolist()))
    assert warnings_of(image) == () and image.spacing[0] == pytest.approx(1.5)
    itk = SimpleITK.ReadImage(str(write(image, tmp_path / "out.nii.gz")))
    for index, offset in enumerate(offsets):
        at = itk.TransformPhysicalPointToIndex((-10.0, -12.0, float(offset)))
        assert itk[at] == stored()[index, 0, 0] - 1024
