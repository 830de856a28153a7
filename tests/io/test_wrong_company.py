"""What must not be taken for one scan, or read at all: other people's slices, other frames of reference, pipes, ..."""

import os

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.io import find_scans, read, write


def late(first: str, second: str):
    return lambda index: second if index > 2 else first


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"PatientID": late("1", "2")}, "2 patients"),
        ({"StudyInstanceUID": late("1.2.3", "1.2.4")}, "2 studies"),
        ({"FrameOfReferenceUID": late("1.2.3", "1.2.4")}, "2 frames of reference"),
    ],
)
def test_a_series_over_several_people_or_places_is_refused(ct, changes, said):
    with pytest.raises(InputError, match=said):
        read(ct(**changes))


def test_a_pipe_in_the_folder_is_left_aside(ct):
    folder = ct()
    os.mkfifo(folder / "notes")
    os.mkfifo(folder / "pipe.dcm")
    assert read(folder).shape[0] == 5
    assert find_scans(folder) == [folder]
    for call in (read, find_scans):
        with pytest.raises(InputError, match="neither a file nor a folder"):
            call(folder / "notes")


def test_a_header_names_no_file_elsewhere(tmp_path, phantom):
    (tmp_path / "secret").write_bytes(bytes(4 * phantom.voxels.size))
    path = write(phantom, tmp_path / "in" / "scan.mhd")
    for name in ("../secret", str(tmp_path / "secret")):
        lines = path.read_text().splitlines()
        path.write_text("\n".join([*lines[:-1], f"ElementDataFile = {name}"]) + "\n")
        with pytest.raises(InputError, match="outside of its own folder"):
            read(path)


@pytest.mark.parametrize("side", [1, 3])
def test_padding_that_no_tissue_can_hold_is_padding_however_small(ct, side):
    stored = np.full((24, 20), 1064)
    stored[10 : 10 + side, 8 : 8 + side] = -2000
    image = read(ct(stored=stored, PixelRepresentation=1, BitsStored=16, HighBit=15, PixelPaddingValue=-2000))
    assert image.valid is not None
    assert not image.valid[:, 10 : 10 + side, 8 : 8 + side].any()
    assert image.valid.sum() == image.valid.size - len(image.voxels) * side**2
