"""Compressed pixels: a decoder that a broken stream brings down is an error in a sentence, and the next file is read as ever."""

import os
import signal
import time
import zipfile

import numpy as np
import pytest
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEGLSLossless

from demottle.errors import InputError
from demottle.io import read
from demottle.io.dicom import decoding_process
from demottle.io.dicom.decoding_process import DecodingError, decode
from demottle.io.dicom.files import FileRef


@pytest.fixture
def compressed(make_slice, save_slice, tmp_path):
    """A slice in JPEG-LS, what it holds, and its stream, changed by a function."""

    def make(name="in.dcm", change=bytes):
        dataset = make_slice(rows=48, columns=40)
        stored = dataset.pixel_array.astype(int)
        dataset.compress(JPEGLSLossless, generate_instance_uid=False)
        dataset.PixelData = encapsulate([change(next(generate_frames(dataset.PixelData, number_of_frames=1)))])
        return save_slice(dataset, tmp_path / name), stored

    return make


def test_planes_come_back_as_they_were_stored_also_from_a_zip(compressed, tmp_path):
    path, stored = compressed()
    assert np.array_equal(next(decode(FileRef(path), JPEGLSLossless, [0])), stored)
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.write(path, "a/in.dcm")
    assert np.array_equal(next(decode(FileRef(tmp_path / "in.zip", "a/in.dcm"), JPEGLSLossless, [0])), stored)


def test_a_stream_that_lies_about_its_size_is_refused(compressed):
    def larger(stream):
        at = stream.index(b"\xff\xf7")  # start of frame: length, precision, lines, samples
        return stream[: at + 5] + (60000).to_bytes(2, "big") + (60000).to_bytes(2, "big") + stream[at + 9 :]

    path, _ = compressed(change=larger)
    with pytest.raises(InputError, match="60000 x 60000 are coded"):
        read(path)


def test_a_decoder_that_dies_is_replaced(compressed):
    path, stored = compressed()
    assert np.array_equal(read(path).voxels[0], stored - 1024)
    process = decoding_process._take()
    os.kill(process._popen.pid, signal.SIGKILL)
    process._popen.wait()
    decoding_process._give_back(process)
    assert np.array_equal(read(path).voxels[0], stored - 1024)


def test_a_decoder_that_hangs_is_not_waited_for(compressed, monkeypatch):
    path, _ = compressed()
    monkeypatch.setattr(decoding_process, "_LONGEST", 0.2)  # a stopped process takes no processor time
    process = decoding_process._take()
    os.kill(process._popen.pid, signal.SIGSTOP)
    decoding_process._give_back(process)
    begun = time.monotonic()
    with pytest.raises(DecodingError, match="not done"):
        next(decode(FileRef(path), JPEGLSLossless, [0]))
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("cut", [20, 300, 900])
def test_a_file_that_ends_within_its_stream_is_refused_before_the_decoder(compressed, monkeypatch, cut):
    """Found by the fuzzer: the decoder of JPEG-LS goes on behind the end, and it was called a file without pixels."""
    monkeypatch.setattr(decoding_process, "decode", lambda *given, **more: pytest.fail("the decoder was asked"))
    path, _ = compressed()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - cut])
    with pytest.raises(InputError, match="the file is truncated or broken"):
        read(path)


def test_a_file_that_lacks_only_the_mark_of_its_end_is_read(compressed):
    path, stored = compressed()
    path.write_bytes(path.read_bytes()[:-8])
    assert np.array_equal(read(path).voxels[0], stored - 1024)


def test_a_small_plane_is_waited_for_less_than_a_large_one():
    assert decoding_process._patience(48 * 40) < 3.1 and decoding_process._patience(4096 * 4096) == 6
