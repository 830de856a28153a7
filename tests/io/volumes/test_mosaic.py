"""A Siemens MOSAIC is a volume: unpacked, placed by its CSA header, and written back as a MOSAIC."""

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.uid import JPEGLSLossless, RLELossless
from tests.io.reports.checks import errors_of
from tests.io.volumes.mosaics import CORNER, GAP, SPACING, TILE, mosaic, volume
from tests.io.volumes.objects import save_all

from demottle.errors import InputError, OutputError
from demottle.io import read, warnings_of, write

SAGITTAL = (0, 1, 0, 0, 0, -1)


@pytest.mark.parametrize("downwards", [False, True])
@pytest.mark.parametrize("axes", [(1, 0, 0, 0, 1, 0), SAGITTAL])
def test_slices_lie_where_the_csa_header_puts_them(tmp_path: Path, downwards: bool, axes: tuple[float, ...]) -> None:
    stored = volume(1)
    image = read(save_all([mosaic(stored, downwards=downwards, axes=axes)], tmp_path / "in"))
    assert image.shape == (7, *TILE) and image.spacing == (GAP, *SPACING)
    in_order = stored[::-1] if downwards else stored  # slices go along the normal of their rows and columns
    np.testing.assert_array_equal(image.voxels, in_order)
    normal = np.cross(axes[:3], axes[3:])
    out = write(image, tmp_path / "out.nii.gz")
    itk = SimpleITK.ReadImage(str(out))
    for index in range(7):
        tile = 6 - index if downwards else index
        wanted = CORNER + normal * GAP * (-tile if downwards else tile)
        assert np.abs(np.array(itk.TransformIndexToPhysicalPoint((0, 0, index))) - wanted).max() < 0.1
    values = SimpleITK.GetArrayFromImage(itk)
    np.testing.assert_array_equal(values, in_order)


def test_a_mosaic_comes_out_as_a_mosaic(tmp_path: Path, denoised: Callable, program: Callable[[str], str]) -> None:
    source = mosaic(volume(2))
    image = read(save_all([source], tmp_path / "in"))
    (written,) = write(denoised(image, 5), tmp_path / "out").iterdir()
    after = pydicom.dcmread(written)
    before = np.frombuffer(source.PixelData, "<u2").reshape(source.Rows, source.Columns)
    tiles = before > 0
    np.testing.assert_array_equal(after.pixel_array, np.where(tiles, before + 5, before))  # unused tiles as they were
    assert after.ImageType[-1] == "MOSAIC" and after.ImagePositionPatient == source.ImagePositionPatient
    assert after[0x0029, 0x1010].value == source[0x0029, 0x1010].value
    assert errors_of(written, program) == []


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_a_compressed_mosaic_is_unpacked(tmp_path: Path, syntax: str) -> None:
    """The size that is coded is that of the whole image, not of a tile."""
    (path,) = save_all([mosaic(volume(2))], tmp_path / "in").iterdir()
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path)
    np.testing.assert_array_equal(read(path).voxels, volume(2))


def test_mosaics_over_time_are_a_series_in_the_order_of_their_times(tmp_path: Path) -> None:
    taken = [mosaic(volume(t), t, AcquisitionTime=f"1000{2 * t:02d}") for t in (3, 1, 4, 2, 5)]
    image = read(save_all(taken, tmp_path / "in"))
    assert image.sequence and image.spacing[0] == 2
    out = nibabel.load(write(image, tmp_path / "out.nii.gz"))
    assert out.shape == (TILE[1], TILE[0], 7, 5) and out.header.get_zooms()[3] == 2
    for index, t in enumerate((1, 2, 3, 4, 5)):
        np.testing.assert_array_equal(np.asarray(out.dataobj)[..., index].T, volume(t))


def test_without_a_csa_header_a_mosaic_is_unpacked_but_only_dicom_can_hold_it(
    tmp_path: Path, denoised: Callable
) -> None:
    image = read(save_all([mosaic(volume(3), csa=False)], tmp_path / "in"))
    assert image.shape == (7, *TILE)
    assert any("CSA header is missing" in warning for warning in warnings_of(image))
    assert len(list(write(denoised(image), tmp_path / "out").iterdir())) == 1
    with pytest.raises(OutputError, match=r"CSA header is missing.*write DICOM"):
        write(image, tmp_path / "out.nii.gz")


def test_a_mosaic_that_does_not_say_how_many_slices_it_holds_is_refused_by_name(tmp_path: Path) -> None:
    folder = save_all([mosaic(volume(4), csa=False, count=False)], tmp_path / "in")
    with pytest.raises(InputError, match=r"Siemens MOSAIC .* does not say how many slices"):
        read(folder)


def test_a_number_that_does_not_fit_the_image_is_refused(tmp_path: Path) -> None:
    broken = mosaic(volume(5), csa=False)
    broken[0x0019, 0x100A].value = 40
    with pytest.raises(InputError, match="holds 40 slices"):
        read(save_all([broken], tmp_path / "in"))


def test_a_broken_csa_header_counts_as_missing(tmp_path: Path) -> None:
    broken = mosaic(volume(6))
    broken[0x0029, 0x1010].value = broken[0x0029, 0x1010].value[:90]
    assert any("CSA header" in warning for warning in warnings_of(read(save_all([broken], tmp_path / "in"))))
