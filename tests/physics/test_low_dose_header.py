"""What the header says about the scanner."""

import numpy as np
import pydicom
import pytest
from tests.io.enhanced import ORDER, enhanced_ct, group

from demottle import io
from demottle.image import Image
from demottle.physics.low_dose.header import acquisition_of


@pytest.fixture
def with_header(tmp_path):
    """Write a scan of 8 slices, with elements of its header changed."""
    voxels = np.random.default_rng(0).normal(40, 10, (8, 32, 32)).astype(np.float32)
    io.write(Image(voxels, (3, 1, 1), modality="CT", unit="HU"), tmp_path / "plain", format="dicom")

    def copy(**elements):
        folder = tmp_path / "scan"
        folder.mkdir()
        for index, path in enumerate(sorted((tmp_path / "plain").iterdir())):
            dataset = pydicom.dcmread(path)
            for keyword, value in elements.items():
                setattr(dataset, keyword, value(index) if callable(value) else value)
            dataset.save_as(folder / path.name)
        return acquisition_of(io.read(folder))

    return copy


def test_what_is_stated_is_used_and_said(with_header):
    found = with_header(
        KVP=100,
        DistanceSourceToPatient=595,
        DistanceSourceToDetector=1085,
        DataCollectionDiameter=500,
        XRayTubeCurrent=lambda index: 200 + 10 * index,
        ExposureModulationType="NONE",
        ConvolutionKernel="B40f",
    )
    assert (found.kvp, found.source_to_axis_mm, found.source_to_detector_mm) == (100, 595, 1085)
    assert found.tube_current is not None and (min(found.tube_current), max(found.tube_current)) == (200, 270)
    assert (found.modulation, found.kernel) == (0.0, "B40f")
    assert set(found.origin.values()) == {"header"}
    assert found.water > 0.0193  # softer rays, more attenuation


def test_silence_and_nonsense_give_the_stated_defaults(with_header):
    found = with_header(KVP=0, DistanceSourceToPatient=0)
    assert (found.kvp, found.source_to_axis_mm, found.tube_current) == (120.0, 570.0, None)
    assert set(found.origin.values()) == {"default"}
    assert found.water == pytest.approx(0.0193, abs=0.0002)


def test_angular_modulation_is_read(with_header):
    assert with_header(ExposureModulationType="XYZ_EC").modulation == 0.5


def test_an_enhanced_object_says_it_in_its_functional_groups(tmp_path):
    dataset = enhanced_ct()
    shared = dataset.SharedFunctionalGroupsSequence[0]
    shared.CTXRayDetailsSequence[0].KVP = 100.0
    modulation = shared.CTExposureSequence[0].ExposureModulationType
    del shared.CTExposureSequence
    for frame, in_stack in zip(dataset.PerFrameFunctionalGroupsSequence, ORDER, strict=True):
        exposure = group(XRayTubeCurrentInmA=100.5 + in_stack, ExposureModulationType=modulation)
        frame.CTExposureSequence = [exposure]
    dataset.save_as(tmp_path / "enhanced.dcm", enforce_file_format=True)
    found = acquisition_of(io.read(tmp_path / "enhanced.dcm"))
    assert (found.kvp, found.source_to_axis_mm, found.source_to_detector_mm) == (100.0, 570.0, 1040.0)
    assert found.tube_current == (100.5, 101.5, 102.5, 103.5, 104.5)  # in the order of the slices, not of the frames
    assert (found.modulation, found.kernel) == (0.0, "B40f")
    assert set(found.origin.values()) == {"header"}
