"""A data set that is cut short is refused when it comes, whatever its transfer syntax; one that is whole is not."""

import logging
from pathlib import Path

import pydicom
import pytest
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pynetdicom import AE, _config
from tests.io.conftest import save
from tests.node.conftest import noisy_series, send, stored

from demottle.node.network import receiving
from demottle.node.network.keeping import look

SYNTAXES = {
    "explicit": uids.ExplicitVRLittleEndian,
    "implicit": uids.ImplicitVRLittleEndian,
    "deflated": uids.DeflatedExplicitVRLittleEndian,
    "big": uids.ExplicitVRBigEndian,
    "rle": uids.RLELossless,
}


def _written(folder: Path, syntax: str) -> Path:
    """An object with something behind its pixels."""
    (one,) = noisy_series(slices=1)
    one.add_new(0xFFFCFFFC, "OB", bytes(64))
    path = save(one, folder / "one.dcm")
    if syntax == "rle":
        read = pydicom.dcmread(path)
        read.compress(uids.RLELossless)
        read.save_as(path)
        return path
    made, read = Dataset(), pydicom.dcmread(path)
    made.update({element.tag: element for element in read})
    made.file_meta = read.file_meta
    made.file_meta.TransferSyntaxUID = SYNTAXES[syntax]
    made.save_as(path, implicit_vr=syntax == "implicit", little_endian=syntax != "big", enforce_file_format=True)
    return path


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_wherever_an_object_is_cut_it_is_not_whole(tmp_path: Path, syntax: str) -> None:
    path = _written(tmp_path, syntax)
    whole = path.read_bytes()
    assert look(path).wrong == "" and look(path).found["TransferSyntaxUID"] == SYNTAXES[syntax]
    said = set()
    for left in (0.2, 0.35, 0.5, 0.9, 0.97):
        path.write_bytes(whole[: int(left * len(whole))])
        said.add(look(path).wrong)
    path.write_bytes(whole[:-2])  # the last byte may be padding
    said.add(look(path).wrong)
    assert said and all("cut short" in one or "cannot be read" in one for one in said), said


def test_frames_that_are_missing_are_missed(tmp_path: Path) -> None:
    path = _written(tmp_path, "rle")
    one = pydicom.dcmread(path)
    one.NumberOfFrames = 3
    one.save_as(path)
    assert look(path).wrong == "1 of 3 frames are there"


@pytest.mark.slow
def test_what_is_deflated_into_nearly_nothing_is_not_unpacked(tmp_path: Path) -> None:
    path = _written(tmp_path, "explicit")
    one = pydicom.dcmread(path)
    one.Rows, one.Columns = 16384, 9000
    one.PixelData = bytes(2 * 16384 * 9000)
    one.file_meta.TransferSyntaxUID = SYNTAXES["deflated"]
    one.save_as(path, implicit_vr=False, little_endian=True)
    assert look(path).wrong == "the data set cannot be read"


def test_a_scanner_is_told_and_the_log_says_why(receiver, tmp_path: Path, caplog, monkeypatch) -> None:
    server, _, told = receiver()
    short, good = noisy_series(slices=2, PatientName="Mustermann-Secret")
    short.PixelData = short.PixelData[:100]
    with caplog.at_level(logging.WARNING, "demottle.node"):
        assert send(server.port, [short, good]) == [receiving.NOT_UNDERSTOOD, 0]
        cut = _written(tmp_path, "explicit")
        cut.write_bytes(cut.read_bytes()[:-500])
        monkeypatch.setattr(_config, "STORE_SEND_CHUNKED_DATASET", True)  # as it is, not read and written anew
        assert _sent_as_it_is(server.port, cut).Status == receiving.NOT_UNDERSTOOD
    assert [one.message for one in caplog.records] == [
        "refused an object from CT1: 100 bytes of pixels, and its shape takes 4608",
        "refused an object from CT1: the data set is cut short",
    ]
    assert [one.SOPInstanceUID for one in stored(told.folder)] == [good.SOPInstanceUID]
    assert list((told.folder / "incoming").iterdir()) == []


def _sent_as_it_is(port: int, path: Path) -> Dataset:
    entity = AE("CT1")
    entity.add_requested_context(uids.CTImageStorage, uids.ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", port, ae_title="DEMOTTLE")
    try:
        return association.send_c_store(path)
    finally:
        association.release()
