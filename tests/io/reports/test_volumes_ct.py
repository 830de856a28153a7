"""Several CT volumes in one series, and enhanced objects with several geometries, after public reports; made from scratch."""

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.sequence import Sequence as Items
from tests.io.enhanced import NORMAL, ORIGIN, enhanced_mr, group
from tests.io.reports.checks import assert_written_well
from tests.io.volumes.objects import save_all

from demottle.errors import InputError
from demottle.io import open_scan, read, write


def phases(make_slice, folder, volumes, places=5, **common):
    source = []
    for number, values in enumerate(volumes):
        for place in range(places):
            mine = {key: value(place) if callable(value) else value for key, value in {**common, **values}.items()}
            source.append(make_slice(place, seed=number, InstanceNumber=number * places + place + 1, **mine))
    return save_all(source, folder), source


def test_acquisitions_of_one_series_are_volumes(make_slice, tmp_path, denoised, program):
    """CT with several acquisitions under one UID (Slicer/Slicer#4801)."""
    taken = [{"AcquisitionNumber": number} for number in (1, 2, 3)]
    folder, source = phases(make_slice, tmp_path / "in", taken)
    opened = open_scan(folder)
    assert [part.label for part in opened.volumes] == [f"acquisition {number}" for number in (1, 2, 3)]
    image = opened.read(3)
    np.testing.assert_array_equal(image.voxels[0], source[10].pixel_array - 1024.0)
    assert_written_well(write(denoised(image), tmp_path / "out"), image, program)


def test_heart_phases_that_a_percentage_tells_apart(make_slice, tmp_path):
    """4-D cardiac CT of GE Revolution (fedorov/MultiVolumeImporter#29); its acquisition times differ from slice to slice."""
    taken = [
        {"NominalPercentageOfCardiacPhase": float(p), "AcquisitionTime": lambda place, p=p: f"1000{place:02d}.{p}"}
        for p in (70, 30, 50)
    ]
    folder, _ = phases(make_slice, tmp_path / "in", taken)
    assert [part.label for part in open_scan(folder).volumes] == [f"cardiac phase {p} %" for p in (70, 30, 50)]


def test_heart_phases_that_only_content_time_tells_apart(make_slice, tmp_path):
    """Siemens SOMATOM (fedorov/MultiVolumeImporter#19): content time is all there is, with numbers that do not help."""
    taken = [{"ContentTime": f"1011{second:02d}"} for second in (10, 20, 30)]
    folder, source = phases(make_slice, tmp_path / "in", taken)
    opened = open_scan(folder)
    assert [part.label for part in opened.volumes] == ["after 0 s", "after 10 s", "after 20 s"]
    np.testing.assert_array_equal(opened.read(2).voxels[0], source[5].pixel_array - 1024.0)


def test_a_head_taken_with_two_slice_increments_is_two_slabs(make_slice, tmp_path, denoised, program):
    """Finer slices at the base of the skull (icometrix/dicom2nifti#58): each slab is even and can be written as a grid."""
    places = [*np.arange(0, 15, 3), *np.arange(19, 55, 7)]
    source = [make_slice(i, ImagePositionPatient=[-10, -12, float(z)]) for i, z in enumerate(places)]
    folder = save_all(source, tmp_path / "in")
    opened = open_scan(folder)
    assert [part.label for part in opened.volumes] == ["slices 3 mm apart", "slices 7 mm apart"]
    second = opened.read(2)
    itk = SimpleITK.ReadImage(str(write(second, tmp_path / "out.nii.gz")))
    for index, z in enumerate(places[5:]):
        assert np.allclose(itk.TransformIndexToPhysicalPoint((0, 0, index)), (-10, -12, z), atol=0.1)
    images = [denoised(opened.read(number)) for number in (1, 2)]
    assert len(list(write(images, tmp_path / "out").iterdir())) == len(places)
    whole = read(folder, accept_uneven=True)
    assert whole.shape[0] == len(places)
    assert_written_well(write(denoised(second), tmp_path / "alone"), second, program)


def test_slices_of_two_tilts_interleaved_by_number_are_two_volumes(make_slice, tmp_path):
    """33 slices of a head in two orientations, numbered as one (rordenlab/dcm2niix#427)."""
    source = []
    for index in range(12):
        tilted = index % 2
        axes = [1, 0, 0, 0, 0.95, 0.3122] if tilted else [1, 0, 0, 0, 1, 0]
        normal = np.cross(axes[:3], axes[3:])
        place = [round(float(v), 4) for v in np.array([-10, -12, 0]) + 2.5 * (index // 2) * normal]
        source.append(make_slice(index, ImageOrientationPatient=axes, ImagePositionPatient=place))
    assert [len(part.volumes[0].slices) for part in open_scan(save_all(source, tmp_path / "in")).volumes] == [6, 6]


def two_stacks():
    """A brain and a spinal cord, taken together: two stacks of other orientation and spacing in one object."""
    dataset = enhanced_mr()
    shared = dataset.SharedFunctionalGroupsSequence[0]
    orientation = shared.PlaneOrientationSequence[0]
    del shared.PlaneOrientationSequence
    for index, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        cord = index >= 2
        frame.PlaneOrientationSequence = Items(
            [group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]) if cord else orientation]
        )
        at = np.array([0, 0, -200 + 5.0 * index]) if cord else ORIGIN + 2.5 * index * NORMAL
        frame.PlanePositionSequence[0].ImagePositionPatient = [round(float(v), 6) for v in at]
        content = frame.FrameContentSequence[0]
        content.StackID, content.InStackPositionNumber = str(1 + cord), (index - 2 if cord else index) + 1
        content.DimensionIndexValues = [1 + cord, content.InStackPositionNumber]
    return dataset


def test_an_enhanced_object_with_two_geometries_is_two_volumes(tmp_path, denoised, program):
    """Brain and cord in one object, given one geometry elsewhere (rordenlab/dcm2niix#1009)."""
    source = two_stacks()
    folder = save_all([source], tmp_path / "in")
    opened = open_scan(folder)
    assert sorted(len(part.volumes[0].slices) for part in opened.volumes) == [2, 3]
    cord = next(part for part in opened.volumes if len(part.volumes[0].slices) == 3)
    image = opened.read(cord.number)
    itk = SimpleITK.ReadImage(str(write(image, tmp_path / "cord.nii.gz")))
    assert np.allclose(itk.TransformIndexToPhysicalPoint((0, 0, 2)), (0, 0, -180), atol=0.1)
    (file,) = write(denoised(image), tmp_path / "out").iterdir()
    after = pydicom.dcmread(file)
    changed = [bool((a != b).any()) for a, b in zip(after.pixel_array, source.pixel_array, strict=True)]
    assert changed == [False, False, True, True, True]


def test_one_missing_slice_of_one_phase_names_that_phase(make_slice, tmp_path):
    """Inconsistent slice increments in a series of several phases (icometrix/dicom2nifti#36 and others): only one is affected."""
    folder, source = phases(make_slice, tmp_path / "in", [{"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}], places=6)
    (gone,) = (f for f in folder.iterdir() if pydicom.dcmread(f).SOPInstanceUID == source[8].SOPInstanceUID)
    gone.unlink()
    assert read(folder, volume=1).shape[0] == 6
    with pytest.raises(InputError, match=r"missing between 2\.5 and 7\.5 mm"):
        read(folder, volume=2)


def test_phases_that_only_their_description_tells_apart_are_called_by_it(make_slice, tmp_path):
    """Breathing phases of 4-D CT, exported under one UID; they were called first, second and third."""
    slices = [
        make_slice(
            index,
            seed=phase,
            InstanceNumber=5 * phase + index + 1,
            SOPInstanceUID=f"1.2.3.{phase}.{index + 1}",
            SeriesDescription=f"Resp {30 * phase} %",
        )
        for phase in range(3)
        for index in range(5)
    ]
    volumes = open_scan(save_all(slices, tmp_path / "in")).volumes
    assert [part.label for part in volumes] == ["Resp 0 %", "Resp 30 %", "Resp 60 %"]
