"""Pixels of another size or number than the header states: decoders cut them and say nothing.

Frames beyond those stated: pydicom/pydicom #2035 and #1666. A table of offsets that lists fragments of one frame:
rordenlab/dcm2niix #995 and #1013. All at https://github.com/OWNER/NAME/issues/NUMBER.
"""

import struct

import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_fragments, itemize_fragment
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless, XRayAngiographicImageStorage

from demottle.errors import InputError
from demottle.io import read

SYNTAXES = (JPEGLSLossless, JPEG2000Lossless, RLELossless)


def _compressed(folder, syntax, **stated):
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.compress(syntax, generate_instance_uid=False)
        for keyword, value in stated.items():
            setattr(dataset, keyword, value)
        dataset.save_as(path)
    return folder


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("stated", [{"Columns": 76}, {"Rows": 92}])
def test_fewer_rows_or_columns_than_are_coded_are_refused(ct, syntax, stated):
    """Seen in this project: four columns fewer in the header were read as rows that run into each other."""
    folder = _compressed(
        ct(stored=np.random.default_rng(5).integers(900, 1200, (96, 80)), Rows=96, Columns=80), syntax, **stated
    )
    with pytest.raises(InputError, match=r"states \d+ x \d+ pixels, but .* are coded; repair the header"):
        read(folder)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("shape", [(96, 80), (95, 81)])
def test_the_size_that_is_coded_is_read(ct, syntax, shape):
    stored = np.random.default_rng(6).integers(900, 1200, shape)
    stored[:, : shape[1] // 2] = 1000  # runs for RLE
    plain = read(ct("plain", stored=stored, Rows=shape[0], Columns=shape[1]))
    coded = read(_compressed(ct("coded", stored=stored, Rows=shape[0], Columns=shape[1]), syntax))
    assert np.array_equal(plain.voxels, coded.voxels)


def _run(make_slice, save_slice, path, syntax, *, table=True):
    stored = np.random.default_rng(4).integers(200, 900, (4, 64, 48))
    dataset = make_slice(SOPClassUID=XRayAngiographicImageStorage, Modality="XA", stored=stored, NumberOfFrames=4, FrameTime="66",
                         rows=64, columns=48, ImagePositionPatient=None, ImageOrientationPatient=None)  # fmt: skip
    save_slice(dataset, path)
    if syntax is not None:
        dataset = pydicom.dcmread(path)
        dataset.compress(syntax, generate_instance_uid=False)
        if not table:
            offsets = next(generate_fragments(dataset.PixelData))
            dataset.PixelData = dataset.PixelData[:4] + bytes(4) + dataset.PixelData[8 + len(offsets) :]
        dataset.save_as(path)
    return stored


@pytest.mark.parametrize("syntax", [None, *SYNTAXES])
@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("frames", [3, 1, None])
def test_frames_beyond_those_stated_are_not_lost_unseen(make_slice, save_slice, tmp_path, syntax, table, frames):
    path = tmp_path / "run.dcm"
    stored = _run(make_slice, save_slice, path, syntax, table=table)
    assert np.array_equal(read(path).voxels, stored - 1024)
    dataset = pydicom.dcmread(path)
    dataset.NumberOfFrames = frames
    if frames is None:
        del dataset.NumberOfFrames
    dataset.save_as(path)
    with pytest.raises(
        InputError, match=r"states \d frames? of 64 x 48 pixels but holds pixels for 4; set NumberOfFrames"
    ):
        read(path)


def test_padding_behind_the_pixels_is_no_frame(ct):
    """Old writers fill up to a block of the disk (pydicom/pydicom #796)."""
    folder = ct()
    plain = read(folder).voxels
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.PixelData += bytes(24 * 20 * 2 - 2)
        dataset.save_as(path)
    assert np.array_equal(read(folder).voxels, plain)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless], ids=lambda uid: uid.name)
def test_a_table_that_lists_the_fragments_of_one_frame(ct, syntax):
    folder = ct(rows=64, columns=48)
    plain = read(folder).voxels
    for path in _compressed(folder, syntax).iterdir():
        dataset = pydicom.dcmread(path)
        _, frame = generate_fragments(dataset.PixelData)
        half = len(frame) // 4 * 2
        table = struct.pack("<II", 0, half + 8)
        items = (table, frame[:half], frame[half:])
        dataset.PixelData = b"".join(map(itemize_fragment, items)) + b"\xfe\xff\xdd\xe0" + bytes(4)
        dataset["PixelData"].VR = "OB"
        dataset.save_as(path)
    assert np.array_equal(read(folder).voxels, plain)
