"""CT numbers whose header does not say that they are Hounsfield units."""

import nibabel
import numpy as np
import pydicom
import pytest

from demottle.errors import InputError
from demottle.io import read, warnings_of, write

SIZE = 64


def body(offset=0.0, *, air=-1000.0, noise=20.0):
    """A disc of 40 HU with fat around it, in air, as stored with intercept -1024."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    radius = np.hypot(y, x)
    hu = np.select([radius < 18, radius < 24], [40.0, -100.0], air)
    noisy = hu + np.random.default_rng(3).normal(0, noise, hu.shape)
    return np.clip(noisy + 1024 + offset, 0, 4095).round()


def scan(ct, name="ct", stored=None, **changes):
    return ct(name, slices=3, rows=SIZE, columns=SIZE, stored=body() if stored is None else stored, **changes)


@pytest.mark.parametrize("stated", ["US", "HOUNSFIELD_UNIT", "unspecified"])
def test_air_and_tissue_prove_hu(ct, stated):
    """RescaleType US is what Enhanced CT and cone-beam scanners write (rordenlab/dcm2niix#493 on units that mean nothing)."""
    image = read(scan(ct, RescaleType=stated))
    assert (image.modality, image.unit) == ("CT", "HU")
    assert f"RescaleType is {stated}" in warnings_of(image)[0]
    assert "air near -1000" in warnings_of(image)[0]


@pytest.mark.parametrize("stated", ["HU", "hu", "HU_MOD", None])
def test_no_remark_where_the_header_says_hu_or_nothing_else(ct, stated):
    assert warnings_of(read(scan(ct, RescaleType=stated))) == ()


@pytest.mark.parametrize(
    "stored",
    [body(offset=500), body(noise=0), np.full((SIZE, SIZE), 1064.0)],
    ids=["shifted by 500", "air of one constant number", "no air"],
)
def test_what_does_not_show_hu_is_refused_and_may_be_told(ct, stored):
    folder = scan(ct, stored=stored, RescaleType="US")
    with pytest.raises(InputError, match="do not show air") as refused:
        read(folder)
    assert refused.value.remedy == "unit"
    image = read(folder, unit="hu")
    assert image.unit == "HU"
    assert "as requested" in warnings_of(image)[0]


def test_another_unit_is_not_overridden(ct):
    """Iodine in mg/ml does not become HU by saying so."""
    with pytest.raises(InputError, match="MGML"):
        read(scan(ct, RescaleType="MGML"), unit="HU")
    with pytest.raises(InputError, match="the only one is HU"):
        read(scan(ct), unit="mg/ml")


def test_ct_without_any_rescale_whose_stored_values_are_hu(ct, tmp_path, denoised):
    """Converters leave the rescale out where it is 1 and 0 (innolitics/dicom-numpy#1); the standard demands it in CT."""
    folder = scan(
        ct, stored=body() - 1024, PixelRepresentation=1, RescaleSlope=None, RescaleIntercept=None, RescaleType=None
    )
    image = read(folder)
    assert "without RescaleSlope" in warnings_of(image)[0]
    write(denoised(image), tmp_path / "out")
    for path in (tmp_path / "out").iterdir():
        after = pydicom.dcmread(path)
        assert (after.RescaleSlope, after.RescaleIntercept, after.RescaleType) == (1, 0, "HU")
    with pytest.raises(InputError, match="without RescaleSlope"):
        read(scan(ct, "raw", RescaleSlope=None, RescaleIntercept=None, RescaleType=None))


def test_a_modality_lut_in_place_of_a_rescale_is_named(ct):
    folder = scan(ct, RescaleSlope=None, RescaleIntercept=None, RescaleType=None)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        table = pydicom.Dataset()
        table.add_new("LUTDescriptor", "US", [4096, 0, 16])
        table.ModalityLUTType = "HU"
        table.add_new("LUTData", "OW", bytes(2 * 4096))
        dataset.ModalityLUTSequence = [table]
        dataset.save_as(path)
    with pytest.raises(InputError, match="Modality LUT"):
        read(folder)


def test_each_slice_has_its_own_rescale(ct, tmp_path, denoised):
    """rordenlab/dcm2niix#978, #363: slope and intercept differ from slice to slice."""
    values = np.linspace(0, 400, 24 * 20).reshape(24, 20).round()
    folder = ct(
        slices=4,
        stored=lambda index: ((values + 1000 + 7 * index) / (1 + 0.25 * index)).round(),
        RescaleSlope=lambda index: str(1 + 0.25 * index),
        RescaleIntercept=lambda index: str(-1000 - 7 * index),
    )
    image = read(folder)
    assert np.abs(image.voxels - values).max() <= 0.5 * 1.75
    write(denoised(image, 10), tmp_path / "out")
    after = read(tmp_path / "out", accept_own_output=True)
    assert np.abs(after.voxels - image.voxels - 10).max() <= 0.5 * 1.75


@pytest.mark.parametrize("suffix", [".nii.gz", ""])
def test_an_offset_left_in_is_said(ct, tmp_path, suffix):
    """cerr/CERR#494, #212; pydicom/pydicom#1615: values above 0 throughout, taken for HU."""
    image = nifti(tmp_path / "in.nii.gz", body()) if suffix else read(scan(ct, RescaleIntercept="0"))
    assert "carry an offset" in warnings_of(image)[-1]


@pytest.mark.parametrize("suffix", [".nii.gz", ""])
def test_a_rescale_applied_twice_is_said(ct, tmp_path, suffix):
    """Stored HU, and an intercept of -1024 left in the header: tissue lies near -1000."""
    if suffix:
        image = nifti(tmp_path / "in.nii.gz", body() - 2048)
    else:
        image = read(scan(ct, stored=body() - 1024, PixelRepresentation=1))
    assert "applied twice" in warnings_of(image)[-1]


def test_nothing_is_said_of_ordinary_ct(ct, tmp_path):
    assert warnings_of(read(scan(ct))) == ()
    assert warnings_of(nifti(tmp_path / "in.nii.gz", body() - 1024)) == ()


def nifti(path, values):
    made = nibabel.Nifti1Image(np.stack([values.T] * 3, axis=2).astype(np.int16), np.diag([1, 1, 3, 1.0]))
    made.header.set_xyzt_units("mm")
    made.to_filename(path)
    return read(path, modality="CT")
