"""Runs of X-ray frames: DICOM XA and RF in, valid DICOM XA and RF out, with everything a viewer needs kept."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag
from pydicom.uid import RLELossless, XRayAngiographicImageStorage, XRayRadiofluoroscopicImageStorage

from demottle import io
from demottle.errors import InputError, OutputError
from demottle.image import Image, ProcessingStep
from demottle.io.dicom.sequence import SequencePayload
from demottle.io.payload import payload_of

FRAMES = 6
Denoised = Callable[..., Image]


@pytest.fixture
def xa(make_slice: Callable[..., Dataset], save_slice: Callable[[Dataset, Path], Path], tmp_path: Path) -> Any:
    """Write an XA run and return its path; keywords set, or with None delete, attributes."""

    def build(name: str = "run.dcm", frames: int = FRAMES, **changes: Any) -> Path:
        stored = np.random.default_rng(1).integers(200, 900, (frames, 24, 20))
        dataset = make_slice(0, SOPClassUID=XRayAngiographicImageStorage, Modality="XA", stored=stored)
        gone = (
            "ImagePositionPatient",
            "ImageOrientationPatient",
            "PixelSpacing",
            "SliceThickness",
            "FrameOfReferenceUID",
        )
        for keyword in (*gone, "PositionReferenceIndicator", "RescaleIntercept", "RescaleSlope", "RescaleType"):
            del dataset[keyword]
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "SINGLE PLANE"]
        dataset.NumberOfFrames = frames
        dataset.FrameTime = "33.3"
        dataset["FrameIncrementPointer"] = DataElement("FrameIncrementPointer", "AT", Tag("FrameTime"))
        dataset.RecommendedDisplayFrameRate = 30
        dataset.ImagerPixelSpacing = [0.2, 0.2]
        dataset.EstimatedRadiographicMagnificationFactor = 1.25
        dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", -1
        dataset.RadiationSetting, dataset.PositionerMotion, dataset.PatientOrientation = "SC", "STATIC", ""
        dataset.PositionerPrimaryAngle = dataset.PositionerSecondaryAngle = ""
        dataset.XRayTubeCurrent = dataset.ExposureTime = ""
        dataset.WindowCenter, dataset.WindowWidth = 500, 800
        for keyword, value in changes.items():
            if value is None:
                del dataset[keyword]
            else:
                setattr(dataset, keyword, value)
        return save_slice(dataset, tmp_path / name)

    return build


def test_frames_come_first_with_their_time_in_seconds(xa: Any) -> None:
    path = xa()
    image = io.read(path)
    assert image.shape == (FRAMES, 24, 20) and image.sequence and image.modality == "XA"
    assert image.spacing == pytest.approx((0.0333, 0.16, 0.16))  # on the detector 0.2 mm, 1.25 times enlarged
    assert np.array_equal(image.voxels, pydicom.dcmread(path).pixel_array)
    assert io.warnings_of(image) == ()
    payload = payload_of(image)
    assert isinstance(payload, SequencePayload)
    assert (payload.relationship, payload.sign, payload.lut) == ("LOG", -1, False)


@pytest.mark.parametrize(
    ("changes", "seconds", "even"),
    [
        ({"FrameTime": None, "FrameTimeVector": [0, 40, 40, 40, 40, 40]}, 0.04, True),
        ({"FrameTime": None, "FrameTimeVector": [0, 40, 40, 80, 40, 40]}, 0.04, False),
        ({"FrameTime": None, "CineRate": 15}, 1 / 15, True),
        ({"FrameTime": None}, 1 / 30, True),  # RecommendedDisplayFrameRate
    ],
)
def test_frame_times_from_wherever_they_are(changes: dict[str, Any], seconds: float, even: bool, xa: Any) -> None:
    image = io.read(xa(**changes))
    assert image.spacing[0] == pytest.approx(seconds)
    assert image.evenly_spaced is even
    assert bool(io.warnings_of(image)) is not even


def test_without_a_frame_time_or_pixel_size_it_says_what_it_assumes(xa: Any) -> None:
    changes = dict.fromkeys(("FrameTime", "RecommendedDisplayFrameRate", "ImagerPixelSpacing"))
    told = " ".join(io.warnings_of(io.read(xa(**changes))))
    assert "no frame time" in told and "no pixel size" in told


def test_behind_the_shutter_nothing_is_measured(xa: Any) -> None:
    shutters = {
        "ShutterShape": ["RECTANGULAR", "CIRCULAR"],
        **{"ShutterLeftVerticalEdge": 3, "ShutterRightVerticalEdge": 18},
        **{"ShutterUpperHorizontalEdge": 2, "ShutterLowerHorizontalEdge": 23},
        **{"CenterOfCircularShutter": [12, 10], "RadiusOfCircularShutter": 9},
    }
    valid = io.read(xa(**shutters)).valid
    assert valid is not None
    assert not valid[0, 12, 2] and valid[0, 12, 3]  # column 3 of DICOM's counting is the edge itself
    assert not valid[0, 3, 3] and valid[0, 3, 10]  # the circle cuts the corner
    polygon = io.read(xa("p.dcm", ShutterShape="POLYGONAL", VerticesOfThePolygonalShutter=[1, 1, 1, 20, 24, 1])).valid
    assert polygon is not None and polygon[0, 2, 2] and not polygon[0, 20, 15]


def test_a_bitmap_shutter_hides_what_its_overlay_covers(xa: Any) -> None:
    path = xa("b.dcm", ShutterShape="BITMAP", ShutterOverlayGroup=0x6002)
    dataset = pydicom.dcmread(path)
    hidden = np.zeros((dataset.Rows, dataset.Columns), np.uint8)
    hidden[:4] = 1
    without = io.read(path).valid
    assert without is None or without[0, 2, 5]  # without its overlay a shutter is taken as not there
    bits = np.packbits(hidden.ravel(), bitorder="little").tobytes()
    for element, vr, value in (
        *((0x0010, "US", dataset.Rows), (0x0011, "US", dataset.Columns), (0x0040, "CS", "G"), (0x0050, "SS", [1, 1])),
        *((0x0100, "US", 1), (0x0102, "US", 0), (0x3000, "OW", bits + b"\0" * (len(bits) % 2))),
    ):
        dataset.add_new((0x6002, element), vr, value)
    dataset.save_as(path)
    valid = io.read(path).valid
    assert valid is not None and not valid[:, :4].any() and valid[:, 4:].all()


@pytest.mark.parametrize("sop_class", [XRayAngiographicImageStorage, XRayRadiofluoroscopicImageStorage])
def test_what_a_viewer_needs_is_kept_and_the_object_is_valid(
    sop_class: str, xa: Any, denoised: Denoised, tmp_path: Path, program: Callable[[str], str]
) -> None:
    modality = "XA" if sop_class == XRayAngiographicImageStorage else "RF"
    path = xa(SOPClassUID=sop_class, Modality=modality, ShutterShape="CIRCULAR")
    before = pydicom.dcmread(path)
    image = io.read(path)
    written = io.write(denoised(image), tmp_path / "out.dcm")
    after = pydicom.dcmread(written)
    for keyword in (
        "FrameTime",
        "FrameIncrementPointer",
        "NumberOfFrames",
        "RecommendedDisplayFrameRate",
        "WindowCenter",
    ):
        assert after[keyword] == before[keyword]
    for keyword in (
        "PixelIntensityRelationship",
        "PixelIntensityRelationshipSign",
        "ShutterShape",
        "ImagerPixelSpacing",
    ):
        assert after[keyword] == before[keyword]
    assert list(after.ImageType) == ["DERIVED", "PRIMARY", "SINGLE PLANE"]
    assert after.SOPInstanceUID != before.SOPInstanceUID and after.SOPClassUID == sop_class
    assert np.array_equal(after.pixel_array, before.pixel_array + 3)
    done = subprocess.run([program("dciodvfy"), str(written)], capture_output=True, text=True, check=False)
    found, known = (
        [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")]
        for run in (done, subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False))
    )
    assert set(found) <= set(known)  # nothing that the source had right is wrong


def test_unchanged_voxels_keep_their_stored_values_and_luts_stay(xa: Any, tmp_path: Path) -> None:
    lut = Dataset()
    lut.LUTDescriptor, lut.ModalityLUTType, lut.LUTData = [4, 0, 16], "US", [0, 1, 2, 3]
    for keyword in ("LUTDescriptor", "LUTData"):
        lut[keyword].VR = "US"
    path = xa(ModalityLUTSequence=Items([lut]), PixelIntensityRelationship="LIN")
    image = io.read(path)
    payload = payload_of(image)
    assert isinstance(payload, SequencePayload) and payload.lut
    written = io.write(image.with_voxels(image.voxels.copy(), ProcessingStep("recursive", "1")), tmp_path / "out")
    after = pydicom.dcmread(next(written.iterdir()))
    assert np.array_equal(after.pixel_array, pydicom.dcmread(path).pixel_array)
    assert after.ModalityLUTSequence == pydicom.dcmread(path).ModalityLUTSequence


def test_compressed_runs_are_read(xa: Any, tmp_path: Path) -> None:
    path = xa()
    dataset = pydicom.dcmread(path)
    wanted = dataset.pixel_array.copy()
    dataset.compress(RLELossless, encoding_plugin="pydicom")
    dataset.save_as(tmp_path / "rle.dcm")
    assert np.array_equal(io.read(tmp_path / "rle.dcm").voxels, wanted)


def groups_of_frame(index: int) -> Dataset:
    content, groups = Dataset(), Dataset()
    content.FrameReferenceDateTime = f"20200102101112.{100000 + 40000 * index:06d}"
    groups.FrameContentSequence = Items([content])
    return groups


def test_enhanced_objects_have_their_times_and_shutter_in_groups(xa: Any, denoised: Denoised, tmp_path: Path) -> None:
    shutter, shared = Dataset(), Dataset()
    shutter.ShutterShape, shutter.CenterOfCircularShutter, shutter.RadiusOfCircularShutter = "CIRCULAR", [12, 10], 8
    shared.FrameDisplayShutterSequence = Items([shutter])
    path = xa(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.12.1.1",
        FrameTime=None,
        RecommendedDisplayFrameRate=None,
        SharedFunctionalGroupsSequence=Items([shared]),
        PerFrameFunctionalGroupsSequence=Items([groups_of_frame(index) for index in range(FRAMES)]),
    )
    image = io.read(path)
    assert image.shape == (FRAMES, 24, 20) and image.spacing[0] == pytest.approx(0.04)
    assert image.valid is not None and not image.valid[0, 0, 0] and image.valid[0, 12, 10]
    after = pydicom.dcmread(io.write(denoised(image), tmp_path / "out.dcm"))
    changed = after.pixel_array != pydicom.dcmread(path).pixel_array
    assert changed[:, 12, 10].all() and not changed[:, 0, 0].any()
    assert "DerivationImageSequence" in after.SharedFunctionalGroupsSequence[0]


def test_of_several_runs_one_has_to_be_named(xa: Any, tmp_path: Path) -> None:
    xa("series/a.dcm")
    xa("series/b.dcm", SOPInstanceUID="1.2.3", frames=4)
    with pytest.raises(InputError, match=r"2 runs \(a.dcm, b.dcm\); name the file"):
        io.read(tmp_path / "series")
    assert io.read(tmp_path / "series" / "b.dcm").shape[0] == 4


def test_single_images_beside_the_run_are_left_aside(xa: Any, tmp_path: Path) -> None:
    xa("series/a.dcm")
    xa("series/still.dcm", frames=1, SOPInstanceUID="1.2.3")
    image = io.read(tmp_path / "series")
    assert image.shape[0] == FRAMES and "single image" in io.warnings_of(image)[0]
    xa("stills/a.dcm", frames=1)
    xa("stills/b.dcm", frames=1, SOPInstanceUID="1.2.3")
    with pytest.raises(InputError, match="2 single images and no run"):
        io.read(tmp_path / "stills")


def test_a_truncated_run_is_refused(xa: Any) -> None:
    path = xa()
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="truncated or broken"):
        io.read(path)


def test_our_own_result_is_known_again(xa: Any, denoised: Denoised, tmp_path: Path) -> None:
    written = io.write(denoised(io.read(xa())), tmp_path / "out.dcm")
    with pytest.raises(InputError, match="own output"):
        io.read(written)
    assert len(io.read(written, accept_own_output=True).history) == 1


@pytest.fixture
def simulated() -> Image:
    voxels = np.random.default_rng(2).integers(0, 3000, (FRAMES, 32, 28)).astype(np.float32)
    step = ProcessingStep("simulate-fluoroscopy", "1", {"quanta": 24.0, "display": "linear"}, seed=3)
    return Image(voxels, (1 / 15, 0.4, 0.3), "XA", history=(step,))


@pytest.mark.parametrize("modality", ["XA", "RF"])
@pytest.mark.parametrize("name", ["run.dcm", "folder"])
def test_a_new_run_is_valid_and_says_that_it_is_simulated(
    modality: str, name: str, simulated: Image, tmp_path: Path, program: Callable[[str], str]
) -> None:
    image = Image(simulated.voxels, simulated.spacing, modality, history=simulated.history)
    written = io.write(image, tmp_path / name, format="dicom")
    back = io.read(written)
    assert np.array_equal(back.voxels, image.voxels) and back.modality == modality
    assert back.spacing == pytest.approx(image.spacing) and len(back.history) == 1
    file = written if written.is_file() else next(written.iterdir())
    dataset = pydicom.dcmread(file)
    assert "SIMULATED" in dataset.SeriesDescription and dataset.ImageType[-1] == "SIMULATED"
    assert (dataset.BitsStored, dataset.PixelIntensityRelationship) == (12, "LIN")
    done = subprocess.run([program("dciodvfy"), str(file)], capture_output=True, text=True, check=False)
    assert [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")] == []


def test_eight_bits_stay_eight_bits_and_the_same_image_gives_the_same_bytes(simulated: Image, tmp_path: Path) -> None:
    image = Image(np.minimum(simulated.voxels, 255), simulated.spacing, "XA", history=simulated.history)
    one, other = io.write(image, tmp_path / "a.dcm"), io.write(image, tmp_path / "b.dcm")
    assert one.read_bytes() == other.read_bytes()
    assert pydicom.dcmread(one).BitsAllocated == 8 and np.array_equal(io.read(one).voxels, image.voxels)


@pytest.mark.parametrize(("scale", "shift"), [(1e-4, 0), (1, -50), (100, 0)])
def test_numbers_that_dicom_cannot_hold_are_refused(
    scale: float, shift: float, simulated: Image, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="whole numbers from 0 to 65535"):
        io.write(simulated.with_voxels(simulated.voxels * np.float32(scale) + np.float32(shift)), tmp_path / "x.dcm")
    assert list(tmp_path.iterdir()) == []


def test_an_element_of_a_type_that_there_is_not_is_said(xa: Any) -> None:
    path = xa(PatientSex="")
    data = path.read_bytes()
    assert data.count(b"\x10\x00\x40\x00CS") == 1
    path.write_bytes(data.replace(b"\x10\x00\x40\x00CS", b"\x10\x00\x40\x00CQ"))
    with pytest.raises(InputError, match=r"'CQ' in tag \(0010,0040\); repair or replace the file"):
        io.read(path)
