"""Padding: what surrounds the measured part; tissue that happens to hold the padding value is not padding."""

import numpy as np
import pydicom
import pytest

from demottle.image import Image
from demottle.io import read, write
from demottle.io.values.padding import padding_in

ROWS, COLUMNS = 60, 60


def _disc(radius=26):
    y, x = np.mgrid[:ROWS, :COLUMNS]
    return np.hypot(y - (ROWS - 1) / 2, x - (COLUMNS - 1) / 2) <= radius


def _scan(ct, padding, *, tissue, **changes):
    """A disc of noisy tissue, of which many pixels hold the padding value that surrounds it."""
    noisy = np.random.default_rng(1).normal(tissue, 3, (ROWS, COLUMNS)).round()
    stored = np.where(_disc(), noisy, padding)
    return ct(slices=1, rows=ROWS, columns=COLUMNS, stored=stored, PixelPaddingValue=int(padding), **changes), noisy


def test_a_padding_value_within_the_body_is_tissue(ct, tmp_path, denoised):
    """dgobbi/vtk-dicom#128, #173: padding 1064 is 40 HU, which muscle has too."""
    folder, noisy = _scan(ct, 1064, tissue=1064)
    image = read(folder)
    inside = _disc(radius=24)
    assert (noisy[inside] == 1064).sum() > 100
    assert image.valid is not None
    assert image.valid[0][inside].all()
    assert not image.valid[0][~_disc()].any()
    write(denoised(image, 9), tmp_path / "out")
    (path,) = (tmp_path / "out").iterdir()
    after = pydicom.dcmread(path).pixel_array
    assert (after[inside] >= noisy[inside] + 9).all()
    assert (after[~_disc()] == 1064).all()


def test_a_large_hole_of_padding_is_padding():
    """A defaced or cut-out region does not touch the border."""
    found = np.zeros((100, 100), bool)
    found[40:52, 40:50] = True  # 1.2 %
    found[70, 70:76] = True
    assert np.array_equal(padding_in(found), found & (np.arange(100)[:, None] < 60))


def test_what_lies_within_a_range_of_padding_is_not_pushed_out_of_it(ct, tmp_path, denoised):
    """PixelPaddingRangeLimit that covers gas: gas in the body is denoised and keeps its value, it does not become 201."""
    stored = np.where(_disc(), 1064, 0)
    stored[30, 30:34] = 100
    folder = ct(slices=1, rows=ROWS, columns=COLUMNS, stored=stored, PixelPaddingValue=0, PixelPaddingRangeLimit=200)
    image = read(folder)
    assert np.array_equal(image.valid[0], _disc())
    write(denoised(image, 9), tmp_path / "out")
    (path,) = (tmp_path / "out").iterdir()
    assert (pydicom.dcmread(path).pixel_array[30, 30:34] == 109).all()


def test_monochrome1_pads_downwards(ct):
    """In MONOCHROME1 the limit lies below the value (PS3.3 C.7.5.1.1.2)."""
    stored = np.where(_disc(), 1064, 4000)
    stored[0] = 3990
    image = read(ct(slices=1, rows=ROWS, columns=COLUMNS, stored=stored, PhotometricInterpretation="MONOCHROME1",
                    PixelPaddingValue=4000, PixelPaddingRangeLimit=3980))  # fmt: skip
    assert np.array_equal(image.valid[0], _disc())


@pytest.mark.parametrize("slope, intercept, outside", [("0.05", "100", False), ("1", "-1024", True), ("1", "0", True)])
def test_a_stored_minus_2000_is_outside_only_where_the_rescale_says_so(ct, slope, intercept, outside):
    """Slope 0.05 and intercept 100 make 0 HU of it; -2000 or -3024 HU are no tissue (TesterTi/LIDCToolbox#9)."""
    stored = np.where(_disc(), 1000, -2000)
    image = read(ct(slices=1, rows=ROWS, columns=COLUMNS, stored=stored, PixelRepresentation=1, BitsStored=16, HighBit=15,
                    RescaleSlope=slope, RescaleIntercept=intercept))  # fmt: skip
    assert (image.valid is not None) is outside


def test_padding_read_without_its_sign_is_outside(ct):
    """-2000 in a file that says unsigned is 63536: no metal is that dense (TesterTi/LIDCToolbox#9)."""
    stored = np.where(_disc(), 1064, 63536)
    image = read(ct(slices=1, rows=ROWS, columns=COLUMNS, stored=stored, BitsStored=16, HighBit=15))
    assert np.array_equal(image.valid[0], _disc())


@pytest.mark.parametrize("value", [-3024, 40000])
def test_a_slice_has_its_own_padding_whatever_the_others_hold_in_every_format(ct, tmp_path, value):
    """Only the last slice is padded; DICOM and a file of floating-point numbers tell alike what was measured."""
    voxels = np.random.default_rng(2).normal(40, 5, (3, ROWS, COLUMNS)).round().astype(np.float32)
    voxels[2][~_disc()] = value
    path = tmp_path / "in.mha"
    write(Image(voxels, (2.0, 1.0, 1.0), "CT", "HU"), path)
    wide = {"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31, "PixelRepresentation": 1}
    stored = ct(slices=1, rows=ROWS, columns=COLUMNS, stored=voxels[2], RescaleIntercept="0", **wide)
    expected = np.ones(voxels.shape, bool)
    expected[2] = _disc()
    assert np.array_equal(read(path).valid, expected)
    assert np.array_equal(read(stored).valid[0], expected[2])
