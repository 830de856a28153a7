"""X-ray runs that come as one file per frame: one run where time and geometry say so, and files of one frame again.

Single-frame and multi-frame objects in one viewer: cornerstonejs/cornerstone #423, Sriram-Ananth/EDGEPACS #32. Coronary runs as
sequences: Slicer/Slicer #4300. A PixelSpacing of 0 and a position of 0 in XA: OHIF/Viewers #4299. All at
https://github.com/OWNER/NAME/issues/NUMBER.
"""

import numpy as np
import pydicom
import pytest
from pydicom.uid import XRayAngiographicImageStorage, XRayRadiofluoroscopicImageStorage
from tests.io.reports.checks import errors_of

from demottle.errors import InputError, OutputError
from demottle.io import check_output, holds_run, list_series, read, warnings_of, write

FRAMES = 8
GONE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "FrameOfReferenceUID",
        "PositionReferenceIndicator", "RescaleIntercept", "RescaleSlope", "RescaleType", "KVP")  # fmt: skip


def moment(seconds):
    return f"10{int(seconds // 60):02d}{seconds % 60:09.6f}"


@pytest.fixture
def singles(make_slice, save_slice, tmp_path):
    """Write frames as objects of their own, under names that run backwards; values may be functions of the frame's number."""

    def build(name="run", frames=FRAMES, first=0, **changes):
        given = {
            "SOPClassUID": XRayAngiographicImageStorage,
            "Modality": "XA",
            "ImageType": ["ORIGINAL", "PRIMARY", "SINGLE PLANE"],
            "ImagerPixelSpacing": [0.2, 0.2],
            "AcquisitionTime": lambda index: moment(index / 15),
            "PixelIntensityRelationship": "LIN",
            "PixelIntensityRelationshipSign": 1,
            "RadiationSetting": "SC",
            "PositionerMotion": "STATIC",
            "PositionerPrimaryAngle": "-30",
            "PositionerSecondaryAngle": "20",
            "PatientOrientation": "",
            "XRayTubeCurrent": "",
            "ExposureTime": "",
            "KVP": "70",
        } | changes
        for index in range(first, first + frames):
            mine = {
                key: value(index) if callable(value) else value for key, value in given.items() if value is not None
            }
            dataset = make_slice(index, rows=64, columns=60, **dict.fromkeys(set(GONE) - set(mine)), **mine)
            save_slice(dataset, tmp_path / name / f"f{900 - index}.dcm")
        return tmp_path / name

    return build


def pixels(folder):
    found = [pydicom.dcmread(path) for path in folder.iterdir()]
    return np.stack([one.pixel_array for one in sorted(found, key=lambda one: int(one.InstanceNumber))])


@pytest.mark.parametrize("sop_class", [XRayAngiographicImageStorage, XRayRadiofluoroscopicImageStorage])
def test_frames_in_files_of_their_own_are_a_run_and_go_back(singles, sop_class, denoised, program, tmp_path):
    modality = "XA" if sop_class == XRayAngiographicImageStorage else "RF"
    folder = singles(SOPClassUID=sop_class, Modality=modality)
    assert list_series(folder)[0].run and holds_run(folder)
    image = read(folder)
    assert image.sequence and image.modality == modality and image.evenly_spaced
    assert image.spacing == pytest.approx((1 / 15, 0.2, 0.2), rel=1e-3)
    assert np.array_equal(image.voxels, pixels(folder)) and warnings_of(image) == ()
    out = write(denoised(image), tmp_path / "out")
    assert np.array_equal(pixels(out), pixels(folder) + 3)
    files = sorted(out.iterdir())
    assert len(files) == FRAMES
    sources = {error for path in folder.iterdir() for error in errors_of(path, program)}
    assert not {error for path in files for error in errors_of(path, program)} - sources
    assert len({pydicom.dcmread(path).SeriesInstanceUID for path in files}) == 1


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({"AcquisitionTime": "100000", "ContentTime": lambda i: moment(i / 7.5)}, 1 / 7.5),
        ({"AcquisitionTime": lambda i: f"1000{i // 4:02d}", "CineRate": 4}, 1 / 4),
        ({"AcquisitionTime": lambda i: f"1000{i // 4:02d}"}, 1 / 7),  # one second in seven steps
        ({"AcquisitionTime": None, "FrameTime": "100"}, 0.1),
    ],
    ids=["content time", "whole seconds and a rate", "whole seconds", "numbers and a rate"],
)
def test_the_order_and_the_rate_from_wherever_they_are(singles, changes, seconds):
    folder = singles(**changes)
    image = read(folder)
    assert np.array_equal(image.voxels, pixels(folder))
    assert image.spacing[0] == pytest.approx(seconds, rel=1e-3)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"AcquisitionTime": None}, "in which order and how fast"),
        ({"AcquisitionTime": lambda i: moment(30 * i)}, r"follow each other within 2\.5 s"),
        ({"PositionerPrimaryAngle": lambda i: str(-90 + 20 * i)}, "from one side"),
        ({"frames": 3}, "fewer than 4 are alike"),
        ({"ImagerPixelSpacing": lambda i: [0.1 + 0.01 * i, 0.2]}, "fewer than 4 are alike"),
    ],
)
def test_stills_are_no_run(singles, changes, why):
    with pytest.raises(InputError, match=f"single images and no run of frames .*{why}.*name one file"):
        read(singles(**changes))


def test_an_arm_that_turns_while_the_run_is_taken(singles):
    assert (
        read(singles(PositionerPrimaryAngle=lambda i: str(176 + 1.5 * i - 360 * (176 + 1.5 * i > 180)))).shape[0]
        == FRAMES
    )


def test_two_presses_of_the_pedal_are_two_runs(singles):
    folder = singles(AcquisitionTime=lambda i: moment(i / 15 + 20 * (i >= 4)))
    with pytest.raises(
        InputError, match=r"make 2 runs \(4 frames, the first .*f900.dcm; 4 frames, the first .*f896.dcm\)"
    ):
        read(folder)


def test_a_still_beside_a_run_is_set_aside(singles):
    folder = singles()
    singles(frames=1, first=20, AcquisitionTime=moment(300))
    image = read(folder)
    assert image.shape[0] == FRAMES and "Set aside 1 single image of the series." in warnings_of(image)


def test_a_shutter_that_moves_from_file_to_file(singles):
    edges = {"ShutterShape": "RECTANGULAR", "ShutterLeftVerticalEdge": lambda i: i + 1, "ShutterRightVerticalEdge": 60,
             "ShutterUpperHorizontalEdge": 0, "ShutterLowerHorizontalEdge": 65}  # fmt: skip
    valid = read(singles(**edges)).valid
    assert valid is not None
    assert [int((~frame[10]).sum()) for frame in valid] == [index + 2 for index in range(FRAMES)]


def test_stills_beside_a_ct_do_not_ask_for_a_choice(ct, singles, make_slice, save_slice):
    folder = ct("study")
    for index in range(5):
        dataset = make_slice(index, series="9", SOPClassUID=XRayAngiographicImageStorage, Modality="XA",
                             AcquisitionTime=moment(40 * index), **dict.fromkeys(GONE))  # fmt: skip
        save_slice(dataset, folder / f"still-{index}.dcm")
    assert read(folder).modality == "CT"


def test_no_size_of_a_pixel_where_the_header_says_zero(singles):
    image = read(
        singles(PixelSpacing=[0.0, 0.0], ImagePositionPatient=[0, 0, 0], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    )
    assert image.sequence and image.spacing[1:] == (0.2, 0.2)


def test_one_name_for_several_files_is_refused_before_the_work(singles, ct, phantom, tmp_path):
    for image, said in (
        (read(singles()), "8 frames in files of their own need a folder, but out.dcm names one file"),
        (read(ct()), "5 DICOM slices need a folder"),
        (phantom, "A new DICOM series needs a folder"),
    ):
        for attempt in (check_output, write):
            with pytest.raises(OutputError, match=said):
                attempt(image, tmp_path / "out.dcm")
