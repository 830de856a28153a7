"""Enhanced objects: in several files, from converters, with computed frames among the measured ones.

One series in 8 files of 168 frames: OHIF/Viewers #4388, nroduit/Weasis #493. Frames in random order and no stack:
horosproject/horos #542 and #543. Computed means among diffusion volumes: rordenlab/dcm2niix, its page on Philips. A rescale of
its own for each frame: dcm2niix #853. All at https://github.com/OWNER/NAME/issues/NUMBER.
"""

from copy import deepcopy

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag
from pydicom.uid import LegacyConvertedEnhancedCTImageStorage, generate_uid
from tests.io.enhanced import ORDER, enhanced_ct, enhanced_mr, group, position
from tests.io.reports.checks import errors_of
from tests.io.reports.cone_beam import cone_beam
from tests.io.volumes.objects import classic, enhanced, save_all

from demottle.errors import InputError
from demottle.io import open_scan, read, warnings_of, write


def concatenation(save_slice, folder, sizes=(2, 3)):
    """Split an Enhanced CT object into a concatenation of objects with so many frames."""
    whole = enhanced_ct()
    frames = np.frombuffer(whole.PixelData, "<i2").reshape(-1, whole.Rows, whole.Columns)
    source, together = whole.SOPInstanceUID, generate_uid(entropy_srcs=["concatenation"])
    first = 0
    for number, size in enumerate(sizes):
        part = deepcopy(whole)
        part.SOPInstanceUID = generate_uid(entropy_srcs=["part", str(number)])
        part.SOPInstanceUIDOfConcatenationSource, part.ConcatenationUID = source, together
        part.InConcatenationNumber, part.InConcatenationTotalNumber = number + 1, len(sizes)
        part.ConcatenationFrameOffsetNumber = first
        part.NumberOfFrames = size
        part.PerFrameFunctionalGroupsSequence = Items(whole.PerFrameFunctionalGroupsSequence[first : first + size])
        part.PixelData = frames[first : first + size].tobytes()
        save_slice(part, folder / f"{9 - number}.dcm")
        first += size
    return folder, whole


def test_a_concatenation_is_one_volume_and_one_concatenation_again(save_slice, tmp_path, denoised, program):
    folder, whole = concatenation(save_slice, tmp_path / "in")
    one = read(save_slice(whole, tmp_path / "whole.dcm"))
    image = read(folder)
    assert np.array_equal(image.voxels, one.voxels) and image.spacing == one.spacing
    sources = [pydicom.dcmread(path) for path in folder.iterdir()]
    out = [pydicom.dcmread(path) for path in sorted(write(denoised(image), tmp_path / "out").iterdir())]
    assert sorted(after.NumberOfFrames for after in out) == [2, 3]
    for keyword in ("ConcatenationUID", "SOPInstanceUIDOfConcatenationSource", "SeriesInstanceUID"):
        values = {after[keyword].value for after in out}
        assert len(values) == 1 and values.isdisjoint({before[keyword].value for before in sources}), keyword
    assert len({after.SOPInstanceUID for after in out}) == 2
    known = {error for path in folder.iterdir() for error in errors_of(path, program)}
    assert not {error for path in (tmp_path / "out").iterdir() for error in errors_of(path, program)} - known
    again = read(tmp_path / "out", accept_own_output=True)
    np.testing.assert_allclose(again.voxels, image.voxels + 3)


def test_a_converted_object_with_frames_in_random_order_and_no_stack(save_slice, tmp_path, denoised):
    dataset = enhanced_ct()
    expected = read(save_slice(dataset, tmp_path / "enhanced.dcm"))
    dataset.SOPClassUID = LegacyConvertedEnhancedCTImageStorage
    for keyword in ("DimensionIndexSequence", "DimensionOrganizationSequence"):
        del dataset[keyword]
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        for keyword in ("StackID", "InStackPositionNumber", "DimensionIndexValues"):
            del frame.FrameContentSequence[0][keyword]
    image = read(save_slice(dataset, tmp_path / "converted.dcm"))
    assert np.array_equal(image.voxels, expected.voxels) and image.unit == "HU"
    after = pydicom.dcmread(write(denoised(image), tmp_path / "out.dcm"))
    assert after.SOPClassUID == LegacyConvertedEnhancedCTImageStorage


DIRECTIONS = ([1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [0.6, 0.8, 0])


def test_a_computed_mean_is_no_volume_of_the_diffusion_series(save_slice, tmp_path):
    """Philips appends the mean over directions to the volumes it is the mean of (ISOTROPIC)."""
    measured = [group(DiffusionBValue=0.0, DiffusionDirectionality="NONE")]
    measured += [
        group(
            DiffusionBValue=1000.0,
            DiffusionDirectionality="DIRECTIONAL",
            DiffusionGradientDirectionSequence=group(DiffusionGradientOrientation=one),
        )
        for one in DIRECTIONS
    ]
    mean = group(DiffusionBValue=1000.0, DiffusionDirectionality="ISOTROPIC")
    volumes = [{"MRDiffusionSequence": item} for item in (*measured, mean)]
    dataset = enhanced(volumes, ("DiffusionBValue", "MRDiffusionSequence"))
    for index, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.FrameContentSequence[0].DimensionIndexValues = [1, index // 6 + 1, index % 6 + 1]
    opened = open_scan(save_slice(dataset, tmp_path / "in.dcm"))
    assert sorted(len(part.volumes) for part in opened.volumes) == [1, 5]
    assert [part.label for part in opened.volumes if not part.over_time] == ["trace, b 1000 s/mm2"]


def test_a_computed_mean_among_classic_objects(tmp_path):
    def volume(b, letter, direction=None):
        return {"b": b, "letter": letter, "direction": direction}

    volumes = [volume(0, "N"), *(volume(1000, "D", one) for one in DIRECTIONS), volume(1000, "I")]
    source = classic([{"AcquisitionNumber": index + 1} for index in range(len(volumes))])
    for index, one in enumerate(source):
        said = volumes[index // 4]
        one.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x03, "FL", said["b"])
        one.private_block(0x2001, "Philips Imaging DD 001").add_new(0x04, "CS", said["letter"])
        block = one.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        for element, value in zip((0xB0, 0xB1, 0xB2), said["direction"] or (0, 0, 0), strict=True):
            block.add_new(element, "FL", value)
    opened = open_scan(save_all(source, tmp_path / "in"))
    assert sorted(len(part.volumes) for part in opened.volumes) == [1, 5]


def test_trace_weighted_volumes_alone_stay_together(tmp_path):
    """Several b-values without directions: all computed alike, and one series."""
    source = classic(
        [{"DiffusionBValue": float(b), "DiffusionDirectionality": "ISOTROPIC"} for b in (0, 50, 400, 800, 1500)]
    )
    assert [len(part.volumes) for part in open_scan(save_all(source, tmp_path / "in")).volumes] == [5]


def test_every_frame_has_its_own_place_rescale_and_orientation(save_slice, tmp_path):
    """All that may be shared stands in each frame instead, and the other way round."""
    dataset = enhanced_ct()
    expected = read(save_slice(dataset, tmp_path / "a.dcm"))
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        for keyword in ("PixelMeasuresSequence", "PlaneOrientationSequence", "CTImageFrameTypeSequence"):
            setattr(frame, keyword, Items([deepcopy(shared[keyword].value[0])]))
    for keyword in ("PixelMeasuresSequence", "PlaneOrientationSequence", "CTImageFrameTypeSequence"):
        del shared[keyword]
    image = read(save_slice(dataset, tmp_path / "b.dcm"))
    assert np.array_equal(image.voxels, expected.voxels) and image.spacing == expected.spacing
    assert image.spacing[0] == pytest.approx(2.5) and position(0) == list(image.source.payload.slices[0].position)


@pytest.mark.parametrize("left", [None, []])
def test_no_groups_that_all_frames_share(save_slice, tmp_path, denoised, left):
    """The standard demands the sequence; converters leave it out, or empty, where frames share nothing."""
    dataset = enhanced_ct()
    expected = read(save_slice(dataset, tmp_path / "a.dcm"))
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        for keyword in ("PixelMeasuresSequence", "PlaneOrientationSequence", "CTImageFrameTypeSequence"):
            setattr(frame, keyword, Items([deepcopy(shared[keyword].value[0])]))
    if left is None:
        del dataset.SharedFunctionalGroupsSequence
    else:
        dataset.SharedFunctionalGroupsSequence = Items(left)
    del dataset.FrameOfReferenceUID
    image = read(save_slice(dataset, tmp_path / "b.dcm"))
    assert np.array_equal(image.voxels, expected.voxels) and image.spacing == expected.spacing
    after = pydicom.dcmread(write(denoised(image), tmp_path / "out.dcm"))
    assert len(after.SharedFunctionalGroupsSequence) == 1 and after.FrameOfReferenceUID
    np.testing.assert_allclose(read(tmp_path / "out.dcm", accept_own_output=True).voxels, image.voxels + 3)


@pytest.mark.parametrize("where", ["object", "reconstruction"])
def test_a_rescale_outside_of_the_groups(save_slice, tmp_path, denoised, where):
    """In the object itself (lamyj/dicomifier #20), or in the reconstruction of a cone-beam CT (malaterre/GDCM pull #68)."""
    dataset = cone_beam() if where == "reconstruction" else enhanced_ct()
    for groups in dataset.PerFrameFunctionalGroupsSequence:
        del groups.PixelValueTransformationSequence
    place = dataset.XRay3DReconstructionSequence[0] if where == "reconstruction" else dataset
    place.RescaleSlope, place.RescaleIntercept, place.RescaleType = "0.5", "-512", "HU"
    image = read(save_slice(dataset, tmp_path / "in.dcm"))
    stored = np.frombuffer(dataset.PixelData, "<i2").reshape(-1, dataset.Rows, dataset.Columns)
    assert image.unit == "HU"
    assert np.array_equal(image.voxels, stored[np.argsort(ORDER)] / 2 - 512)
    changed = denoised(image, 4)
    assert np.array_equal(read(write(changed, tmp_path / "out.dcm"), accept_own_output=True).voxels, changed.voxels)


def test_sizes_and_directions_outside_of_the_groups(save_slice, tmp_path):
    """But one position outside is not that of each slice."""
    dataset = enhanced_ct()
    shared = dataset.SharedFunctionalGroupsSequence[0]
    dataset.PixelSpacing, dataset.SliceThickness = shared.PixelMeasuresSequence[0].PixelSpacing, "2.5"
    dataset.ImageOrientationPatient = shared.PlaneOrientationSequence[0].ImageOrientationPatient
    expected = read(save_slice(dataset, tmp_path / "before.dcm"))
    del shared.PixelMeasuresSequence, shared.PlaneOrientationSequence
    image = read(save_slice(dataset, tmp_path / "in.dcm"))
    assert image.spacing == expected.spacing
    assert np.array_equal(image.source.payload.affine, expected.source.payload.affine)
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence
    dataset.ImagePositionPatient = position(0)
    with pytest.raises(InputError, match="no valid ImagePositionPatient"):
        read(save_slice(dataset, tmp_path / "nowhere.dcm"))


def test_a_comma_in_the_groups(save_slice, tmp_path):
    """The decimal comma of some converters (see test_numbers_text), in the size of a pixel."""
    dataset = enhanced_ct()
    measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    value = b"0,8\\0,7 "
    measures["PixelSpacing"] = RawDataElement(Tag("PixelSpacing"), "DS", len(value), value, 0, False, True)
    assert read(save_slice(dataset, tmp_path / "in.dcm")).spacing == pytest.approx((2.5, 0.8, 0.7))


def repeated(order):
    """Four copies of five frames, each copy 1 higher, in an order of (copy, frame); nothing in the groups tells them apart."""
    dataset = enhanced_mr()
    frames = np.frombuffer(dataset.PixelData, "<u2").reshape(-1, dataset.Rows, dataset.Columns)
    groups = list(dataset.PerFrameFunctionalGroupsSequence)
    dataset.PerFrameFunctionalGroupsSequence = Items(deepcopy(groups[frame]) for _, frame in order)
    dataset.PixelData = np.stack([frames[frame] + copy for copy, frame in order]).tobytes()
    dataset.NumberOfFrames = len(order)
    return dataset, frames


@pytest.mark.parametrize("by_volume", [True, False])
def test_volumes_that_only_the_order_of_frames_tells_apart(save_slice, tmp_path, by_volume):
    """Canon counts every volume as the first (rordenlab/dcm2niix #593), and an anonymization takes the times."""
    pairs = [(copy, frame) for copy in range(4) for frame in range(5)]
    dataset, frames = repeated(pairs if by_volume else sorted(pairs, key=lambda pair: pair[::-1]))
    path = save_slice(dataset, tmp_path / "in.dcm")
    (part,) = open_scan(path).volumes
    assert part.over_time and len(part.volumes) == 4
    image = read(path)
    assert "or of frames, tells the volumes" in " ".join(warnings_of(image))
    rows, slices = dataset.Rows, 5
    shown = image.voxels[:, : rows * slices + 8 * (slices - 1)]
    slopes = 1 + np.array(ORDER)
    for copy in range(4):
        for frame, place in enumerate(ORDER):
            found = shown[copy, place * (rows + 8) :][:rows]
            assert np.array_equal(found, (frames[frame] + copy) * slopes[frame])


def test_frames_in_no_order_stay_refused(save_slice, tmp_path):
    pairs = [(copy, frame) for copy in range(4) for frame in range(5)]
    mixed = [pairs[index] for index in np.random.default_rng(1).permutation(len(pairs))]
    with pytest.raises(InputError, match="positions are held by more than one slice"):
        read(save_slice(repeated(mixed)[0], tmp_path / "in.dcm"))


def test_objects_without_times_are_volumes_as_they_are_numbered(save_slice, tmp_path):
    """Siemens XA writes an enhanced object for each time point; an anonymization took the times (rordenlab/dcm2niix #948)."""
    for number in range(1, 6):
        dataset, frames = repeated([(number, frame) for frame in range(5)])
        dataset.InstanceNumber, dataset.SOPInstanceUID = number, f"1.2.3.{number}"
        save_slice(dataset, tmp_path / "in" / f"{9 - number}.dcm")
    (part,) = open_scan(tmp_path / "in").volumes
    assert part.over_time and len(part.volumes) == 5
    voxels = read(tmp_path / "in").voxels
    first = ORDER.index(0)
    for number in range(1, 6):
        assert np.array_equal(voxels[number - 1, : frames.shape[1]], frames[first] + number)


def test_the_number_of_frames_is_missing(save_slice, tmp_path, denoised):
    """The frames that are described count (left out by anonymizers: fli-iam/shanoir-ng #2178); it stands in the result."""
    dataset = enhanced_ct()
    expected, frames = read(save_slice(dataset, tmp_path / "a.dcm")), len(dataset.PerFrameFunctionalGroupsSequence)
    del dataset.NumberOfFrames
    image = read(save_slice(dataset, tmp_path / "b.dcm"))
    assert np.array_equal(image.voxels, expected.voxels)
    changed = denoised(image)
    assert pydicom.dcmread(write(changed, tmp_path / "out.dcm")).NumberOfFrames == frames
    assert np.array_equal(read(tmp_path / "out.dcm", accept_own_output=True).voxels, changed.voxels)


def test_fewer_pixels_than_frames_that_are_described_stay_refused(save_slice, tmp_path):
    dataset = enhanced_ct()
    del dataset.NumberOfFrames
    dataset.PixelData = dataset.PixelData[: len(dataset.PixelData) // 2]
    with pytest.raises(InputError, match=r"b\.dcm"):
        read(save_slice(dataset, tmp_path / "b.dcm"))
