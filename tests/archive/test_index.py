"""The index lists what is there, agrees with `demottle.read`, and reads nothing twice."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.archive.conftest import Indexer, series_in
from tests.io.conftest import ct_slice, save

from demottle import io
from demottle.errors import InputError, OutputError
from demottle.events import Progress, Stage


def test_a_row_says_what_the_headers_say(root: Path, indexed: Indexer) -> None:
    for number in range(3):
        made = ct_slice(
            number, ConvolutionKernel="Br40", Exposure=40 + 10 * number, ManufacturerModelName="M", CTDIvol=2.5
        )
        save(made, root / "a" / f"{number}.dcm")
    found = indexed()
    (row,) = indexed.series
    assert (found.series, found.files, found.read, found.files_wrong) == (1, 3, 3, 0)
    told = {"modality": "CT", "manufacturer": "Test", "model": "M", "kernel": "Br40", "kvp": 120.0, "mas": 50.0}
    told |= {"dose": 2.5, "thickness": 2.5, "spacing_slices": 2.5, "spacing_rows": 0.8, "spacing_columns": 0.7}
    told |= {"rows": 24, "columns": 20, "slices": 3, "volumes": 1, "body_part": "CHEST", "description": "Thorax"}
    told |= {"folder": "a", "date": "2020-01-02", "own": False, "files": 3, "wrong": "", "number": "1"}
    assert {name: row[name] for name in told} == told
    assert row["bytes"] == sum(path.stat().st_size for path in root.rglob("*.dcm"))
    assert [row["place"] for row in indexed.files.values()] == [0, 1, 2]
    assert {row["series"] for row in indexed.files.values()} == {row["key"]}


def test_series_are_those_that_read_finds(root: Path, indexed: Indexer) -> None:
    series_in(root / "mixed", "1")
    series_in(root / "mixed", "2", slices=2)
    for number, path in enumerate(series_in(root / "spread", "3")):
        (root / "spread" / f"{number % 2}").mkdir(exist_ok=True)
        path.rename(root / "spread" / f"{number % 2}" / path.name)
    series_in(root / "scout", "4", slices=1, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    series_in(root / "uneven", "5", slices=5)[2].unlink()
    series_in(root / "color", "6", SamplesPerPixel=3, PhotometricInterpretation="RGB", stored=np.zeros((24, 20, 3)))
    for number in range(4):
        save(
            ct_slice(number, series="7", EchoNumbers=number % 2, ImagePositionPatient=[0, 0, number // 2]),
            root / f"e{number}",
        )
    indexed()
    rows = {row["series_uid"]: row for row in indexed.series}
    listed = {one.uid: one for one in io.list_series(root)}
    assert rows.keys() == listed.keys() and len(rows) == 7
    for uid, row in rows.items():
        assert (row["rows"], row["columns"], row["modality"]) == (*listed[uid].matrix, "CT")
        files = [root / path for path, one in indexed.files.items() if one["series"] == row["key"]]
        opened, said = None, ""
        try:
            opened = io.open_files(root / row["folder"], files)
            images = [opened.read(part.number) for part in opened.volumes]
        except InputError as error:
            said = str(error)
        assert bool(said) == bool(row["wrong"]), (row["wrong"], said)
        if opened and not said:
            assert len(images) == row["volumes"] and sum(len(image.voxels) for image in images) == row["slices"]
            assert images[0].spacing[0] == row["spacing_slices"]
    assert sum(bool(row["wrong"]) for row in rows.values()) == 3
    assert {row["folder"] for row in rows.values()} == {"mixed", "spread", "scout", "uneven", "color", "."}


def test_slices_with_a_uid_for_each_place_are_one_series_also_when_they_come_later(
    root: Path, indexed: Indexer
) -> None:
    for number in range(6):
        made = ct_slice(number, series=f"{number}", SeriesNumber=9)
        save(made, root / "a" / f"{number}.dcm")
    late = (root / "a" / "5.dcm").rename(root.parent / "late.dcm")
    indexed()
    assert [row["slices"] for row in indexed.series] == [5]
    late.rename(root / "a" / "5.dcm")
    indexed()
    assert [row["slices"] for row in indexed.series] == [6] == [len(io.read(root / "a").voxels)]
    (root / "a" / "0.dcm").unlink()
    indexed()
    assert [row["slices"] for row in indexed.series] == [5]


def test_only_what_is_new_or_changed_is_read(root: Path, indexed: Indexer) -> None:
    series_in(root / "a", "1")
    series_in(root / "b", "2")
    assert indexed().read == 8
    before = indexed.series
    assert (indexed().read, indexed.series) == (0, before)
    save(ct_slice(4, series="1"), root / "a" / "more.dcm")
    (root / "b" / "2-3.dcm").unlink()
    found = indexed()
    assert (found.read, found.gone, [row["slices"] for row in indexed.series]) == (1, 1, [5, 3])
    assert [row["key"] for row in indexed.series] == [row["key"] for row in before]
    assert all(now["digest"] != then["digest"] for now, then in zip(indexed.series, before, strict=True))
    shutil.rmtree(root / "a")
    assert indexed().series == 1 and "a/more.dcm" not in indexed.files


def test_an_index_that_was_stopped_goes_on(root: Path, indexed: Indexer) -> None:
    for number in range(6):
        series_in(root / f"{number}", f"{number}", slices=16)

    def stop(event: Progress) -> None:
        if event.stage == Stage.INDEX and event.note.startswith("64"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        indexed(listener=stop)
    assert not indexed.archive.series.exists()
    found = indexed()
    assert (found.read, found.files, found.series) == (32, 96, 6)
    assert [row["slices"] for row in indexed.series] == [16] * 6


def test_names_are_kept_only_where_they_are_asked_for(root: Path, indexed: Indexer, tmp_path: Path) -> None:
    series_in(root)
    indexed()
    held = b"".join(path.read_bytes() for path in indexed.archive.folder.rglob("*") if path.is_file())
    assert b"TEST^PATIENT" not in held and b"4711" not in held
    assert {indexed.series[0][name] for name in ("patient", "patient_name")} == {""}
    with pytest.raises(InputError, match="without the names of patients; index into a new folder"):
        indexed(names=True)
    named = Indexer(root, tmp_path / "named")
    named(names=True)
    assert [named.series[0][name] for name in ("patient", "patient_name")] == ["4711", "TEST^PATIENT"]


def test_what_cannot_be_is_refused_and_nothing_is_lost(root: Path, indexed: Indexer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing in .*is its disk there"):
        indexed()
    with pytest.raises(InputError, match="does not exist"):
        Indexer(tmp_path / "nowhere", tmp_path / "x")()
    with pytest.raises(InputError, match="is not a folder"):
        Indexer(save(ct_slice(), tmp_path / "one.dcm"), tmp_path / "x")()
    series_in(root)
    with pytest.raises(OutputError, match="inside the input folder"):
        Indexer(root, root / "archive")()
    indexed()
    for path in root.iterdir():
        path.unlink()
    with pytest.raises(InputError, match="is its disk there"):  # as where a share is not mounted
        indexed()
    assert len(indexed.series) == 1
    series_in(tmp_path / "other")
    with pytest.raises(InputError, match=r"give .* another one"):
        Indexer(tmp_path / "other", indexed.archive.folder)()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="something else"):
        Indexer(tmp_path / "other", tmp_path / "taken")()
