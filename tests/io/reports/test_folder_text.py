"""Text of headers and names of files, as others write them.

Character sets that are wrong, missing or misspelled: pydicom/pydicom issues #815 ("Not Supplied"), #363 ("XXX XXXX"), #1328 (GBK,
not declared), #2115 (Windows-1251 declared as something else), #736 (ISO_2022_IR_6), pydicom/pynetdicom #201 (GB18030 and
ISO IR 192). Names of files: Slicer/Slicer #3999, SimpleITK/SimpleITK #1255, dgobbi/vtk-dicom #212, commontk/CTK #404.
"""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from tests.io.reports.checks import assert_written_well, errors_of

from demottle.image import Image
from demottle.io import description_of, read, write

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]
Denoised = Callable[..., Image]
Program = Callable[[str], str]

NAMES = {
    "latin 1": ("ISO_IR 100", "Müller^Jörg".encode("latin-1"), "Schädel nativ".encode("latin-1")),
    "latin 2": ("ISO_IR 101", "Wałęsa^Lech".encode("iso8859-2"), "Głowa".encode("iso8859-2")),
    "latin 5": ("ISO_IR 148", "Çavuşoğlu".encode("iso8859-9"), "Göğüs".encode("iso8859-9")),
    "Cyrillic": ("ISO_IR 144", "Иванов".encode("iso8859-5"), "Голова".encode("iso8859-5")),
    "Greek": ("ISO_IR 126", "Διονυσιος".encode("iso8859-7"), "Κεφαλή".encode("iso8859-7")),
    "Arabic": ("ISO_IR 127", "قباني".encode("iso8859-6"), "رأس".encode("iso8859-6")),
    "Hebrew": ("ISO_IR 138", "שרון".encode("iso8859-8"), "ראש".encode("iso8859-8")),
    "Thai": ("ISO_IR 166", "นามสกุล".encode("tis-620"), "ศีรษะ".encode("tis-620")),
    "Katakana": ("ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", b"\xb1\xc0\xcf"),
    "Kanji": ("\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", b"\x1b$BF,It\x1b(B CT"),
    "Kanji, left open": ("\\ISO 2022 IR 87", b"=\x1b$B;3ED", b"\x1b$BF,It"),
    "Korean": ("\\ISO 2022 IR 149", b"Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", b"\x1b$)C\xb8\xd3\xb8\xae"),
    "GB 18030": ("GB18030", "王^小东".encode("gb18030"), "头部平扫".encode("gb18030")),
    "GBK": ("GBK", "王^小东".encode("gbk"), "头部平扫".encode("gbk")),
    "UTF-8": ("ISO_IR 192", "王^小東".encode(), "頭部 Schädel ✓".encode()),
    "not declared": (None, "Müller".encode("latin-1"), "Schädel".encode("latin-1")),
    "GBK, not declared": (None, "王^小东".encode("gbk"), "头部".encode("gbk")),
    "latin 1 declared as UTF-8": ("ISO_IR 192", "Müller".encode("latin-1"), "Schädel".encode("latin-1")),
    "UTF-8 declared as latin 1": ("ISO_IR 100", "王^小东".encode(), "头部".encode()),
    "cp1251 declared as ASCII": ("ISO 2022 IR 6\\IS", "Иванов".encode("cp1251"), "Голова".encode("cp1251")),
    "GB 18030 and UTF-8": ("GB18030\\ISO_IR 192", "王^小东".encode(), "头部".encode()),
    "misspelled": ("ISO_IR_100", b"M\xfcller", b"Kopf \xfc"),
    "ISO_2022_IR_6": ("ISO_2022_IR_6", b"M\xfcller", b"Kopf \xfc"),
    "no set at all": ("Not Supplied", b"A^B", b"Head \xfc"),
    "an anonymizer's": ("XXX XXXX", b"A^B\xfc", b"Head \xfc"),
}


def source(make: Make, folder: Path, declared: str | None, name: bytes, title: bytes, syntax: str) -> Path:
    """A CT slice whose header holds exactly these bytes, also in an item of a sequence."""
    inner = Dataset()
    inner.RequestedProcedureDescription = "T" * len(title)
    made = make(
        0, PatientName="N" * len(name), SeriesDescription="T" * len(title), DerivationDescription="T" * len(title)
    )
    made.RequestAttributesSequence = Items([inner])
    made.SpecificCharacterSet = "ISO_IR 100" if declared is None else "C" * len(declared)
    made.file_meta.TransferSyntaxUID = syntax
    made.file_meta.MediaStorageSOPClassUID, made.file_meta.MediaStorageSOPInstanceUID = (
        made.SOPClassUID,
        made.SOPInstanceUID,
    )
    if declared is None:
        del made.SpecificCharacterSet
    if syntax == ExplicitVRBigEndian:
        made.PixelData = np.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    data = stream.getvalue().replace(b"N" * len(name), name).replace(b"T" * len(title), title)
    if declared is not None:
        data = data.replace(b"C" * len(declared), declared.encode())
    folder.mkdir()
    (folder / "a.dcm").write_bytes(data)
    return folder


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # the sources are wrong on purpose
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("case", list(NAMES))
def test_every_text_stays_byte_by_byte(
    case: str, syntax: str, make_slice: Make, denoised: Denoised, tmp_path: Path
) -> None:
    declared, name, title = NAMES[case]
    image = read(source(make_slice, tmp_path / "in", declared, name, title, syntax))
    assert description_of(image).isprintable()
    (written,) = write(denoised(image), tmp_path / "out").iterdir()
    data = written.read_bytes()
    assert data.count(name) == 1
    assert data.count(title) == 3  # series, derivation, and the item of a sequence
    back = b"" if not case.endswith("left open") else b"\x1b(B"  # what follows is read as ASCII
    assert title + back + b" [demottle bilateral]" in data
    assert title + back + b" | demottle" in data
    if declared is not None:  # a misspelled one comes out as the standard spells it
        assert declared.replace("ISO_IR_", "ISO_IR ").encode() in data


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize(
    ("declared", "codec", "letter", "kept"),
    [("ISO_IR 192", "utf-8", "頭", 14), ("GB18030", "gb18030", "头", 21), ("ISO_IR 100", "latin-1", "ü", 43)],
)
def test_a_long_description_is_cut_between_characters(
    declared: str,
    codec: str,
    letter: str,
    kept: int,
    make_slice: Make,
    denoised: Denoised,
    program: Program,
    tmp_path: Path,
) -> None:
    """Within 64 bytes, which is what dciodvfy counts."""
    title = (letter * 60).encode(codec)[:60]
    image = read(source(make_slice, tmp_path / "in", declared, b"A^B", title, ExplicitVRLittleEndian))
    (written,) = write(denoised(image), tmp_path / "out").iterdir()
    assert pydicom.dcmread(written).SeriesDescription == letter * kept + " [demottle bilateral]"
    assert not errors_of(written, program)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_kanji_are_cut_between_characters(make_slice: Make, denoised: Denoised, tmp_path: Path) -> None:
    title = b"\x1b$B" + b"F,It" * 32 + b"\x1b(B"
    image = read(source(make_slice, tmp_path / "in", "\\ISO 2022 IR 87", b"A^B", title, ExplicitVRLittleEndian))
    (written,) = write(denoised(image), tmp_path / "out").iterdir()
    assert pydicom.dcmread(written).SeriesDescription == "頭部" * 9 + " [demottle bilateral]"


def test_a_terminal_obeys_no_description(make_slice: Make, save_slice: Save, tmp_path: Path) -> None:
    image = read(save_slice(make_slice(0, SeriesDescription="a\x1b[31mred\nb"), tmp_path / "in" / "a.dcm").parent)
    assert description_of(image) == "a [31mred b"


@pytest.mark.parametrize(
    "name", [b"M\xfcller", b"two\nlines", b" spaces  [red]", ("ü" * 120).encode(), "頭 ✓".encode(), b"x" * 250]
)
def test_folders_of_any_name_are_read_and_written(
    name: bytes, ct: Callable[..., Path], denoised: Denoised, program: Program, tmp_path: Path
) -> None:
    folder = ct().rename(tmp_path / os.fsdecode(name))
    image = read(folder)
    written = write(denoised(image), tmp_path / "out" / os.fsdecode(name))
    assert len(list(written.iterdir())) == 5
    assert_written_well(written.rename(tmp_path / "plain"), image, program)


@pytest.mark.parametrize("suffix", [".nii.gz", ".mha", ".mhd", ".nrrd", ".tif", ".npy"])
@pytest.mark.parametrize("name", [b"sc\xe4n", b"two\nlines", "Schädel".encode()])
def test_files_of_any_name_are_read_and_written(name: bytes, suffix: str, phantom: Image, tmp_path: Path) -> None:
    """ITK aborts on a name that is not UTF-8, and a .mhd names its data file in a line of text."""
    folder = tmp_path / os.fsdecode(b"M\xfcller")
    given = {"spacing": (2.0, 0.9, 0.8)} if suffix == ".npy" else {}
    written = write(phantom, folder / (os.fsdecode(name) + suffix))
    image = read(written, modality="CT", **given)
    again = read(write(image, folder / (os.fsdecode(b"out\xe4") + suffix)), modality="CT", **given)
    assert np.allclose(again.voxels, phantom.voxels)


@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
def test_videos_of_any_name_are_read_and_written(suffix: str, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(10, 240, (4, 64, 64)).astype(np.float32)
    written = write(Image(frames, (1 / 15, 0.4, 0.4), "XA"), tmp_path / os.fsdecode(b"r\xfcn" + suffix.encode()))
    assert read(written).shape == (4, 64, 64)
