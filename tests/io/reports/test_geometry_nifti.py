"""NIfTI headers of all kinds: which axis is that of the slices, where they lie, and what the header leaves open."""

import nibabel
import numpy as np
import pytest
import SimpleITK

from demottle.errors import InputError
from demottle.io import read, warnings_of, write
from demottle.io.grid.slice_axis import slice_axis

SHAPE = (20, 24, 6)  # columns, rows, slices
STEPS = (0.8, 0.9, 5.0)


def volume():
    """Values that tell each voxel from all others; noise-free, so that order shows."""
    return np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)


def save(path, values=None, affine=None, *, unit="mm", **header):
    affine = np.diag([*STEPS, 1.0]) if affine is None else affine
    nifti = nibabel.Nifti1Image(volume() if values is None else values, affine)
    nifti.header.set_xyzt_units(unit)
    for key, value in header.items():
        nifti.header[key] = value
    nifti.to_filename(path)
    return path


def change(path, **fields):
    """Change fields of a header on disk, behind nibabel's back."""
    data = bytearray(path.read_bytes())
    header = nibabel.Nifti1Header(bytes(data[:348]), check=False)
    for key, value in fields.items():
        header[key] = value
    data[:348] = header.binaryblock
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (0, 2, 1), (1, 2, 0), (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize("suffix", [".nii.gz", ".mha", ".nrrd"])
def test_the_thick_axis_is_that_of_the_slices_whatever_the_order(tmp_path, denoised, axes, suffix):
    """Sagittal, coronal and reoriented scans (ANTsX/ANTsPy#173; Inria-Empenn/Anima-Public#108 with 16 x 528 x 528)."""
    values = volume().transpose(axes).copy()
    affine = np.diag([*STEPS, 1.0])[:, [*axes, 3]]
    path = tmp_path / f"in{suffix}"
    if suffix == ".nii.gz":
        save(path, values, affine)
    else:
        itk = SimpleITK.GetImageFromArray(np.ascontiguousarray(values.T))
        itk.SetSpacing([STEPS[axis] for axis in axes])
        itk.SetDirection(np.eye(3)[:, list(axes)].ravel().tolist())
        SimpleITK.WriteImage(itk, str(path))
    image = read(path, modality="MR")
    assert image.shape[0] == 6
    assert image.spacing[0] == pytest.approx(5)
    assert sorted(image.spacing[1:]) == pytest.approx(sorted(STEPS[:2]))
    for plane in image.voxels:  # a slice holds what lay in one slice
        assert len(np.unique(plane.astype(int) % 6)) == 1
    out = write(denoised(image, 1), tmp_path / f"out{suffix}")
    again = read(out, accept_own_output=True, modality="MR")
    assert np.array_equal(again.voxels, image.voxels + 1)
    before, after = (SimpleITK.ReadImage(str(name)) for name in (path, out))
    assert np.array_equal(SimpleITK.GetArrayFromImage(after), SimpleITK.GetArrayFromImage(before) + 1)
    assert np.allclose(before.GetDirection(), after.GetDirection(), atol=1e-6)
    assert np.allclose(before.GetOrigin(), after.GetOrigin(), atol=1e-4)


@pytest.mark.parametrize("other", [".mha", ".nrrd", ""])
@pytest.mark.parametrize("axes", [(2, 0, 1), (0, 2, 1)])
def test_reoriented_volumes_lie_right_in_other_formats(tmp_path, axes, other):
    affine = np.diag([-0.8, -0.9, 5.0, 1.0])
    affine[:3, 3] = 11, -7, 30
    path = save(tmp_path / "in.nii.gz", volume().transpose(axes).copy(), affine[:, [*axes, 3]])
    out = write(read(path, modality="CT"), tmp_path / f"out{other}", format=None if other else "dicom")
    itk = _series(out) if not other else SimpleITK.ReadImage(str(out))
    for index in ((0, 0, 0), (19, 23, 5), (3, 8, 2)):
        place = (affine @ [*index, 1])[:3] * [-1, -1, 1]
        found = itk.TransformPhysicalPointToContinuousIndex(place.tolist())
        nearest = [round(value) for value in found]
        assert np.abs(np.array(itk.TransformIndexToPhysicalPoint(nearest)) - place).max() < 0.1
        assert itk[nearest] == volume()[index]


def _series(folder):
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


@pytest.mark.parametrize(
    "shape, steps, stated, axis",
    [
        ((64, 64, 20), (1, 1, 5), None, 2),
        ((20, 64, 64), (5, 1, 1), None, 0),
        ((64, 20, 64), (1, 5, 1), None, 1),
        ((176, 256, 256), (1.2, 1, 1), None, 0),  # a sagittal MPRAGE
        ((160, 256, 256), (1, 1, 1), None, 2),
        ((160, 256, 256), (1, 1, 1), 0, 0),
        ((512, 512, 300), (0.7, 0.7, 0.5), None, 2),  # overlapping slices of a thin CT
        ((300, 512, 512), (0.5, 0.7, 0.7), None, 0),
        ((256, 320, 200), (0.7, 0.8, 0.625), None, 2),  # pixels that are not square, and thin slices
        ((256, 320, 200), (0.8, 0.625, 0.625), 2, 2),
        ((20, 64, 64), (5, 1, 1), 2, 0),  # reoriented by a program that left dim_info as it was
        ((1, 64, 64), (1, 1, 1), None, 0),
        ((64, 1, 64), (1, 1, 1), None, 1),
    ],
)
def test_which_axis_is_that_of_the_slices(shape, steps, stated, axis):
    assert slice_axis(shape, steps, stated) == axis


def test_sform_and_qform_that_disagree_are_said_and_kept(tmp_path, denoised):
    """neuropoly/spinalcordtoolbox#2106, ANTs#500: programs choose one or the other."""
    path = save(tmp_path / "in.nii")
    nifti = nibabel.load(path, mmap=False)
    moved = nifti.affine.copy()
    moved[0, 3] += 12
    nifti.set_qform(moved, code=1)
    nifti.set_sform(nifti.affine, code=2)
    nibabel.save(nifti, path)
    image = read(path, modality="MR")
    assert "place the volume up to 12.0 mm apart" in warnings_of(image)[0]
    after = nibabel.load(write(denoised(image), tmp_path / "out.nii"))
    assert np.allclose(after.get_qform(), moved) and np.allclose(after.get_sform(), nifti.affine)


def test_pixdim_that_the_sform_belies_is_said(tmp_path):
    """nipy/nibabel#668, InsightSoftwareConsortium/ITK#3514: pixdim left at other values than the affine's."""
    path = save(tmp_path / "in.nii")
    change(path, pixdim=[1, 2, 2, 2, 0, 0, 0, 0], qform_code=0)
    image = read(path, modality="MR")
    assert image.spacing == pytest.approx(STEPS[::-1])
    assert "2 x 2 x 2 mm, but its sform 0.8 x 0.9 x 5 mm" in warnings_of(image)[0]


def test_a_header_that_places_nothing_is_said(tmp_path):
    """sform and qform codes 0, as Analyze had it: only the voxel size is known."""
    path = change(save(tmp_path / "in.nii"), sform_code=0, qform_code=0)
    image = read(path, modality="MR")
    assert image.spacing == pytest.approx(STEPS[::-1])
    assert "no place and no direction" in warnings_of(image)[0]


def test_a_qform_alone_is_taken(tmp_path):
    path = change(save(tmp_path / "in.nii"), sform_code=0, qform_code=1, qoffset_x=7)
    assert read(path, modality="MR").source.payload.affine[:3, 3] == pytest.approx([-7, 0, 0])


def test_negative_and_missing_voxel_sizes(tmp_path):
    """A negative pixdim is a flip that the affine holds; without a size there is no geometry."""
    path = change(save(tmp_path / "in.nii"), pixdim=[1, -0.8, 0.9, 5, 0, 0, 0, 0])
    assert read(path, modality="MR").spacing == pytest.approx(STEPS[::-1])
    flat = np.diag([0.8, 0.9, 0, 1.0])
    path = save(tmp_path / "flat.nii")
    change(path, srow_x=flat[0], srow_y=flat[1], srow_z=flat[2])
    with pytest.raises(InputError, match="no size"):
        read(path)


@pytest.mark.parametrize("unit, factor", [("mm", 1), ("meter", 1000), ("micron", 0.001)])
def test_units_of_length(tmp_path, unit, factor):
    affine = np.diag([*(step / factor for step in STEPS), 1.0])
    image = read(save(tmp_path / "in.nii", affine=affine, unit=unit), modality="MR")
    assert image.spacing == pytest.approx(STEPS[::-1])
    assert image.source.payload.affine[2, 2] == pytest.approx(5)
    assert (unit in " ".join(warnings_of(image))) == (unit != "mm")


@pytest.mark.parametrize("code", [0, 5, 7, 58])
def test_a_unit_that_does_not_exist_is_no_bug(tmp_path, code):
    image = read(change(save(tmp_path / "in.nii"), xyzt_units=code), modality="MR")
    assert ("no unit of length" in " ".join(warnings_of(image))) == (code != 58)


@pytest.mark.parametrize("extra", [(1,), (1, 1), (1, 1, 1)])
def test_axes_of_one_are_no_axes(tmp_path, denoised, extra):
    values = volume().reshape((*SHAPE, *extra))
    image = read(save(tmp_path / "in.nii", values), modality="MR")
    assert (image.shape, image.sequence) == ((6, 24, 20), False)
    after = nibabel.load(write(denoised(image, 1), tmp_path / "out.nii"))
    assert np.array_equal(np.asarray(after.dataobj), values + 1)


def test_a_flat_image_is_one_slice(tmp_path, denoised):
    values = volume()[:, :, 0].copy()
    image = read(save(tmp_path / "in.nii", values), modality="MR")
    assert image.shape == (1, 24, 20)
    after = nibabel.load(write(denoised(image, 1), tmp_path / "out.nii"))
    assert np.array_equal(np.asarray(after.dataobj).reshape(values.shape), values + 1)


@pytest.mark.parametrize(
    "slope, inter, voxel", [(0, 7, 100), (np.nan, np.nan, 100), (2, 3, 203), (-1, 5, -95), (np.inf, 0, 100)]
)
def test_scales_of_all_kinds(tmp_path, denoised, slope, inter, voxel):
    """scl_slope of 0 or NaN scales nothing (JuliaNeuroscience/NIfTI.jl#14, nipreps/fmriprep#2507)."""
    path = change(save(tmp_path / "in.nii", np.full(SHAPE, 100, np.int16)), scl_slope=slope, scl_inter=inter)
    image = read(path, modality="MR")
    assert (image.voxels == voxel).all()
    changed = denoised(image, 4)
    again = read(write(changed, tmp_path / "out.nii"), accept_own_output=True)
    assert np.array_equal(again.voxels, changed.voxels)


def test_a_scale_without_an_intercept_is_named(tmp_path):
    path = change(save(tmp_path / "in.nii"), scl_slope=1, scl_inter=np.nan)
    with pytest.raises(InputError, match=r"header is broken.*intercept"):
        read(path)


@pytest.mark.parametrize("kind", [">i2", ">u2", ">f4", ">f8", "<i4", "<u4"])
def test_byte_orders_and_widths_come_back(tmp_path, denoised, kind):
    """Files of another byte order (nipy/nibabel: big-endian NIfTI of older scanners and SPM)."""
    header = nibabel.Nifti1Header(endianness=">" if kind[0] == ">" else "<")
    header.set_xyzt_units("mm")
    header.set_data_dtype(np.dtype(kind))
    nibabel.Nifti1Image(volume().astype(kind), np.diag([*STEPS, 1.0]), header).to_filename(tmp_path / "in.nii")
    image = read(tmp_path / "in.nii", modality="MR")
    assert np.array_equal(image.voxels, volume().T)
    after = nibabel.load(write(denoised(image, 1), tmp_path / "out.nii"))
    assert after.get_data_dtype() == np.dtype(kind)
    assert np.array_equal(np.asarray(after.dataobj), volume() + 1)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (0, 2, 1)])
def test_the_thick_axis_of_volumes_over_time(tmp_path, denoised, axes):
    """A functional series that was reoriented: each frame shows whole slices, and all goes back in its own order."""
    values = np.stack([volume() + 3000 * time for time in range(4)], axis=3).transpose((*axes, 3)).copy()
    affine = np.diag([*STEPS, 1.0])[:, [*axes, 3]]
    image = read(save(tmp_path / "in.nii", values, affine), modality="MR")
    assert image.sequence
    assert sorted(image.spacing[1:]) == pytest.approx(sorted(STEPS[:2]))
    rows = (image.shape[1] + 8) // 6 - 8
    for index in range(6):
        shown = image.voxels[0, index * (rows + 8) :][:rows]
        assert set(np.unique(shown.astype(int) % 6)) == {index}
    after = nibabel.load(write(denoised(image, 1), tmp_path / "out.nii"))
    assert np.array_equal(np.asarray(after.dataobj), values + 1)
    assert np.allclose(after.affine, affine)
