"""NRRD and MetaImage as programs other than ITK write them: other axes, byte orders and encodings."""

import gzip

import numpy as np
import pytest
import SimpleITK

from demottle.io import read, write

SHAPE = (6, 24, 20)  # slices, rows, columns
VALUES = np.arange(np.prod(SHAPE)).reshape(SHAPE)


def nrrd(path, *, space, directions, origin, kind="short", endian="little", encoding="raw"):
    dtype = {"short": "i2", "ushort": "u2", "float": "f4", "int": "i4"}[kind]
    data = VALUES.astype(("<" if endian == "little" else ">") + dtype).tobytes()
    header = (
        f"NRRD0004\ntype: {kind}\ndimension: 3\nspace: {space}\nsizes: 20 24 6\nspace directions: {directions}\n"
        f"kinds: domain domain domain\nendian: {endian}\nencoding: {encoding}\nspace origin: {origin}\n\n"
    )
    path.write_bytes(header.encode() + (gzip.compress(data) if encoding == "gzip" else data))
    return path


@pytest.mark.parametrize("kind", ["short", "ushort", "float", "int"])
@pytest.mark.parametrize("endian, encoding", [("little", "raw"), ("big", "raw"), ("big", "gzip")])
def test_nrrd_in_ras_lies_where_it_lay(tmp_path, denoised, kind, endian, encoding):
    """Axes of RAS, as 3D Slicer and teem write them (MIC-DKFZ/BodyPartRegression#12, pnlbwh/ukftractography#61)."""
    path = nrrd(tmp_path / "in.nrrd", space="right-anterior-superior", directions="(-0.8,0,0) (0,-0.9,0) (0,0,3)",
                origin="(10,-20,30)", kind=kind, endian=endian, encoding=encoding)  # fmt: skip
    image = read(path, modality="MR")
    assert image.spacing == pytest.approx((3, 0.9, 0.8))
    assert image.source.payload.affine[:3, 3] == pytest.approx([-10, 20, 30])
    assert np.array_equal(image.voxels, VALUES)
    before, after = (
        SimpleITK.ReadImage(str(name)) for name in (path, write(denoised(image, 1), tmp_path / "out.nrrd"))
    )
    assert after.GetPixelID() == before.GetPixelID()
    assert np.array_equal(SimpleITK.GetArrayFromImage(after), VALUES + 1)
    _same_place(before, after)
    _same_place(before, SimpleITK.ReadImage(str(write(image, tmp_path / "out.nii.gz"))))


@pytest.mark.parametrize("msb", [False, True])
def test_mha_of_either_byte_order(tmp_path, denoised, msb):
    """ElementByteOrderMSB, and a matrix that is not the identity."""
    header = (
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = {msb}\nElementByteOrderMSB = {msb}\n"
        "TransformMatrix = 0 1 0 -1 0 0 0 0 1\nOffset = 1 2 3\nElementSpacing = 0.8 0.9 3\nDimSize = 20 24 6\n"
        "ElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    path = tmp_path / "in.mha"
    path.write_bytes(header.encode() + VALUES.astype(">i2" if msb else "<i2").tobytes())
    image = read(path, modality="MR")
    assert np.array_equal(image.voxels, VALUES)
    before, after = (SimpleITK.ReadImage(str(name)) for name in (path, write(denoised(image, 1), tmp_path / "out.mha")))
    assert np.array_equal(SimpleITK.GetArrayFromImage(after), VALUES + 1)
    _same_place(before, after)
    _same_place(before, SimpleITK.ReadImage(str(write(image, tmp_path / "out.nii.gz"))))


def _same_place(one, other):
    for index in ((0, 0, 0), (19, 23, 5)):
        places = [np.array(image.TransformIndexToPhysicalPoint(index)) for image in (one, other)]
        assert np.abs(places[0] - places[1]).max() < 1e-3
