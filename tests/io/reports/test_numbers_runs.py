"""The same kinds in runs of X-ray frames: bits, padding, shutters that move, and when the frames were taken."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedXAImageStorage, XRayAngiographicImageStorage

from demottle.io import read, warnings_of, write

FRAMES, ROWS, COLUMNS = 4, 64, 60


def frames(seed=1):
    return np.random.default_rng(seed).normal(500, 20, (FRAMES, ROWS, COLUMNS)).round().astype(int)


def run(make_slice, save_slice, path, stored, **changes):
    dataset = make_slice(rows=ROWS, columns=COLUMNS, stored=stored, SOPClassUID=XRayAngiographicImageStorage, Modality="XA",
                         NumberOfFrames=FRAMES, FrameTime="66", RescaleSlope=None, RescaleIntercept=None, RescaleType=None,
                         ImagePositionPatient=None, ImageOrientationPatient=None, **changes)  # fmt: skip
    return save_slice(dataset, path)


def test_values_at_the_high_end_of_their_bits(make_slice, save_slice, tmp_path, denoised):
    """10 bits up to bit 15 (fo-dicom/fo-dicom#138)."""
    path = run(make_slice, save_slice, tmp_path / "in.dcm", frames() << 6, BitsStored=10, HighBit=15)
    image = read(path)
    assert image.sequence and np.array_equal(image.voxels, frames())
    after = pydicom.dcmread(write(denoised(image, 2), tmp_path / "out.dcm"))
    assert (after.BitsStored, after.HighBit) == (10, 9)
    assert np.array_equal(after.pixel_array, frames() + 2)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_of_a_run_is_what_surrounds_it(make_slice, save_slice, tmp_path, photometric):
    """A vessel full of contrast may reach the padding value."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    inside = np.hypot(y - 31.5, x - 29.5) < 28
    stored = np.where(inside, frames(), 0)
    stored[:, 30, 20:40] = 0
    path = run(make_slice, save_slice, tmp_path / "in.dcm", stored, PixelPaddingValue=0,
               PhotometricInterpretation=photometric)  # fmt: skip
    assert np.array_equal(read(path).valid, np.broadcast_to(inside, stored.shape))


def test_a_shutter_that_moves_is_that_of_each_frame(make_slice, save_slice, tmp_path, denoised):
    """Enhanced XA may state the shutter frame by frame (PS3.3 C.8.19.6.8, Frame Display Shutter)."""
    path = run(make_slice, save_slice, tmp_path / "in.dcm", frames())
    dataset = pydicom.dcmread(path)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedXAImageStorage
    dataset.SharedFunctionalGroupsSequence = [Dataset()]
    groups = []
    for index in range(FRAMES):
        shutter, frame = Dataset(), Dataset()
        shutter.ShutterShape = "RECTANGULAR"
        shutter.ShutterLeftVerticalEdge, shutter.ShutterRightVerticalEdge = 5 + index, COLUMNS + 1
        shutter.ShutterUpperHorizontalEdge, shutter.ShutterLowerHorizontalEdge = 0, ROWS + 1
        frame.FrameDisplayShutterSequence = [shutter]
        groups.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = groups
    dataset.save_as(path)
    image = read(path)
    assert (~image.valid).sum(axis=(1, 2)).tolist() == [ROWS * (5 + index) for index in range(FRAMES)]
    after = pydicom.dcmread(write(denoised(image, 2), tmp_path / "out.dcm")).pixel_array
    assert np.array_equal(after, np.where(image.valid, frames() + 2, frames()))


VECTOR = [0, 40, 40, 120]


@pytest.mark.parametrize(
    ("changes", "seconds", "said"),
    [
        ({"FrameTimeVector": VECTOR, "FrameIncrementPointer": 0x00181065}, 0.04, "uneven times, 40 to 120 ms"),
        ({"FrameTimeVector": VECTOR, "FrameIncrementPointer": 0x00181063}, 0.066, ""),
        ({"FrameTimeVector": VECTOR, "FrameIncrementPointer": [0x00181063, 0x00280008]}, 0.066, ""),
        ({"FrameTimeVector": VECTOR[1:]}, 0.04, "uneven times, 40 to 120 ms"),  # without the time to the first frame
        ({"FrameTimeVector": [0, 40, 0, 40]}, 0.04, "uneven times, 0 to 40 ms"),
        ({"FrameTimeVector": [0, 40]}, 0.066, ""),  # of another run
    ],
)
def test_the_pointer_says_which_time_holds(make_slice, save_slice, tmp_path, changes, seconds, said):
    """FrameTime and FrameTimeVector in one header, as systems with a variable rate write them (nroduit/Weasis#424)."""
    image = read(run(make_slice, save_slice, tmp_path / "in.dcm", frames(), **changes))
    assert image.spacing[0] == pytest.approx(seconds) and image.evenly_spaced is not bool(said)
    assert said in " ".join(warnings_of(image))


def test_a_frame_time_in_seconds_is_none(make_slice, save_slice, tmp_path):
    """0.033 ms would be 30,000 frames per second."""
    path = run(make_slice, save_slice, tmp_path / "in.dcm", frames(), RecommendedDisplayFrameRate=30)
    dataset = pydicom.dcmread(path)
    dataset.FrameTime = "0.0333"
    dataset.save_as(path)
    assert read(path).spacing[0] == pytest.approx(1 / 30)


@pytest.mark.parametrize("where", ["shared", "frames"])
def test_what_enhanced_runs_state_in_their_groups(make_slice, save_slice, tmp_path, where):
    """The size of a pixel and what its number means lie in the frames' pixel data properties (PS3.3 C.8.19.6.4)."""
    path = run(make_slice, save_slice, tmp_path / "in.dcm", frames())
    dataset = pydicom.dcmread(path)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedXAImageStorage
    for keyword in (
        "PixelIntensityRelationship",
        "PixelIntensityRelationshipSign",
        "ImagerPixelSpacing",
        "PixelSpacing",
    ):
        if keyword in dataset:
            del dataset[keyword]
    said, properties, geometry = Dataset(), Dataset(), Dataset()
    properties.PixelIntensityRelationship, properties.PixelIntensityRelationshipSign = "LOG", -1
    properties.ImagerPixelSpacing = [0.3, 0.2]
    geometry.EstimatedRadiographicMagnificationFactor = 1.25
    said.FramePixelDataPropertiesSequence, said.XRayGeometrySequence = [properties], [geometry]
    dataset.SharedFunctionalGroupsSequence = [said if where == "shared" else Dataset()]
    dataset.PerFrameFunctionalGroupsSequence = [Dataset() if where == "shared" else said for _ in range(FRAMES)]
    dataset.save_as(path)
    image = read(path)
    assert image.spacing[1:] == pytest.approx((0.24, 0.16))
    assert (image.source.payload.relationship, image.source.payload.sign) == ("LOG", -1)
