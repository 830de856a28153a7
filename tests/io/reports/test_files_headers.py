"""Headers of NRRD and MetaImage that leave out, skip or turn something.

`space dimension` in place of `space`, spacings alone: mhe/pynrrd #5, JuliaImages/Images.jl #86. `none` among the directions:
natverse/nat #385, Slicer/Slicer #863. Bytes and lines to skip: natverse/nat #236 and #237. HeaderSize -1: BioMedIA/deepali #148.
Offsets with exponents: InsightSoftwareConsortium/ITK #2602. All at https://github.com/OWNER/NAME/issues/NUMBER.
"""

import gzip

import numpy as np
import pytest
import SimpleITK

from demottle.errors import InputError
from demottle.io import read, warnings_of, write

SHAPE = (6, 24, 20)  # slices, rows, columns
VALUES = np.random.default_rng(0).integers(-900, 900, SHAPE).astype("<i2")
NRRD = "NRRD0004\ntype: short\ndimension: 3\nsizes: 20 24 6\nendian: little\nencoding: raw\n"


def nrrd(path, fields, *, data=None, text=NRRD):
    path.write_bytes(f"{text}{fields}\n\n".encode() + (VALUES.tobytes() if data is None else data))
    return path


def where(path):
    itk = SimpleITK.ReadImage(str(path))
    return np.array(
        [itk.TransformIndexToPhysicalPoint(index) for index in ((0, 0, 0), (19, 0, 0), (0, 23, 0), (0, 0, 5))]
    )


@pytest.mark.parametrize(
    ("fields", "spacing"),
    [
        ("space dimension: 3\nspace directions: (0.7,0,0) (0,0.8,0) (0,0,2.5)\nspace origin: (1,2,3)", (2.5, 0.8, 0.7)),
        ("space directions: (0.7,0,0) (0,0.8,0) (0,0,2.5)\nspace dimension: 3\nspace origin: (1,2,3)", None),
        ("spacings: 0.7 0.8 2.5", (2.5, 0.8, 0.7)),
        ("spacings: 0.7 0.8 2.5\naxis mins: 1 2 3", (2.5, 0.8, 0.7)),
        (
            "space: 3D-right-handed\nspace directions: (0.7,0,0) (0,0.8,0) (0,0,2.5)\nspace origin: (1,2,3)",
            (2.5, 0.8, 0.7),
        ),
        ("space: LAS\nspace directions: (0.7,0,0) (0,0.8,0) (0,0,2.5)\nspace origin: (1,2,3)", (2.5, 0.8, 0.7)),
    ],
)
def test_nrrd_without_a_named_space(tmp_path, denoised, fields, spacing):
    """Read as ITK reads it, and put back where ITK sees it; or one sentence where ITK refuses it."""
    path = nrrd(tmp_path / "in.nrrd", fields)
    if spacing is None:
        with pytest.raises(InputError, match="is not a readable image"):
            read(path)
        return
    image = read(path, modality="CT")
    assert image.spacing == pytest.approx(spacing) and np.array_equal(image.voxels, VALUES)
    out = write(denoised(image, 1), tmp_path / "out.nrrd")
    assert np.abs(where(out) - where(path)).max() < 0.1
    other = write(image, tmp_path / "out.mha")
    assert np.abs(where(other) - where(path)).max() < 0.1


@pytest.mark.parametrize(
    ("sizes", "directions"),
    [("1 20 24 6", "none (0.7,0,0) (0,0.8,0) (0,0,2.5)"), ("20 24 6 1", "(0.7,0,0) (0,0.8,0) (0,0,2.5) none")],
)
def test_an_axis_of_none_with_one_value_is_no_axis_or_is_refused(tmp_path, sizes, directions):
    text = NRRD.replace("dimension: 3", "dimension: 4").replace("sizes: 20 24 6", f"sizes: {sizes}")
    path = nrrd(tmp_path / "in.nrrd", f"space: LPS\nspace directions: {directions}\nspace origin: (0,0,0)", text=text)
    with pytest.raises(InputError, match="demottle needs one 3-D volume of single values"):
        read(path)


def test_none_for_one_of_three_axes_is_refused(tmp_path):
    path = nrrd(tmp_path / "in.nrrd", "space dimension: 2\nspace directions: none (0.7,0) (0,0.8)\nspace origin: (0,0)")
    with pytest.raises(InputError, match="is not a readable image"):
        read(path)


@pytest.mark.parametrize(
    ("skip", "before"),
    [("byte skip: 11", b"x" * 11), ("line skip: 2", b"one\ntwo\n"), ("byte skip: -1", b"y" * 17)],
)
def test_detached_nrrd_that_skips(tmp_path, denoised, skip, before):
    (tmp_path / "in.raw").write_bytes(before + VALUES.tobytes())
    path = tmp_path / "in.nhdr"
    path.write_text(f"{NRRD}spacings: 0.7 0.8 2.5\n{skip}\ndata file: in.raw\n")
    image = read(path, modality="CT")
    assert np.array_equal(image.voxels, VALUES)
    assert np.array_equal(
        read(write(denoised(image, 1), tmp_path / "o.nrrd"), accept_own_output=True).voxels, VALUES + 1.0
    )


def test_detached_nrrd_packed_in_gzip(tmp_path):
    (tmp_path / "in.raw.gz").write_bytes(gzip.compress(VALUES.tobytes()))
    path = tmp_path / "in.nhdr"
    path.write_text(f"{NRRD.replace('raw', 'gzip')}spacings: 0.7 0.8 2.5\ndata file: in.raw.gz\n")
    assert np.array_equal(read(path, modality="CT").voxels, VALUES)


MHD = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n{more}"
    "ElementSpacing = 0.7 0.8 2.5\nDimSize = 20 24 6\nElementType = MET_SHORT\nElementDataFile = in.raw\n"
)


@pytest.mark.parametrize(("size", "before"), [("-1", b"z" * 23), ("23", b"z" * 23), ("0", b"")])
def test_metaimage_that_skips(tmp_path, denoised, size, before):
    (tmp_path / "in.raw").write_bytes(before + VALUES.tobytes())
    path = tmp_path / "in.mhd"
    path.write_text(MHD.format(more=f"HeaderSize = {size}\n"))
    image = read(path, modality="CT")
    assert np.array_equal(image.voxels, VALUES)
    assert np.array_equal(
        read(write(denoised(image, 1), tmp_path / "o.mha"), accept_own_output=True).voxels, VALUES + 1.0
    )


@pytest.mark.parametrize(
    "matrix", ["0 1 0 1 0 0 0 0 1", "0 0 1 1 0 0 0 1 0", "-1 0 0 0 -1 0 0 0 1", "1 0 0 0 0.8 0.6 0 -0.6 0.8"]
)
def test_metaimage_with_a_turned_matrix_lies_where_it_lay(tmp_path, denoised, matrix):
    (tmp_path / "in.raw").write_bytes(VALUES.tobytes())
    path = tmp_path / "in.mhd"
    path.write_text(MHD.format(more=f"TransformMatrix = {matrix}\nOffset = -35.995 1e2 6.95279e-310\n"))
    image = read(path, modality="CT")
    assert image.spacing == pytest.approx((2.5, 0.8, 0.7)) and np.array_equal(image.voxels, VALUES)
    for name in ("out.mhd", "out.nrrd", "out.nii.gz"):
        out = write(denoised(image, 1), tmp_path / name)
        assert np.abs(where(out) - where(path)).max() < 0.1
    assert not [text for text in warnings_of(image) if "size" in text]


def metaimage(path, more):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(VALUES), str(path))
    path.write_bytes(path.read_bytes().replace(b"ElementSpacing", f"{more}\nElementSpacing".encode(), 1))
    return path


@pytest.mark.parametrize("unit", ["um", "cm", "m"])
def test_lengths_of_a_metaimage_in_another_unit_are_refused(tmp_path, unit):
    """ITK takes 700 micrometers for 700 mm."""
    with pytest.raises(InputError, match=f"lengths in {unit}; demottle reads MetaImage in mm only"):
        read(metaimage(tmp_path / "in.mha", f"DistanceUnits = {unit}"))
    assert read(metaimage(tmp_path / "mm.mha", "DistanceUnits = mm"), modality="CT").spacing == (1, 1, 1)


def test_a_straight_line_in_a_metaimage_that_itk_ignores_is_said(tmp_path):
    line = "ElementToIntensityFunctionSlope = {}\nElementToIntensityFunctionOffset = {}"
    image = read(metaimage(tmp_path / "in.mha", line.format(2, -1000)), modality="CT")
    assert np.array_equal(image.voxels, VALUES)
    assert "Slope 2 and Offset -1000" in " ".join(warnings_of(image))
    usual = read(metaimage(tmp_path / "usual.mha", line.format(1, 0)), modality="CT")
    assert "Slope" not in " ".join(warnings_of(usual))


@pytest.mark.parametrize("kind", ["list", "vector", "RGB-color"])
def test_an_axis_that_is_none_of_space_is_named(tmp_path, kind):
    fields = f"space: LPS\nspace directions: (0.7,0,0) (0,0.8,0) (0,0,2.5)\nkinds: domain domain {kind}"
    with pytest.raises(InputError, match=f"an axis of the kind {kind}, not of space"):
        read(nrrd(tmp_path / "in.nrrd", fields))


def test_values_without_an_order_of_bytes_are_named(tmp_path):
    with pytest.raises(InputError, match="does not state the order of its bytes"):
        read(nrrd(tmp_path / "in.nrrd", "spacings: 0.7 0.8 2.5", text=NRRD.replace("endian: little\n", "")))
