"""Files that state far more than they hold are refused by their headers, before anything is unpacked."""

import gzip
import struct
import zlib

import nibabel
import numpy as np
import pytest
import tifffile

from demottle.errors import InputError
from demottle.image import Image
from demottle.io import read
from demottle.io.bombs import refuse_bomb, refuse_deflate_bomb

GIB = 1 << 30


def test_what_takes_a_hundredth_of_its_size_is_no_scan_but_a_small_or_a_full_one_may_be():
    refuse_bomb("a.nii", 100 << 20, 1)
    refuse_bomb("a.nii", GIB, GIB // 50)
    with pytest.raises(InputError, match=r"a.nii states 1 GiB of voxels but stores 1 MiB"):
        refuse_bomb("a.nii", GIB, GIB // 1000)


def test_a_gzipped_nifti_of_nothing_is_refused_before_it_is_unpacked(tmp_path):
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.int16)
    header.set_data_shape((1024, 1024, 1000))
    path = tmp_path / "bomb.nii.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(header.binaryblock + bytes(4) + bytes(1 << 20))
    with pytest.raises(InputError, match="states 1 GiB"):
        read(path, modality="CT")


def test_an_array_full_of_holes_is_refused_by_its_length(tmp_path):
    path = tmp_path / "holes.npy"
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(
            stream, {"descr": "<f4", "fortran_order": False, "shape": (1024, 1024, 512)}
        )
        stream.truncate(stream.tell() + 4 * 1024 * 1024 * 512)
    with pytest.raises(InputError, match="states 2 GiB"):
        read(path, spacing=(1, 1, 1))


def test_a_deflate_stream_that_unpacks_without_end_is_refused_and_an_honest_one_is_not():
    packer = zlib.compressobj(9, wbits=-15)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(400)) + packer.flush()
    with pytest.raises(InputError, match="which no scan"):
        refuse_deflate_bomb("bomb.dcm", bomb)
    honest = zlib.compress(np.random.default_rng(0).integers(0, 4096, 1 << 19).astype("<u2").tobytes(), 1)[2:-4]
    refuse_deflate_bomb("scan.dcm", honest)


def test_pages_of_a_tiff_that_form_a_loop_are_named(tmp_path):
    path = tmp_path / "loop.tif"
    tifffile.imwrite(path, np.zeros((3, 8, 8), np.uint16), photometric="minisblack", metadata=None)
    content = bytearray(path.read_bytes())
    first = struct.unpack("<I", content[4:8])[0]
    link = first + 2 + 12 * struct.unpack("<H", content[first : first + 2])[0]
    content[link : link + 4] = struct.pack("<I", first)
    path.write_bytes(content)
    with pytest.raises(InputError, match="loop"):
        read(path, spacing=(1, 1, 1))


@pytest.mark.parametrize(
    "line, said",
    [
        (b"NDims = 17", "NDims 17"),
        (b"DimSize = 8 8 99999999999", "DimSize"),
        (b"DimSize = 8 0 4", "no voxels"),
        (b"DimSize = 8 8 400", "truncated"),
        (b"ElementSpacing = 1 abc 1", "elementspacing"),
        (b"TransformMatrix = 1 0 0", "9 numbers"),
        (b"ElementType = MET_STRING", "MET_STRING"),
        (b"ElementNumberOfChannels = 3", "several values"),
    ],
)
def test_a_broken_metaimage_header_is_named_before_itk_sees_it(tmp_path, phantom, line, said):
    from demottle.io import write

    path = write(phantom, tmp_path / "scan.mha")
    key = line.partition(b" =")[0]
    lines = path.read_bytes().split(b"\n", 20)
    found = [number for number, text in enumerate(lines) if text.startswith(key)]
    if found:
        lines[found[0]] = line
    else:
        lines.insert(1, line)
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(InputError, match=said):
        read(path)


@pytest.mark.parametrize(
    "key, value", [("dimension", "4"), ("sizes", "8 8"), ("type", "block"), ("sizes", "28 32 4000")]
)
def test_a_broken_nrrd_header_is_named(tmp_path, phantom, key, value):
    from demottle.io import write

    path = write(phantom, tmp_path / "scan.nrrd")
    content = path.read_bytes()
    start = content.index(key.encode() + b":")
    path.write_bytes(content[:start] + f"{key}: {value}".encode() + content[content.index(b"\n", start) :])
    with pytest.raises(InputError, match=r"dimension|type|truncated"):
        read(path)


@pytest.mark.parametrize(
    "header",
    [b"{'descr': '<f4', 'shape': (2,", b"\x00" * 60, b"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 8, 8)}"],
)
def test_a_broken_npy_header_is_named(tmp_path, header):
    path = tmp_path / "broken.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    with pytest.raises(InputError, match=r"readable|no voxels"):
        read(path, spacing=(1, 1, 1))


@pytest.mark.parametrize("spacing", [(1e-9, 1, 1), (1, 1e9, 1), (1, 1, 1e300)])
def test_a_spacing_that_no_scanner_makes_is_refused(spacing):
    with pytest.raises(InputError, match="no scanner produces"):
        Image(np.zeros((2, 8, 8), np.float32), spacing)


def test_a_run_may_be_slow_or_fast_but_its_pixels_are_millimeters():
    assert Image(np.zeros((2, 8, 8), np.float32), (1800, 1, 1), "XA").sequence
    with pytest.raises(InputError, match="5000"):
        Image(np.zeros((2, 8, 8), np.float32), (1 / 15, 5000, 1), "XA")


def test_a_thickness_of_nothing_is_not_known():
    assert Image(np.zeros((2, 8, 8), np.float32), (1, 1, 1), slice_thickness=0).slice_thickness is None
