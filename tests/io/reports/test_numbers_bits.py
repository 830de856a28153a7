"""Bits of the pixels that are not where most files have them, after public reports."""

import numpy as np
import pydicom
import pytest

from demottle.errors import InputError
from demottle.io import read, warnings_of, write


def _outputs(folder):
    return [pydicom.dcmread(path) for path in sorted(folder.iterdir())]


def test_values_at_the_high_end_are_read_and_written_at_the_low_end(ct, tmp_path, denoised):
    """12 bits up to bit 15: PS3.5 allowed it until 2014 (pydicom/pydicom#2026, fo-dicom/fo-dicom#138)."""
    stored = np.random.default_rng(1).integers(900, 1200, (24, 20))
    plain, shifted = read(ct("plain", stored=stored)), read(ct("shifted", HighBit=15, stored=stored << 4))
    assert np.array_equal(plain.voxels, shifted.voxels)
    write(denoised(shifted, 2), tmp_path / "out")
    for after in _outputs(tmp_path / "out"):
        assert (after.BitsStored, after.HighBit) == (12, 11)
        assert np.array_equal(after.pixel_array, stored + 2)


def test_signed_values_at_the_high_end_keep_their_sign(ct):
    """As icometrix/dicom2nifti#13, with the sign bit where HighBit says."""
    stored = np.random.default_rng(2).integers(-900, 900, (24, 20))
    signed = {"PixelRepresentation": 1, "RescaleIntercept": "0", "HighBit": 15, "stored": stored << 4}
    assert np.array_equal(read(ct(**signed)).voxels[0], stored)


def test_a_high_bit_that_the_pixels_belie_is_refused(ct):
    """HighBit 15 in the header, values below bit 12 (innolitics/dicom-numpy#15: HighBit of many kinds)."""
    with pytest.raises(InputError, match=r"end at bit 15, but they end at bit 11; set HighBit to 11"):
        read(ct(HighBit=15))


def test_bits_above_those_of_the_values_are_said(ct, tmp_path, denoised):
    """They are no part of the value (dgobbi/vtk-dicom#134, cornerstonejs/cornerstone3D#2868), unless BitsStored is wrong."""
    stored = np.random.default_rng(1).integers(900, 1200, (24, 20))
    stored[10:12, 10:12] = 5000
    image = read(ct(stored=stored))
    assert (image.voxels[0, 10, 10], stored[10, 10] & 4095) == (904 - 1024, 904)
    (said,) = warnings_of(image)
    assert "use bits above the 12 of their values" in said
    for after in _outputs(write(denoised(image, 1), tmp_path / "out")):
        assert (np.frombuffer(after.PixelData, "<u2").reshape(24, 20) == stored + 1).all()


@pytest.mark.parametrize("stated", [63536, None])
def test_padding_need_not_fit_the_bits(ct, stated):
    """-2000 without its sign, around the slice; nothing is said of it."""
    stored = np.random.default_rng(1).integers(900, 1200, (24, 20))
    stored[:3] = stored[-3:] = 63536
    assert warnings_of(read(ct(stored=stored, PixelPaddingValue=stated) if stated else ct(stored=stored))) == ()


@pytest.mark.parametrize("high_bit, bit, position", [(11, 12, 12), (11, 12, 0), (15, 0, 0), (15, 2, 2)])
def test_an_overlay_in_the_unused_bits_moves_to_overlay_data(ct, tmp_path, denoised, program, high_bit, bit, position):
    """Embedded overlays are retired since 2005 (fo-dicom/fo-dicom#2087, #110; pydicom/deid#201): no part of the value."""
    stored = np.random.default_rng(3).integers(900, 1200, (24, 20))
    drawn = np.random.default_rng(4).random((24, 20)) < 0.3
    pixels = (stored << (high_bit - 11)) | (drawn << bit)
    folder = ct(slices=1, HighBit=high_bit, stored=pixels)
    (path,) = folder.iterdir()
    dataset = pydicom.dcmread(path)
    for element, vr, value in (
        (0x10, "US", 24), (0x11, "US", 20), (0x40, "CS", "G"), (0x50, "SS", [1, 1]), (0x100, "US", 16), (0x102, "US", position),
    ):  # fmt: skip
        dataset.add_new((0x6000, element), vr, value)
    dataset.save_as(path)
    image = read(folder)
    assert np.array_equal(image.voxels[0], stored - 1024)
    write(denoised(image, 1), tmp_path / "out")
    (after,) = _outputs(tmp_path / "out")
    assert np.array_equal(np.frombuffer(after.PixelData, "<u2").reshape(24, 20), stored + 1)
    assert np.array_equal(after.overlay_array(0x6000), drawn)
    _no_errors(program, tmp_path / "out")


def test_an_overlay_said_to_lie_within_the_values_is_no_overlay(ct, tmp_path, denoised):
    """Overlay Bit Position below BitsStored (dcm4che/dcm4chee-arc-light#876): the value stays whole."""
    folder = ct(slices=1)
    (path,) = folder.iterdir()
    dataset = pydicom.dcmread(path)
    dataset.add_new((0x6000, 0x0100), "US", 16)
    dataset.add_new((0x6000, 0x0102), "US", 5)
    dataset.save_as(path)
    image = read(folder)
    assert np.array_equal(image.voxels[0], dataset.pixel_array - 1024.0)
    write(denoised(image), tmp_path / "out")
    (after,) = _outputs(tmp_path / "out")
    assert (0x6000, 0x0102) not in after


@pytest.mark.parametrize(
    "missing", ["PixelRepresentation", "BitsStored", "SamplesPerPixel", "PhotometricInterpretation"]
)
def test_what_the_pixels_need_and_is_not_there_is_named(ct, missing):
    """pydicom/pydicom#874, #1457: PixelRepresentation left out by writers of all kinds."""
    folder = ct()
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        del dataset[missing]
        dataset.save_as(path)
    with pytest.raises(InputError, match=f"does not state {missing}"):
        read(folder)


@pytest.mark.parametrize(
    "keyword, bits", [("FloatPixelData", 32), ("DoubleFloatPixelData", 64), ("FloatPixelData", 16)]
)
@pytest.mark.parametrize("both", [False, True])
def test_floating_point_pixels_are_refused_by_name(ct, keyword, bits, both):
    """pydicom/pydicom#1077, #452: never taken for Pixel Data, never written beside it (PS3.3 C.7.6.24)."""
    folder = ct(slices=1)
    (path,) = folder.iterdir()
    dataset = pydicom.dcmread(path)
    dataset.BitsAllocated = bits
    values = np.zeros((24, 20), "<f8" if keyword.startswith("Double") else "<f4")
    setattr(dataset, keyword, values.tobytes())
    if not both:
        del dataset.PixelData
    dataset.save_as(path)
    with pytest.raises(InputError, match="Float Pixel Data"):
        read(folder)


def test_an_object_without_pixels_is_named(ct):
    """pydicom/pydicom#1246: the header of an image, and no pixel data."""
    folder = ct()
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        del dataset.PixelData
        dataset.save_as(path)
    with pytest.raises(InputError, match="holds no pixels"):
        read(folder)


@pytest.mark.parametrize("signed", [False, True])
def test_extremes_of_the_pixels_are_said_in_their_own_sign(ct, tmp_path, denoised, signed):
    """Smallest and Largest Image Pixel Value have the sign of the pixels (pydicom/pydicom#838: an ambiguous VR)."""
    stored = np.random.default_rng(5).integers(-900 if signed else 40000, 900 if signed else 60000, (24, 20))
    folder = ct(slices=1, PixelRepresentation=int(signed), BitsStored=16, HighBit=15, stored=stored)
    (path,) = folder.iterdir()
    dataset = pydicom.dcmread(path)
    for element in (0x0106, 0x0107):
        dataset.add_new((0x0028, element), "SS" if signed else "US", 7)
    dataset.save_as(path)
    write(denoised(read(folder)), tmp_path / "out")
    (after,) = _outputs(tmp_path / "out")
    assert after.SmallestImagePixelValue == after.pixel_array.min()
    assert after.LargestImagePixelValue == after.pixel_array.max()
    assert ("SS" if signed else "US") == after["SmallestImagePixelValue"].VR


def _no_errors(program, folder):
    import subprocess

    for path in folder.iterdir():
        said = subprocess.run([program("dciodvfy"), path], capture_output=True, text=True, check=False)
        assert [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")] == []
