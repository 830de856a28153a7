"""Files that are refused by what they are, and a NIfTI whose voxels begin within its header.

FreeSurfer's, Philips' and other formats handed in for NIfTI: nipy/nibabel #898, xiangruili/dicm2nii #11. Voxels at another place
than vox_offset: epam/mriviewer #249, neuroneural/brainchop-cli #34, rii-mango/NIFTI-Reader-JS #55. All at
https://github.com/OWNER/NAME/issues/NUMBER.
"""

import gzip
import struct

import nibabel
import numpy as np
import pytest

from demottle.errors import InputError
from demottle.io import read

HEADS = {
    "a.mgz": (gzip.compress(b"\0\0\0\1" * 99), "a volume of FreeSurfer"),
    "a.par": (b"# === DATA DESCRIPTION FILE ===", "half of a pair of Philips PAR and REC"),
    "a.mnc": (b"CDF\1" * 99, "a MINC file"),
    "a.npz": (b"PK\3\4" * 99, "an archive of NumPy arrays"),
    "a.png": (b"\x89PNG\r\n\x1a\n" * 99, "a picture"),
    "a.JPG": (b"\xff\xd8\xff\xe0" * 99, "a picture"),
    "a.raw": (b"1" * 400, "bare bytes without a header"),
    "a.img": (b"1" * 400, "voxels without their header"),
}


@pytest.mark.parametrize("name", HEADS)
def test_another_format_is_named(tmp_path, name):
    content, said = HEADS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(
        InputError, match=f"{name} is {said}, which demottle does not read; convert it to .* NIfTI, MHA"
    ):
        read(tmp_path / name)


def test_a_slice_by_the_name_of_a_picture_is_read(ct, tmp_path):
    path = next(ct(slices=1).iterdir()).rename(tmp_path / "slice.jpg")
    assert read(path).shape == (1, 24, 20)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_voxels_that_begin_within_the_header_are_refused(tmp_path, version, suffix):
    kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    nifti = kind(np.ones((20, 24, 6), np.int16), np.eye(4))
    nifti.header.set_xyzt_units("mm")
    path = tmp_path / f"in{suffix}"
    nifti.to_filename(tmp_path / "in.nii")
    at, value = (108, struct.pack("<f", 0)) if version == 1 else (168, struct.pack("<q", 0))
    data = bytearray((tmp_path / "in.nii").read_bytes())
    data[at : at + len(value)] = value
    path.write_bytes(gzip.compress(bytes(data)) if suffix == ".nii.gz" else bytes(data))
    with pytest.raises(InputError, match=r"voxels begin at byte 0 \(vox_offset\), within its own header"):
        read(path)
