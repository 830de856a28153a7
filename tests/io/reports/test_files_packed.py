"""Volumes in files of their own that came broken, under another name, in two files or in another unit.

Compressed MetaImage that reads as a success when its stream is broken or its size is missing: Kitware/MetaIO #142,
InsightSoftwareConsortium/ITK #6692. A checksum that nobody looked at: neheller/kits19 #53. An uncompressed .nii.gz: nipy/nibabel
#898 and #966. Pairs of .hdr and .img: nipy/nibabel #1004 and #589, niivue/niivue #1430. An intercept without a slope:
JuliaNeuroscience/NIfTI.jl #14. Lengths that are not in mm: ANTsX/ANTsPy #514, Slicer/Slicer #7631, BIC-MNI/minc-toolkit #38.
All at https://github.com/OWNER/NAME/issues/NUMBER.
"""

import bz2
import gzip
import struct
import zlib

import nibabel
import numpy as np
import pytest
import SimpleITK

from demottle.errors import InputError
from demottle.io import find_scans, read, warnings_of, write

VALUES = np.random.default_rng(0).integers(-1000, 1000, (5, 24, 20)).astype("<i2")  # slices, rows, columns
AFFINE = np.array([[-0.7, 0, 0, 10], [0, -0.8, 0, 12], [0, 0, 2.5, 3], [0, 0, 0, 1.0]])


def metaimage(path, packed, *, size=True, spacing="ElementSpacing = 0.7 0.8 2.5\n"):
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = True\n"
        + (f"CompressedDataSize = {len(packed)}\n" if size else "")
        + f"DimSize = 20 24 5\n{spacing}ElementType = MET_SHORT\nElementDataFile = "
    )
    if path.suffix == ".mhd":
        path.with_suffix(".zraw").write_bytes(packed)
        path.write_text(f"{header}{path.stem}.zraw\n")
    else:
        path.write_bytes(f"{header}LOCAL\n".encode() + packed)
    return path


@pytest.mark.parametrize("name", ["in.mha", "in.mhd"])
@pytest.mark.parametrize("damage", ["voxels", "checksum", "cut", "slices"])
def test_a_compressed_metaimage_comes_out_whole_or_is_refused(tmp_path, name, damage):
    """ITK says on its screen that it could not unpack, and goes on with what is in memory."""
    packed = bytearray(zlib.compress(VALUES.tobytes()))
    assert np.array_equal(read(metaimage(tmp_path / name, bytes(packed)), modality="CT").voxels, VALUES)
    if damage == "slices":
        packed = bytearray(zlib.compress(VALUES[:3].tobytes()))
    elif damage == "cut":
        del packed[-1000:]
    else:
        packed[-1500 if damage == "voxels" else -1] ^= 0xFF
    with pytest.raises(InputError, match=r"in\.mh[ad] (are|is) truncated.*; replace it"):
        read(metaimage(tmp_path / name, bytes(packed)), modality="CT")


def test_a_compressed_metaimage_without_the_size_of_its_stream(tmp_path):
    """In one file ITK unpacks the header's own text then; in two files the size of the other one is taken."""
    packed = zlib.compress(VALUES.tobytes())
    with pytest.raises(InputError, match=r"does not state CompressedDataSize.*write it again without compression"):
        read(metaimage(tmp_path / "in.mha", packed, size=False), modality="CT")
    assert np.array_equal(read(metaimage(tmp_path / "in.mhd", packed, size=False), modality="CT").voxels, VALUES)


def nrrd(path, more="", *, directions="space directions: (0.7,0,0) (0,0.8,0) (0,0,2.5)\n", pack=None):
    header = (
        "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 20 24 5\nendian: little\n"
        + f"{directions}encoding: {pack or 'raw'}\n{more}"
    )
    data = {"gzip": gzip.compress, "bzip2": bz2.compress, None: bytes}[pack](VALUES.tobytes())
    if path.suffix == ".nhdr":
        path.with_suffix(".raw").write_bytes(data)
        path.write_text(f"{header}data file: {path.stem}.raw\n")
    else:
        path.write_bytes(f"{header}\n".encode() + data)
    return path


@pytest.mark.parametrize("name", ["in.nrrd", "in.nhdr"])
@pytest.mark.parametrize("pack", [None, "gzip"])
def test_nrrd_in_one_or_two_files(tmp_path, denoised, name, pack):
    path = nrrd(tmp_path / name, pack=pack)
    image = read(path, modality="CT")
    assert image.spacing == pytest.approx((2.5, 0.8, 0.7)) and np.array_equal(image.voxels, VALUES)
    assert find_scans(tmp_path) == [path]
    written = write(denoised(image), tmp_path / "out")
    assert written.name == "out.nrrd"
    assert np.array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(written))), VALUES + 3)


def test_what_nrrd_has_that_itk_cannot_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"packed with bzip2.*again with the encoding gzip or raw"):
        read(nrrd(tmp_path / "in.nrrd", pack="bzip2"))
    broken = nrrd(tmp_path / "broken.nrrd", pack="gzip")
    data = bytearray(broken.read_bytes())
    data[-6] ^= 1
    broken.write_bytes(data)
    with pytest.raises(InputError, match=r"broken\.nrrd are truncated or broken"):
        read(broken)


@pytest.mark.parametrize("unit", ["um", "microns", "m", "cm", "inch"])
def test_lengths_in_another_unit_than_mm_are_refused(tmp_path, unit):
    """ITK takes 700 micrometers for 700 mm."""
    more = f'space units: "{unit}" "{unit}" "{unit}"\n'
    with pytest.raises(InputError, match=f"lengths in {unit}; demottle reads NRRD in mm only"):
        read(nrrd(tmp_path / "in.nrrd", more))
    assert read(nrrd(tmp_path / "mm.nrrd", 'space units: "mm" "mm" "mm"\n')).spacing == pytest.approx((2.5, 0.8, 0.7))


def test_a_file_without_a_voxel_size_says_so(tmp_path):
    said = "states no voxel size; 1 mm is assumed"
    for directions in ("", "spacings: nan nan nan\n"):
        assert said in warnings_of(read(nrrd(tmp_path / "in.nrrd", directions=directions), modality="CT"))[0]
    plain = metaimage(tmp_path / "in.mha", zlib.compress(VALUES.tobytes()), spacing="")
    assert said in warnings_of(read(plain, modality="CT"))[0]
    assert warnings_of(read(nrrd(tmp_path / "ok.nrrd"), modality="CT")) == ()


def nifti(path, kind=nibabel.Nifti1Image):
    image = kind(VALUES.T, AFFINE)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("at", [-6, -1, None])
def test_the_checksum_of_a_compressed_nifti_is_looked_at(tmp_path, at):
    """Readers stop where the voxels end, before it."""
    path = nifti(tmp_path / "in.nii.gz")
    data = bytearray(path.read_bytes())
    if at is None:
        del data[-4:]
    else:
        data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"in\.nii\.gz are truncated or broken; replace it"):
        read(path, modality="CT")


def test_several_gzip_streams_one_after_the_other_and_what_follows(tmp_path):
    """As parallel compressors write them; some programs add zeros."""
    data = nifti(tmp_path / "in.nii").read_bytes()
    (tmp_path / "in.nii.gz").write_bytes(gzip.compress(data[:700]) + gzip.compress(data[700:]) + b"\0" * 512)
    assert np.array_equal(read(tmp_path / "in.nii.gz", modality="CT").voxels, VALUES)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_a_name_that_belies_the_compression(tmp_path, denoised, kind):
    """A browser unpacks what it downloads and leaves the name; a script adds a suffix."""
    data = nifti(tmp_path / "a.nii", kind).read_bytes()
    (tmp_path / "in.nii.gz").write_bytes(data)
    (tmp_path / "in.nii").write_bytes(gzip.compress(data))
    for name in ("in.nii.gz", "in.nii"):
        image = read(tmp_path / name, modality="CT")
        assert np.array_equal(image.voxels, VALUES)
        written = write(denoised(image), tmp_path / f"out-{name}")
        assert np.array_equal(np.asarray(nibabel.load(written).dataobj).T, VALUES + 3)


def test_a_pair_of_header_and_voxels(tmp_path, denoised):
    folder = tmp_path / "pair"
    folder.mkdir()
    path = nifti(folder / "scan.hdr", nibabel.Nifti1Pair)
    image = read(folder, modality="CT")
    assert np.array_equal(image.voxels, VALUES) and image.spacing == pytest.approx((2.5, 0.8, 0.7))
    assert find_scans(folder) == [path]
    after = nibabel.load(write(denoised(image), tmp_path / "out"))
    assert (tmp_path / "out.nii.gz").exists() and np.allclose(after.affine, AFFINE)
    assert np.array_equal(np.asarray(after.dataobj).T, VALUES + 3)
    with pytest.raises(InputError, match=r"scan\.img holds the voxels of a pair of files; name its header, scan\.hdr"):
        read(folder / "scan.img")
    (folder / "scan.img").unlink()
    with pytest.raises(InputError, match=r"header without its voxels; put scan\.img beside it"):
        read(path)


def test_analyze_is_refused_because_its_sides_are_not_known(tmp_path):
    nibabel.save(nibabel.AnalyzeImage(VALUES.T, np.diag([0.7, 0.8, 2.5, 1])), tmp_path / "in.hdr")
    with pytest.raises(InputError, match=r"Analyze 7\.5, which does not say what is left"):
        read(tmp_path / "in.hdr")


def test_an_intercept_without_a_slope_is_said(tmp_path):
    """SimpleITK reads such a file 1024 lower than nibabel and the standard do."""
    path = nifti(tmp_path / "in.nii")
    data = bytearray(path.read_bytes())
    struct.pack_into("<ff", data, 112, 0.0, -1024.0)
    path.write_bytes(data)
    image = read(path, modality="CT")
    assert np.array_equal(image.voxels, VALUES)
    assert "states an intercept (-1024) and no slope" in warnings_of(image)[0]
