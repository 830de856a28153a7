"""NaN and infinite values in files of floating-point numbers: kept, not measured, as padding is."""

import nibabel
import numpy as np
import pytest
import SimpleITK
import tifffile

from demottle.errors import InputError
from demottle.io import read, warnings_of, write

FORMATS = [".nii.gz", ".mha", ".nrrd", ".tif", ".npy"]
SPACING = (3.0, 1.0, 1.0)


def values(*odd):
    made = np.random.default_rng(1).normal(100, 5, (4, 12, 10)).astype(np.float32)
    for index, value in enumerate(odd):
        made[index % 4, 2:4] = value
    return made


def save(path, array):
    if path.suffix == ".gz":
        nifti = nibabel.Nifti1Image(array.T, np.diag([1, 1, 3, 1.0]))
        nifti.header.set_xyzt_units("mm")
        nifti.to_filename(path)
    elif path.suffix in (".mha", ".nrrd"):
        itk = SimpleITK.GetImageFromArray(array)
        itk.SetSpacing(SPACING[::-1])
        SimpleITK.WriteImage(itk, str(path))
    elif path.suffix == ".tif":
        tifffile.imwrite(path, array, photometric="minisblack")
    else:
        np.save(path, array)
    return path


def load(path):
    if path.name.endswith(".nii.gz"):
        return np.asarray(nibabel.load(path).dataobj).T
    if path.suffix in (".mha", ".nrrd"):
        return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
    return tifffile.imread(path) if path.suffix == ".tif" else np.load(path)


def given(path):
    return {"spacing": SPACING} if path.suffix in (".npy", ".tif") else {}


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_no_number_is_kept_and_not_measured(tmp_path, suffix, denoised):
    """NaN outside of the field of view (layerfMRI/LAYNII#7, nilearn/nilearn#1249, samuelstjean/nlsam#86)."""
    stored = values(np.nan, np.inf, -np.inf)
    path = save(tmp_path / f"in{suffix}", stored)
    image = read(path, modality="MR", **given(path))
    assert np.array_equal(image.valid, np.isfinite(stored))
    assert np.isfinite(image.voxels).all()
    assert image.voxels.min() == stored[np.isfinite(stored)].min()
    assert "60 voxels without a number" in " ".join(warnings_of(image))
    after = load(write(denoised(image, 2), tmp_path / f"out{suffix}"))
    odd = ~np.isfinite(stored)
    assert np.array_equal(after[odd], stored[odd], equal_nan=True)
    assert np.allclose(after[~odd], stored[~odd] + 2)


@pytest.mark.parametrize("suffix", FORMATS)
def test_it_is_still_no_number_in_another_format(tmp_path, suffix, denoised):
    image = read(save(tmp_path / "in.nii.gz", values(np.nan)), modality="MR")
    other = tmp_path / ("out.nii.gz" if suffix == ".nii.gz" else f"out{suffix}")
    after = load(write(denoised(image, 2), other))
    assert np.array_equal(np.isnan(after), ~image.valid)


def test_it_becomes_padding_in_dicom(tmp_path, denoised):
    image = read(save(tmp_path / "in.nii.gz", values(np.nan)), modality="CT")
    again = read(write(denoised(image, 2), tmp_path / "out"), accept_own_output=True)
    assert (~again.valid).sum() == 20


def test_numbers_too_large_for_the_image_are_kept(tmp_path, denoised):
    """A double of 1e300 has no single-precision number."""
    stored = values().astype(np.float64)
    stored[0, 0, :3] = 1e300
    image = read(save(tmp_path / "in.npy", stored), spacing=SPACING, modality="MR")
    after = load(write(denoised(image, 2), tmp_path / "out.npy"))
    assert (after[0, 0, :3] == 1e300).all()


def test_nothing_but_nan_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no numbers"):
        read(save(tmp_path / "in.nii.gz", np.full((4, 12, 10), np.nan, np.float32)))
