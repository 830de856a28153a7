"""Formats with one grid hold slices where they lie, or are refused; what is written is where SimpleITK and dcm2niix see it."""

import os
import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK

from demottle.errors import OutputError
from demottle.io import check_output, read, warnings_of, write

GRIDS = [".nii.gz", ".mha", ".mhd", ".nrrd"]
TILTED = [1, 0, 0, 0, round(np.cos(np.deg2rad(15)), 6), round(-np.sin(np.deg2rad(15)), 6)]


def refused(image, suffix, tmp_path):
    said = "tilted|do not lie on one even, straight grid"
    with pytest.raises(OutputError, match=said) as before:
        check_output(image, tmp_path / f"out{suffix}")
    with pytest.raises(OutputError, match=said) as late:
        write(image, tmp_path / f"out{suffix}")
    assert not (tmp_path / f"out{suffix}").exists()
    assert str(before.value) == str(late.value)
    return str(late.value)


def where_itk_sees(path, column, row, index):
    itk = SimpleITK.ReadImage(str(path))
    return np.array(itk.TransformIndexToPhysicalPoint((column, row, index)))


@pytest.mark.parametrize("suffix", GRIDS)
def test_a_jump_in_the_plane_is_refused(ct, tmp_path, suffix):
    """rordenlab/dcm2niix#248: NIfTI needs equidistant slices in one line; here the table moved sideways by 30 mm."""
    image = read(ct(slices=8, ImagePositionPatient=lambda i: [-10 + 30 * (i >= 4), -12, 2.5 * i]))
    assert "Slices 4 and 5 are shifted against each other by 30 mm" in warnings_of(image)[0]
    assert "write DICOM" in refused(image, suffix, tmp_path)
    assert check_output(image, tmp_path / "out") == ()


@pytest.mark.parametrize("suffix", GRIDS)
def test_uneven_slices_are_refused(ct, tmp_path, suffix):
    """A head CT of 2.5 and 7.5 mm (rordenlab/dcm2niix#22, #622): the mean distance is right for none of the slices."""
    image = read(
        ct(slices=8, ImagePositionPatient=lambda i: [0, 0, 2.5 * min(i, 4) + 7.5 * max(i - 4, 0)]), accept_uneven=True
    )
    assert "slice 5 of 8 would lie" in refused(image, suffix, tmp_path)
    assert "no positions" in check_output(image, tmp_path / "out.tif")[0]


@pytest.mark.parametrize("suffix", GRIDS)
def test_orientations_that_differ_by_little_are_refused_where_it_shows(ct, tmp_path, suffix):
    """Cosines that differ by a quarter of a degree, which no one grid holds to 0.1 mm at the far corner of a slice."""
    turned = [[1, 0, 0, 0, round(np.cos(0.0015 * i), 6), round(np.sin(0.0015 * i), 6)] for i in range(4)]
    image = read(ct(slices=4, rows=200, ImageOrientationPatient=lambda i: turned[i]))
    assert "mm off" in refused(image, suffix, tmp_path)


@pytest.mark.parametrize("suffix", GRIDS)
def test_positions_rounded_to_a_tenth_fit(ct, tmp_path, suffix):
    """GE writes positions with few digits (rordenlab/dcm2niix#325)."""
    image = read(ct(slices=40, ImagePositionPatient=lambda i: [-10.04, -12, round(0.625 * i, 1)]))
    out = write(image, tmp_path / f"out{suffix}")
    for index in (0, 13, 39):
        assert np.abs(where_itk_sees(out, 0, 0, index) - [-10.04, -12, 0.625 * index]).max() < 0.1
    assert read(out, modality="CT").spacing[0] == pytest.approx(image.spacing[0], abs=1e-3)


@pytest.mark.parametrize("suffix", GRIDS)
def test_an_oblique_scan_lies_where_it_lay(ct, tmp_path, suffix):
    along, down = np.array([0.8, 0.6, 0]), np.array([0, 0, -1.0])
    normal = np.cross(along, down)
    image = read(ct(ImageOrientationPatient=[*along, *down], ImagePositionPatient=lambda i: list(5 + 2.5 * i * normal)))
    out = write(image, tmp_path / f"out{suffix}")
    wanted = 5 + 2.5 * 3 * normal + 19 * 0.7 * along + 23 * 0.8 * down
    assert np.abs(where_itk_sees(out, 19, 23, 3) - wanted).max() < 0.1
    if suffix == ".nii.gz":
        header = nibabel.load(out).header
        assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)
        assert np.allclose(header.get_sform(), header.get_qform(), atol=1e-3)


@pytest.mark.parametrize("suffix", GRIDS)
def test_cosines_that_are_not_quite_perpendicular_are_opened_by_itk(ct, tmp_path, suffix):
    """ITK refuses a NIfTI whose axes are 0.01 degrees from perpendicular (ITK#3333, SimpleITK#1440): 0.004 mm here."""
    skew = np.deg2rad(0.015)
    image = read(ct(ImageOrientationPatient=[1, 0, 0, round(np.sin(skew), 6), round(np.cos(skew), 6), 0]))
    out = write(image, tmp_path / f"out{suffix}")
    assert np.abs(where_itk_sees(out, 19, 23, 4) - [-10 + 19 * 0.7, -12 + 23 * 0.8, 10]).max() < 0.1


def test_a_tilted_gantry_is_sheared_in_nifti_and_said(ct, tmp_path):
    """dicom2nifti#23: the shear is right in the sform; ITK does not open it (TotalSegmentator#461)."""
    folder = ct(slices=6, ImageOrientationPatient=TILTED)
    image = read(folder)
    (said,) = check_output(image, tmp_path / "out.nii.gz")
    assert "sheared" in said and "ITK" in said
    assert "states 2.5 mm" in said and f"{image.spacing[0]:.4g} mm apart" in said
    nifti = nibabel.load(write(image, tmp_path / "out.nii.gz"))
    seen = (nifti.affine @ [19, 23, 5, 1])[:3] * [-1, -1, 1]
    wanted = np.array([-10, -12, 12.5]) + 19 * 0.7 * np.array(TILTED[:3]) + 23 * 0.8 * np.array(TILTED[3:])
    assert np.abs(seen - wanted).max() < 0.01
    assert int(nifti.header["qform_code"]) == 0
    with pytest.raises(RuntimeError, match="orthonormal direction cosines"):
        SimpleITK.ReadImage(str(tmp_path / "out.nii.gz"))
    again = read(tmp_path / "out.nii.gz", modality="CT")
    assert again.spacing == pytest.approx(image.spacing, abs=1e-4)
    assert "sheared" in warnings_of(again)[0]


@pytest.mark.parametrize("suffix", GRIDS[1:])
def test_a_tilted_gantry_is_refused_elsewhere(ct, tmp_path, suffix):
    assert "tilted" in refused(read(ct(ImageOrientationPatient=TILTED)), suffix, tmp_path)


def test_a_steady_tilt_is_no_jump(ct):
    assert warnings_of(read(ct(ImageOrientationPatient=TILTED))) == ()


def test_a_sheared_nifti_becomes_dicom_where_it_lay_and_no_mha(ct, tmp_path):
    image = read(write(read(ct(slices=6, ImageOrientationPatient=TILTED)), tmp_path / "a.nii.gz"), modality="CT")
    with pytest.raises(OutputError, match="tilted"):
        write(image, tmp_path / "b.mha")
    written = sorted(write(image, tmp_path / "dicom", format="dicom").iterdir())
    last = pydicom.dcmread(written[-1])
    assert [float(v) for v in last.ImagePositionPatient] == pytest.approx([-10, -12, 12.5], abs=0.01)
    assert [float(v) for v in last.ImageOrientationPatient] == pytest.approx(TILTED, abs=1e-5)


@pytest.mark.parametrize("orientation", [[1, 0, 0, 0, 1, 0], [0.8, 0.6, 0, 0, 0, -1], TILTED])
def test_derived_dicom_lies_where_simpleitk_sees_the_source(ct, tmp_path, denoised, orientation):
    normal = np.cross(orientation[:3], orientation[3:])
    folder = ct(
        slices=6, ImageOrientationPatient=orientation, ImagePositionPatient=lambda i: list(5 + 2.5 * i * normal)
    )
    out = write(denoised(read(folder)), tmp_path / "out")
    one, other = (_series(path) for path in (folder, out))
    for point in ((0, 0, 0), (19, 23, 5)):
        places = [np.array(itk.TransformIndexToPhysicalPoint(point)) for itk in (one, other)]
        assert np.abs(places[0] - places[1]).max() < 0.1


def _series(folder):
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


@pytest.mark.parametrize("orientation", [[1, 0, 0, 0, 1, 0], [0.8, 0.6, 0, 0, 0, -1]])
def test_derived_dicom_lies_where_dcm2niix_puts_it(ct, tmp_path, denoised, orientation):
    """Our NIfTI of the source and dcm2niix's NIfTI of our DICOM put every voxel in one place, with one value."""
    program = os.environ.get("DCM2NIIX") or shutil.which("dcm2niix")
    if program is None:
        pytest.skip("dcm2niix is not installed")
    normal = np.cross(orientation[:3], orientation[3:])
    folder = ct(
        slices=6, ImageOrientationPatient=orientation, ImagePositionPatient=lambda i: list(5 + 2.5 * i * normal)
    )
    image = read(folder)
    out = write(denoised(image, 3), tmp_path / "out")
    made = tmp_path / "made"
    made.mkdir()
    subprocess.run([program, "-z", "n", "-f", "a", "-o", made, out], check=True, capture_output=True)
    theirs = nibabel.load(next(Path(made).glob("*.nii")))
    ours = nibabel.load(write(image, tmp_path / "ours.nii.gz"))
    values = np.asarray(theirs.dataobj)
    to_theirs = np.linalg.inv(theirs.affine) @ ours.affine
    for index in ((0, 0, 0), (19, 23, 5), (4, 11, 2)):
        place = (to_theirs @ [*index, 1])[:3]
        assert np.abs(theirs.affine[:3, :3] @ (place - np.rint(place))).max() < 0.1
        assert values[tuple(np.rint(place).astype(int))] == np.asarray(ours.dataobj)[index] + 3


@pytest.mark.parametrize(
    "orientation",
    [
        [0.97, 0.26, 0, -0.26, 0.97, 0],
        [0.9999, 0, 0, 0, 0.9999, 0],
        [1, 0.002, 0, 0, 1, 0],
        [0, 0.707, -0.707, 1, 0, 0],
    ],
)
@pytest.mark.parametrize("suffix", GRIDS)
def test_cosines_of_few_digits_mean_what_itk_makes_of_them(ct, tmp_path, denoised, program, orientation, suffix):
    """Unit vectors that are none: taken as they are, a pixel spacing grows by 0.4 % (SimpleITK#1375, dicom2nifti#160)."""
    rows = columns = 300
    stored = np.random.default_rng(1).integers(900, 1200, (rows, columns))
    normal = np.cross(orientation[:3], orientation[3:])
    places = [[round(float(v), 3) for v in 5 + 2.5 * i * normal / np.linalg.norm(normal)] for i in range(3)]
    folder = ct(slices=3, rows=rows, columns=columns, stored=stored, ImageOrientationPatient=orientation,
                ImagePositionPatient=lambda i: places[i])  # fmt: skip
    image = read(folder)
    assert image.spacing == pytest.approx((2.5, 0.8, 0.7), abs=1e-3)
    there = np.array(_series(folder).TransformIndexToPhysicalPoint((columns - 1, rows - 1, 2)))
    assert (
        np.abs(where_itk_sees(write(image, tmp_path / f"grid{suffix}"), columns - 1, rows - 1, 2) - there).max() < 0.1
    )
    out = write(denoised(image), tmp_path / "out")
    assert np.abs(np.array(_series(out).TransformIndexToPhysicalPoint((columns - 1, rows - 1, 2))) - there).max() < 0.1
    said = subprocess.run([program("dciodvfy"), next(out.iterdir())], capture_output=True, text=True, check=False)
    assert "unit vector" not in said.stdout + said.stderr


def test_rows_and_columns_that_are_not_perpendicular_become_no_dicom(tmp_path):
    affine = np.diag([-0.8, -0.9, 3, 1.0])
    affine[0, 1] = 0.1
    nifti = nibabel.Nifti1Image(np.random.default_rng(1).normal(0, 20, (20, 24, 6)).astype(np.float32), affine)
    nifti.header.set_xyzt_units("mm")
    nifti.to_filename(tmp_path / "in.nii.gz")
    image = read(tmp_path / "in.nii.gz", modality="CT")
    for refuse in (check_output, write):
        with pytest.raises(OutputError, match="not perpendicular"):
            refuse(image, tmp_path / "out", format="dicom")
