"""What MR pixels mean where RescaleSlope does not say it: Philips' own elements and Real World Value Mapping.

Scales of display, of the scanner and of the real world: rordenlab/dcm2niix #493, #189, #463, MRtrix3/mrtrix3 #2499. A rescale of
its own in every slice: dcm2niix #363, #853. Only in private elements: BIC-MNI/minc-tools #89. Only as Real World Value Mapping:
nipy/nibabel #143, dgobbi/vtk-dicom #26. PET with a tiny slope for each slice: dcm2niix #978, innolitics/dicom-numpy #1. All at
https://github.com/OWNER/NAME/issues/NUMBER.
"""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ImplicitVRLittleEndian, PositronEmissionTomographyImageStorage
from tests.io.enhanced import enhanced_mr
from tests.io.reports.checks import assert_written_well
from tests.io.volumes.objects import mr_slice, save_all

from demottle.io import read, warnings_of, write

SIGNAL = np.random.default_rng(3).integers(100, 400, (4, 40, 36)).astype(float)
FACTORS = (1.0, 2.0, 4.0, 8.0)  # of what is stored, slice by slice
SAID = "different scales, for display"


def philips(dataset, *, scale=None, rescale=None):
    """Put the scanner's scale (slope, intercept) and Philips' own place of the rescale into a header."""
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    for creator in ("002", "003", "004"):
        dataset.private_block(0x2005, f"Philips MR Imaging DD {creator}", create=True)
    if scale is not None:
        block.add_new(0x0E, "FL", scale[0])
        block.add_new(0x0D, "FL", scale[1])
    if rescale is not None:
        fifth = dataset.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
        fifth.add_new(0x0A, "DS", str(rescale[0]))
        fifth.add_new(0x09, "DS", str(rescale[1]))
    return dataset


def mapping(slope, intercept):
    item = Dataset()
    item.RealWorldValueFirstValueMapped, item.RealWorldValueLastValueMapped = 0, 4095
    item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, intercept
    item.LUTExplanation = item.LUTLabel = "x"
    unit = Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "1", "UCUM", "no units"
    item.MeasurementUnitsCodeSequence = Items([unit])
    return Items([item])


def stored(index):
    return (SIGNAL[index] * FACTORS[index]).astype(np.uint16)


@pytest.mark.parametrize("implicit", [False, True])
def test_slices_are_compared_in_the_scanner_s_scale(tmp_path, denoised, program, implicit):
    """RescaleSlope is 1 in all slices, for display; (2005,100E) tells that the signal is stored with another factor in each."""
    source = [philips(mr_slice(index, index + 1, stored(index), RescaleSlope="1", RescaleIntercept="0", RescaleType="normalized"),
                      scale=(FACTORS[index], 0)) for index in range(4)]  # fmt: skip
    for one in source:
        one.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else one.file_meta.TransferSyntaxUID
    folder = save_all(source, tmp_path / "in")
    image = read(folder)
    np.testing.assert_allclose(image.voxels, SIGNAL, rtol=1e-6)
    assert SAID in " ".join(warnings_of(image))
    out = write(denoised(image, 2), tmp_path / "out")
    again = {float(one.ImagePositionPatient[2]): one for one in map(pydicom.dcmread, out.iterdir())}
    for index in range(4):
        one = again[3.0 * index]
        assert np.array_equal(one.pixel_array, stored(index) + 2 * FACTORS[index]) and float(one.RescaleSlope) == 1
    assert_written_well(out, image, program)


def test_a_display_scale_that_fits_stays(tmp_path):
    """RescaleSlope times the scanner's scale is one factor: the usual case, also where both change from slice to slice."""
    source = [philips(mr_slice(index, index + 1, stored(index), RescaleSlope=str(3 / FACTORS[index]), RescaleIntercept="0"),
                      scale=(FACTORS[index], 0)) for index in range(4)]  # fmt: skip
    image = read(save_all(source, tmp_path / "in"))
    np.testing.assert_allclose(image.voxels, 3 * SIGNAL, rtol=1e-6)
    assert SAID not in " ".join(warnings_of(image))


def test_volumes_over_time_are_compared_too(tmp_path):
    """Dynamics of a perfusion run (dcm2niix #463): each volume has a scale of its own."""
    source = [philips(mr_slice(place, 4 * time + place + 1, stored(time), TemporalPositionIdentifier=time + 1,
                               RescaleSlope="1", RescaleIntercept="0"), scale=(FACTORS[time], 0))
              for time in range(4) for place in range(4)]  # fmt: skip
    image = read(save_all(source, tmp_path / "in"))
    assert image.sequence and image.shape[0] == 4
    for time in range(4):
        np.testing.assert_allclose(image.voxels[time, :40], SIGNAL[time], rtol=1e-6)
    assert SAID in " ".join(warnings_of(image))


@pytest.mark.parametrize("where", ["private", "mapping"])
def test_a_rescale_that_stands_elsewhere(tmp_path, denoised, where):
    """The standard elements are absent, the values are to be compared with other scans (NIfTI keeps no other scale)."""
    source = []
    for index in range(4):
        one = mr_slice(index, index + 1, stored(index))
        if where == "private":
            philips(one, rescale=(0.5 / FACTORS[index], -7))
        else:
            one.RealWorldValueMappingSequence = mapping(0.5 / FACTORS[index], -7)
        source.append(one)
    image = read(save_all(source, tmp_path / "in"))
    np.testing.assert_allclose(image.voxels, 0.5 * SIGNAL - 7, rtol=1e-6, atol=1e-5)
    out = write(denoised(image, 1), tmp_path / "out")
    np.testing.assert_allclose(read(out, accept_own_output=True).voxels, image.voxels + 1, atol=1e-5)


def test_several_mappings_that_differ_mean_nothing(tmp_path):
    source = [mr_slice(index, index + 1, stored(index)) for index in range(4)]
    for one in source:
        one.RealWorldValueMappingSequence = Items([*mapping(2, 0), *mapping(3, 0)])
    assert np.array_equal(read(save_all(source, tmp_path / "in")).voxels[1], stored(1))


@pytest.mark.parametrize("where", ["private", "mapping"])
def test_the_same_in_enhanced_objects(save_slice, tmp_path, where):
    dataset = enhanced_mr()
    frames = np.frombuffer(dataset.PixelData, "<i2").reshape(5, 24, 20)
    for index, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        factor = 1.0 + index
        if where == "mapping":
            del frame.PixelValueTransformationSequence
            frame.RealWorldValueMappingSequence = mapping(1 / factor, 0)
        else:
            frame.PixelValueTransformationSequence[0].RescaleSlope = 1
            frame.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
            inner = philips(Dataset(), scale=(factor, 0))
            for creator in range(0x10, 0x14):
                frame.add_new((0x2005, creator), "LO", f"Philips MR Imaging DD 00{creator - 0xF}")
            frame.add_new((0x2005, 0x14), "LO", "Philips MR Imaging DD 005")
            frame.add_new((0x2005, 0x140F), "SQ", Items([inner]))
    image = read(save_slice(dataset, tmp_path / "in.dcm"))
    order = np.argsort([3, 0, 4, 1, 2])  # frames by their place
    expected = frames[order] / (1.0 + order)[:, None, None]
    np.testing.assert_allclose(image.voxels, expected, rtol=1e-5)


def test_pet_has_a_slope_of_its_own_in_each_slice(ct, tmp_path, denoised):
    """Slopes of 1e-8, which differ by four: with the first one for all, the slices are bands."""
    slopes = (1e-8, 2e-8, 4e-8, 1e-8, 3e-8)
    rng = np.random.default_rng(1)
    pixels = rng.integers(2000, 4000, (5, 24, 20))
    folder = ct(SOPClassUID=PositronEmissionTomographyImageStorage, Modality="PT", RescaleType=None, Units="BQML",
                RescaleSlope=lambda i: f"{slopes[i]:g}", RescaleIntercept="0", stored=lambda i: pixels[i])  # fmt: skip
    image = read(folder)
    np.testing.assert_allclose(image.voxels, pixels * np.array(slopes)[:, None, None], rtol=1e-6)
    assert "tried on CT, MR and X-ray runs only" in " ".join(warnings_of(image))
    out = write(denoised(image, 1e-6), tmp_path / "out")
    np.testing.assert_allclose(read(out, accept_own_output=True).voxels, image.voxels + 1e-6, atol=3e-8)


def test_a_slope_of_zero_says_nothing(tmp_path, denoised, program):
    """RescaleSlope 0 (of NIfTI: layerfMRI/LAYNII #26, #88): the stored values are used, and the result has no such slope."""
    nothing = {"RescaleSlope": "0", "RescaleIntercept": "0", "RescaleType": "US"}
    source = [mr_slice(index, index + 1, stored(index), **nothing) for index in range(4)]
    save_all(source, tmp_path / "in")
    image = read(tmp_path / "in")
    assert np.array_equal(image.voxels, np.stack([stored(index) for index in range(4)]))
    written = write(denoised(image, 5), tmp_path / "out")
    assert_written_well(written, denoised(image, 5), program)
    assert "RescaleSlope" not in pydicom.dcmread(next(written.iterdir()))
