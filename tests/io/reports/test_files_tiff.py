"""TIFF stacks as other programs write them: ImageJ, OME, OpenCV.

Lengths in micrometers: cgohlke/tifffile #152, napari/napari #5165, ilastik/ilastik #3091. LZW, which needs a package beside
tifffile: blink1073/tifffile #63, juglab/n2v #44, SainsburyWellcomeCentre/lasagna #3. Signed numbers of
16 bits: imagej/ImageJ #51, abcucberkeley/cpp-tiff #10, TesterTi/LIDCToolbox #8. All at https://github.com/OWNER/NAME/issues/NUMBER.
"""

import cv2
import numpy as np
import pytest
import tifffile

from demottle.errors import InputError
from demottle.io import read, write

VALUES = np.random.default_rng(0).integers(0, 4000, (5, 24, 20)).astype("<u2")  # slices, rows, columns
SIZE = (2.5, 0.8, 0.7)  # mm


@pytest.mark.parametrize(
    ("unit", "mm"), [("mm", 1), ("um", 1e-3), ("micron", 1e-3), ("\\u00B5m", 1e-3), ("cm", 10), ("inch", 25.4)]
)
def test_imagej_lengths_in_any_unit(tmp_path, unit, mm):
    slices, rows, columns = (length / mm for length in SIZE)
    told = {"spacing": slices, "unit": unit, "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "a.tif", VALUES, imagej=True, resolution=(1 / columns, 1 / rows), metadata=told)
    image = read(tmp_path / "a.tif", modality="CT")
    assert image.spacing == pytest.approx(SIZE, rel=1e-5) and np.array_equal(image.voxels, VALUES)


@pytest.mark.parametrize("unit", ["pixel", ""])
def test_pixels_are_no_length(tmp_path, unit):
    told = {"spacing": 2.5, "unit": unit, "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "a.tif", VALUES, imagej=True, resolution=(1, 1), metadata=told)
    with pytest.raises(InputError, match="states no voxel size; give the spacing in mm"):
        read(tmp_path / "a.tif")
    assert read(tmp_path / "a.tif", spacing=SIZE).spacing == SIZE


def test_an_axis_with_a_unit_of_its_own(tmp_path):
    told = {"spacing": 2500.0, "unit": "mm", "zunit": "um", "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "a.tif", VALUES, imagej=True, resolution=(1 / 0.7, 1 / 0.8), metadata=told)
    assert read(tmp_path / "a.tif").spacing == pytest.approx(SIZE, rel=1e-5)


@pytest.mark.parametrize("ome", [False, True])
def test_channels_and_time_points_are_not_slices(tmp_path, ome):
    """Page after page they would be one volume with each slice several times."""
    path = tmp_path / ("a.ome.tif" if ome else "a.tif")
    for axes, said in (
        ("ZCYX", "holds 2 channels; save the one"),
        ("TZYX", "holds 2 time points of 5 slices; save each"),
    ):
        both = np.stack([VALUES, VALUES], axis=axes.index("C" if "C" in axes else "T"))
        tifffile.imwrite(path, both, imagej=not ome, photometric="minisblack", metadata={"axes": axes})
        with pytest.raises(InputError, match=said):
            read(path, spacing=SIZE)


def test_ome_states_its_lengths(tmp_path):
    told = {"axes": "ZYX", "PhysicalSizeX": 700, "PhysicalSizeY": 800, "PhysicalSizeZ": 2.5, "PhysicalSizeZUnit": "mm"}
    tifffile.imwrite(tmp_path / "a.ome.tif", VALUES, photometric="minisblack", metadata=told)
    image = read(tmp_path / "a.ome.tif", modality="CT")
    assert image.spacing == pytest.approx(SIZE) and np.array_equal(image.voxels, VALUES)


def test_a_large_stack_of_imagej_describes_only_its_first_page(tmp_path):
    """Beyond 4 GB the other pages follow without a word; tifffile counts one page then."""
    told = "ImageJ=1.53t\nimages=5\nslices=5\nunit=mm\nspacing=2.5\n"
    path = tmp_path / "a.tif"
    resolution = (1 / 0.7, 1 / 0.8)
    tifffile.imwrite(path, VALUES[0], description=told, metadata=None, resolution=resolution, photometric="minisblack")
    with path.open("ab") as file:
        file.write(VALUES[1:].tobytes())
    image = read(path, modality="CT")
    assert np.array_equal(image.voxels, VALUES) and image.spacing == pytest.approx(SIZE, rel=1e-5)


@pytest.mark.parametrize("kind", ["u1", "<u2"])
def test_lzw_is_read(tmp_path, denoised, kind):
    """OpenCV compresses so unless told otherwise."""
    values = (VALUES // 16).astype(kind)
    cv2.imwritemulti(str(tmp_path / "a.tif"), list(values))
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert tiff.pages[0].compression.name == "LZW"
    image = read(tmp_path / "a.tif", spacing=SIZE, modality="CT")
    assert np.array_equal(image.voxels, values)
    changed = denoised(image)
    assert np.array_equal(read(write(changed, tmp_path / "out.tif"), accept_own_output=True).voxels, changed.voxels)


@pytest.mark.parametrize(
    "options", [{"bigtiff": True}, {"tile": (16, 16)}, {"byteorder": ">"}, {"compression": "zlib", "predictor": True}]
)
def test_large_tiled_and_compressed(tmp_path, options):
    tifffile.imwrite(tmp_path / "a.tif", VALUES, photometric="minisblack", **options)
    assert np.array_equal(read(tmp_path / "a.tif", spacing=SIZE, modality="CT").voxels, VALUES)


def calibrated(path, stored, curve, slope, intercept):
    told = {
        "spacing": 2.5,
        "unit": "mm",
        "axes": "ZYX",
        "cf": curve,
        "c0": intercept,
        "c1": slope,
        "vunit": "Gray Value",
    }
    tifffile.imwrite(path, stored, imagej=True, resolution=(1 / 0.7, 1 / 0.8), metadata=told)
    return path


def test_signed_numbers_that_imagej_keeps_as_unsigned_ones(tmp_path, denoised):
    """ImageJ holds 16 bits without a sign, and says in a straight line that 32768 is 0: CT came 32768 too high."""
    meant = VALUES.astype(int) - 1000
    path = calibrated(tmp_path / "a.tif", (meant + 32768).astype("<u2"), 0, 1.0, -32768.0)
    image = read(path, modality="CT")
    assert np.array_equal(image.voxels, meant) and image.spacing == pytest.approx(SIZE, rel=1e-5)
    out = write(denoised(image, 2), tmp_path / "b.tif")
    assert np.array_equal(tifffile.imread(out), meant + 2) and tifffile.imread(out).dtype == np.int16
    assert np.array_equal(read(out, accept_own_output=True).voxels, meant + 2)


def test_a_straight_line_with_a_slope_and_a_curve(tmp_path, denoised):
    image = read(calibrated(tmp_path / "a.tif", VALUES, 0, 0.5, 10.0))
    assert np.array_equal(image.voxels, 0.5 * VALUES + 10)
    out = write(denoised(image, 2), tmp_path / "b.tif")
    assert np.array_equal(read(out, accept_own_output=True).voxels, 0.5 * VALUES + 12)
    with pytest.raises(InputError, match=r"by a curve of ImageJ \(cf=3\)"):
        read(calibrated(tmp_path / "c.tif", VALUES, 3, 1.0, 0.0))
