"""NIfTI, MetaImage, NRRD, TIFF and NumPy: data type, geometry and header of the input come out again."""

import re

import nibabel
import numpy as np
import pytest
import SimpleITK
import tifffile

from demottle.errors import InputError, OutputError
from demottle.image import Image, ProcessingStep
from demottle.io import read, warnings_of, write

STEP = ProcessingStep("bilateral", "0.1.0", {"strength": 1.5})
SPACING = (2.0, 0.9, 0.8)
FORMATS = [".nii", ".nii.gz", ".mha", ".mhd", ".nrrd", ".tif", ".tiff", ".npy"]


def stored_values(kind, seed=0):
    values = np.random.default_rng(seed).normal(50, 30, (4, 12, 10))
    return np.clip(values, 0, 250).astype(kind)


def make(path, values, slope=1.0, intercept=0.0):
    """Write a file as another program would, with an oblique geometry where the format has one."""
    if ".nii" in path.name:
        affine = nibabel.affines.from_matvec(np.diag([-0.8, 0.9, 2.0]) @ np.eye(3), [10, -20, 30])
        nifti = nibabel.Nifti1Image(values.T, affine)
        nifti.header["descrip"] = b"somebody's own"
        nifti.header.set_slope_inter(slope, intercept)
        nifti.header.set_xyzt_units("mm")
        nifti.to_filename(path)
    elif path.suffix in (".mha", ".mhd", ".nrrd"):
        itk = SimpleITK.GetImageFromArray(values)
        itk.SetSpacing((0.8, 0.9, 2.0))
        itk.SetOrigin((1, 2, 3))
        itk.SetDirection((0, -1, 0, 1, 0, 0, 0, 0, 1))
        itk.SetMetaData("Observer", "somebody's own")
        SimpleITK.WriteImage(itk, str(path))
    elif path.suffix in (".tif", ".tiff"):
        tifffile.imwrite(path, values, photometric="minisblack")
    else:
        np.save(path, values)
    return path


def given(path):
    return {"spacing": SPACING} if path.suffix in (".npy", ".tif", ".tiff") else {}


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("kind", ["int16", "uint8", "uint16", "float32"])
def test_data_type_and_values_come_back(tmp_path, suffix, kind):
    values = stored_values(kind)
    path = make(tmp_path / f"in{suffix}", values)
    image = read(path, **given(path))
    assert image.spacing == pytest.approx(SPACING, rel=1e-6)
    assert np.array_equal(image.voxels, values.astype(np.float32))
    voxels = image.voxels.copy()
    voxels[0, 0, :3] = 1e9, -1e9, 10.6
    out = write(image.with_voxels(voxels, STEP), tmp_path / "out")
    assert out.name == "out" + {".nii": ".nii.gz", ".tiff": ".tif"}.get(suffix, suffix)
    again = read(out, accept_own_output=True, **given(out))
    assert again.source.payload.dtype == np.dtype(kind)
    assert np.array_equal(again.voxels[1:], image.voxels[1:])
    if kind != "float32":
        info = np.iinfo(kind)
        assert again.voxels[0, 0, :3].tolist() == [info.max, info.min, 11]


@pytest.mark.parametrize("suffix", FORMATS[:-1])
def test_own_output_is_recognized_and_keeps_its_history(tmp_path, phantom, suffix):
    path = write(phantom.with_voxels(phantom.voxels, STEP), tmp_path / f"out{suffix}")
    with pytest.raises(InputError, match="own output"):
        read(path)
    again = read(path, accept_own_output=True)
    assert again.history == (STEP,)
    assert (again.modality, again.unit) == ("CT", "HU")
    assert again.spacing == pytest.approx(phantom.spacing, rel=1e-6)
    assert np.array_equal(again.voxels, phantom.voxels)


def test_long_histories_survive(tmp_path, phantom):
    step = ProcessingStep("long", "1", {"text": "x" * 20000})
    for suffix in FORMATS[:-1]:
        path = write(phantom.with_voxels(phantom.voxels, step), tmp_path / f"out{suffix}")
        assert read(path, accept_own_output=True).history == (step,)


def test_nifti_header_affine_and_scaling_come_back(tmp_path):
    values = stored_values("int16")
    path = make(tmp_path / "in.nii.gz", values, slope=0.37, intercept=-12.5)
    image = read(path, modality="CT")
    assert (image.modality, image.unit) == ("CT", "HU")
    assert image.voxels[1, 2, 3] == pytest.approx(0.37 * values[1, 2, 3] - 12.5, abs=1e-4)
    before, after = (
        nibabel.load(path),
        nibabel.load(write(image.with_voxels(image.voxels, STEP), tmp_path / "out.nii.gz")),
    )
    assert np.array_equal(before.affine, after.affine)
    assert np.array_equal(before.dataobj.get_unscaled(), after.dataobj.get_unscaled())
    assert (after.dataobj.slope, after.dataobj.inter) == (before.dataobj.slope, before.dataobj.inter)
    for field in ("descrip", "qform_code", "sform_code", "pixdim", "xyzt_units", "datatype"):
        assert np.array_equal(before.header[field], after.header[field])


def test_itk_geometry_comes_back(tmp_path):
    path = make(tmp_path / "in.mha", stored_values("int16"))
    after = SimpleITK.ReadImage(str(write(read(path), tmp_path / "out.mha")))
    before = SimpleITK.ReadImage(str(path))
    assert (after.GetDirection(), after.GetOrigin(), after.GetSpacing()) == (
        before.GetDirection(),
        before.GetOrigin(),
        before.GetSpacing(),
    )
    assert after.GetMetaData("Observer") == "somebody's own"


def test_geometry_is_the_same_in_every_format(ct, tmp_path):
    """SimpleITK reads the DICOM series itself: the judge of where each voxel lies."""
    folder = ct(ImageOrientationPatient=[0, 1, 0, 0, 0, -1], ImagePositionPatient=lambda i: [5 - 2 * i, 7, 9])
    image = read(folder)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    judge = reader.Execute()
    for suffix in (".mha", ".nrrd", ".nii.gz"):
        itk = SimpleITK.ReadImage(str(write(image, tmp_path / f"out{suffix}")))
        for index in ((0, 0, 0), (3, 2, 1), (19, 23, 4)):
            point = itk.TransformIndexToPhysicalPoint(index)
            there = judge.TransformPhysicalPointToIndex(point)
            assert judge.TransformIndexToPhysicalPoint(there) == pytest.approx(point, abs=1e-4)
            assert itk[index] == judge[there]


def test_gantry_tilt_needs_a_format_that_can_shear(ct, tmp_path):
    image = read(
        ct(ImageOrientationPatient=[1, 0, 0, 0, 0.939693, -0.342020], ImagePositionPatient=lambda i: [0, 0, 3 * i])
    )
    with pytest.raises(OutputError, match="gantry tilt"):
        write(image, tmp_path / "out.mha")
    affine = nibabel.load(write(image, tmp_path / "out.nii.gz")).affine
    assert affine[:3, 2] == pytest.approx([0, 0, 3])


@pytest.mark.parametrize("suffix", FORMATS)
def test_truncated_and_foreign_files_are_refused(tmp_path, suffix):
    path = make(tmp_path / f"in{suffix}", stored_values("int16"))
    data = path.with_suffix(".raw") if suffix == ".mhd" else path
    for content in (data.read_bytes()[:-200], b"not an image at all" * 9, b""):
        data.write_bytes(content)
        with pytest.raises(InputError, match=re.escape(path.name)):
            read(path, **given(path))


def test_what_is_not_one_volume_is_refused(tmp_path):
    nibabel.Nifti1Image(np.zeros((4, 4, 4, 3, 2), np.float32), np.eye(4)).to_filename(tmp_path / "series.nii")
    with pytest.raises(InputError, match="3-D"):
        read(tmp_path / "series.nii")
    nibabel.Nifti1Image(np.zeros((4, 4, 4, 1), np.float32), np.eye(4)).to_filename(tmp_path / "one.nii")
    assert read(tmp_path / "one.nii").shape == (4, 4, 4)
    np.save(tmp_path / "flat.npy", np.zeros((4, 4)))
    with pytest.raises(InputError, match="slices, rows, columns"):
        read(tmp_path / "flat.npy", spacing=SPACING)
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((8, 8, 3), np.uint8), photometric="rgb")
    with pytest.raises(InputError, match="color"):
        read(tmp_path / "rgb.tif", spacing=SPACING)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="readable"):
        read(tmp_path / "objects.npy", spacing=SPACING)


@pytest.mark.parametrize("kind", ["int64", "float64", ">i2", ">f4", "uint32"])
def test_rarer_data_types_of_nifti(tmp_path, kind):
    values = stored_values(kind)
    header = nibabel.Nifti1Header(endianness=">" if kind.startswith(">") else "<")
    header.set_data_dtype(kind)
    nibabel.Nifti1Image(values.T, np.diag([0.8, 0.9, 2, 1]), header, dtype=kind).to_filename(tmp_path / "in.nii")
    image = read(tmp_path / "in.nii")
    after = nibabel.load(write(image.with_voxels(image.voxels + 1), tmp_path / "out.nii"))
    assert after.get_data_dtype() == np.dtype(kind)
    assert pytest.approx(values.astype(float) + 1, abs=1e-4) == np.asarray(after.dataobj).T


def test_unchanged_integers_beyond_the_precision_of_float32_keep_their_value(tmp_path):
    values = stored_values("int32") + 2**24
    values += values % 2 + 1  # odd: no float32 holds them
    path = make(tmp_path / "in.nii", values)
    out = write(read(path), tmp_path / "out.nii")
    assert np.array_equal(nibabel.load(out).dataobj.get_unscaled(), values.T)


def test_compressed_metaimage_and_nrrd(tmp_path):
    values = stored_values("int16")
    for suffix in (".mha", ".mhd", ".nrrd"):
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(tmp_path / f"in{suffix}"), useCompression=True)
        assert np.array_equal(read(tmp_path / f"in{suffix}").voxels, values)


def test_spacing_is_needed_where_the_file_has_none_and_refused_where_it_has(tmp_path):
    for suffix in (".npy", ".tif"):
        path = make(tmp_path / f"in{suffix}", stored_values("int16"))
        with pytest.raises(InputError, match="give the spacing"):
            read(path)
    with pytest.raises(InputError, match="leave it out"):
        read(make(tmp_path / "in.nii", stored_values("int16")), spacing=SPACING)


def test_imagej_states_its_spacing(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", stored_values("uint16"), imagej=True, resolution=(1 / 0.8, 1 / 0.9),
                     metadata={"spacing": 2.0, "unit": "mm", "axes": "ZYX"})  # fmt: skip
    assert read(tmp_path / "a.tif").spacing == pytest.approx(SPACING, rel=1e-5)


def test_an_unknown_modality_is_said(tmp_path):
    image = read(make(tmp_path / "in.nii", stored_values("int16")))
    assert (image.modality, image.unit) == ("OT", "a.u.")
    assert "CT or MR" in warnings_of(image)[0]
    assert warnings_of(Image(image.voxels, image.spacing)) == ()


@pytest.mark.parametrize("suffix", FORMATS)
def test_ct_that_does_not_say_so_is_known_by_air_and_tissue(tmp_path, suffix):
    random = np.random.default_rng(1)
    values = np.where(np.arange(48) < 16, -1000, 40) + random.normal(0, 10, (4, 48, 48))
    path = make(tmp_path / f"in{suffix}", values.astype("int16"))
    image = read(path, **given(path))
    assert (image.modality, image.unit) == ("CT", "HU")
    assert "air near -1000 and tissue near 0" in warnings_of(image)[0]
    again = read(write(image, tmp_path / f"out{suffix}"), **given(path))
    assert (again.modality, again.unit) == ("CT", "HU")
    said = read(path, modality="MR", **given(path))
    assert (said.modality, said.unit) == ("MR", "a.u.")


def test_outside_the_circle_in_a_ct_file(tmp_path):
    values = stored_values("int16")
    values[:, 0, 0] = -2000
    image = read(make(tmp_path / "in.nii", values), modality="CT")
    assert (~image.valid).sum() == 4
    after = nibabel.load(write(image.with_voxels(image.voxels + 5), tmp_path / "out.nii"))
    assert (np.asarray(after.dataobj)[0, 0] == -2000).all()
