"""What holds for every row of FORMATS: the contract that a new format is held to, by being listed."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demottle.errors import DemottleError, InputError, OutputError
from demottle.image import Image
from demottle.io import check_output, read, write
from demottle.io.formats import FORMATS, Given, format_of, stem_of

SPACING = (2.0, 0.9, 0.8)
FRAMES = ("mp4", "avi")  # hold gray frames of 8 bits
LOSES = {"mp4": 8.0}  # gray values, by its compression
ROWS = [pytest.param(row, id=name) for name, row in FORMATS.items()]
SUFFIXES = [suffix for row in FORMATS.values() for suffix in row.suffixes]


def made(name: str) -> Image:
    """Whole numbers from 0 to 250, which every format holds."""
    z, y, x = np.mgrid[:4, :32, :28]
    voxels = np.rint(100 + 40 * np.sin(y / 5) + 30 * np.cos(x / 6) + 20 * z).astype(np.float32)
    return Image(voxels, SPACING, "XA") if name in FRAMES else Image(voxels, SPACING, "CT", "HU")


def said(row: Any) -> dict[str, Any]:
    """What a user has to say of a file that does not say it."""
    given = {"spacing": SPACING, "modality": "XA" if row.name in FRAMES else "CT"}
    return {name: value for name, value in given.items() if name not in row.states}


@pytest.mark.parametrize("row", ROWS)
def test_an_image_comes_back(row: Any, tmp_path: Path) -> None:
    image = made(row.name)
    path = write(image, tmp_path / "out", format=row.name)
    assert path == tmp_path / f"out{row.default_suffix}"
    again = read(path, **said(row))
    assert np.abs(again.voxels - image.voxels).max() <= LOSES.get(row.name, 0.0)
    assert again.spacing == pytest.approx(SPACING, rel=1e-3)
    assert (again.modality, again.unit) == (image.modality, image.unit)
    assert again.source is not None
    assert again.source.format == row.name


@pytest.mark.parametrize("row", ROWS)
def test_the_sources_own_format_is_what_is_written(row: Any, tmp_path: Path) -> None:
    """And voxels that nobody changed keep the values that the file held."""
    image = read(write(made(row.name), tmp_path / "in", format=row.name), **said(row))
    path = write(image.with_voxels(image.voxels), tmp_path / "out")
    assert path.name == f"out{row.default_suffix}"
    again = read(path, accept_own_output=True, **said(row))
    assert np.abs(again.voxels - image.voxels).max() <= LOSES.get(row.name, 0.0)


@pytest.mark.parametrize("row", ROWS)
def test_what_is_there_is_replaced_only_where_that_is_asked_for(row: Any, tmp_path: Path) -> None:
    image = made(row.name)
    path = write(image, tmp_path / "out", format=row.name)
    with pytest.raises(OutputError, match="exists already"):
        write(image, tmp_path / "out", format=row.name)
    assert write(image, tmp_path / "out", format=row.name, overwrite=True) == path
    with pytest.raises(OutputError, match="input"):
        write(read(path, **said(row)), path, overwrite=True)


@pytest.mark.parametrize("row", ROWS)
def test_what_the_file_states_cannot_be_given(row: Any, tmp_path: Path) -> None:
    path = write(made(row.name), tmp_path / "out", format=row.name)
    known = {field.name for field in fields(Given)}
    assert set(row.states) <= known
    for name in row.states:
        with pytest.raises(InputError, match=f"{name} cannot be given here, because {row.title} states it itself"):
            read(path, **{**said(row), name: {"spacing": SPACING, "modality": "CT"}[name]})


@pytest.mark.parametrize("suffix", [*SUFFIXES, *(suffix for row in FORMATS.values() for suffix in row.reads_too)])
@pytest.mark.parametrize("content", [b"", b"\0" * 400, b"not an image at all, but a page of text\n" * 20])
def test_a_broken_file_is_one_sentence_that_names_it(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    row = FORMATS[str(format_of(path))]
    with pytest.raises(
        InputError, match=rf"broken{re.escape(suffix)} (is not|is empty|holds no DICOM).*(replace|name a DICOM)"
    ):
        read(path, **said(row))


@pytest.mark.parametrize("row", ROWS)
def test_a_truncated_file_is_refused(row: Any, tmp_path: Path) -> None:
    path = write(made(row.name), tmp_path / "out", format=row.name)
    for file in path.iterdir() if path.is_dir() else [path]:
        file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(InputError, match=r"(out|image-0001)[.\w]* (is not|is a broken).*; replace"):
        read(path, **said(row))


@pytest.mark.parametrize("row", ROWS)
def test_uneven_slices_are_refused_or_what_is_lost_is_said(row: Any, ct: Any, tmp_path: Path) -> None:
    """Only a format that keeps each slice's own place takes them without a word."""
    positions = (0.0, 2.5, 5.0, 9.0, 11.5)
    image = read(ct(ImagePositionPatient=lambda i: [-10, -12, positions[i]]), accept_uneven=True)
    try:
        told = check_output(image, tmp_path / "out", row.name)
    except DemottleError as error:
        told = (str(error),)
    assert bool(told) == (row.positions != "each")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_suffix_stands_for_one_format(suffix: str) -> None:
    assert sum(suffix in (*row.suffixes, *row.reads_too) for row in FORMATS.values()) == 1
    assert stem_of(Path(f"a.b{suffix}")) == "a.b"
