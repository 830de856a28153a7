"""An archive has everything in it; each of it gets a row and a reason, and the rest is indexed."""

import os
import shutil
from pathlib import Path

import pytest
from tests.archive.conftest import Indexer, series_in
from tests.io.conftest import ct_slice, save

from demottle.archive.index.processes import shared_out


def test_what_is_no_scan_gets_a_row_and_a_reason(root: Path, indexed: Indexer) -> None:
    series_in(root / "good")
    (root / "notes.txt").write_text("no scan")
    (root / "empty.dcm").touch()
    (root / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 200)
    (root / "packed.zip").write_bytes(b"PK\3\4" + b"\0" * 300)
    whole = save(ct_slice(0, series="2"), root / "cut.dcm").read_bytes()
    (root / "cut.dcm").write_bytes(whole[: len(whole) - 400])
    save(ct_slice(0, series="3", SeriesInstanceUID=None), root / "nameless.dcm")
    (root / ".hidden").write_bytes(whole)
    found = indexed()
    reasons = {path: row["wrong"] for path, row in indexed.files.items() if row["wrong"]}
    assert reasons.keys() == {"notes.txt", "empty.dcm", "broken.dcm", "packed.zip", "cut.dcm", "nameless.dcm"}
    for path, part in (
        ("notes.txt", "not DICOM"),
        ("empty.dcm", "The file is empty; replace or remove it."),
        ("broken.dcm", "not valid DICOM, or truncated"),
        ("packed.zip", "unpack it"),
        ("nameless.dcm", "no SeriesInstanceUID"),
    ):
        assert part in reasons[path]
    assert (found.series, found.files_wrong, found.hidden) == (1, 6, 1)
    assert str(root) not in "".join(reasons.values())


def test_a_series_with_a_file_that_is_cut_short_says_so(root: Path, indexed: Indexer) -> None:
    path = series_in(root / "a", slices=5)[2]
    path.write_bytes(path.read_bytes()[:-100])
    indexed()
    assert "cut short" in indexed.files["a/1-2.dcm"]["wrong"]
    (row,) = indexed.series
    assert "a/1-2.dcm" in row["wrong"] and "belongs to the series" in row["wrong"]
    shutil.copy(root / "a" / "1-1.dcm", path)  # somebody repairs it, wrongly
    save(ct_slice(2), path)
    indexed()
    assert indexed.series[0]["wrong"] == "" and indexed.series[0]["slices"] == 5


def test_links_in_circles_and_to_nowhere_are_said_and_those_that_lead_out_are_followed(
    root: Path, indexed: Indexer, tmp_path: Path
) -> None:
    series_in(root / "a")
    series_in(tmp_path / "outside", "2")
    (tmp_path / "outside" / "back").symlink_to(root)
    (root / "a" / "circle").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    (root / "again").symlink_to(root / "a")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "twice").symlink_to(tmp_path / "outside")
    (root / "gone.dcm").symlink_to(tmp_path / "gone")
    indexed()
    reasons = {path: row["wrong"] for path, row in indexed.files.items() if row["wrong"]}
    assert reasons.keys() == {"a/circle", "self", "again", "out/back", "twice", "gone.dcm"}
    assert (
        "circle" in reasons["self"]
        and "circle" in reasons["a/circle"]
        and "circle" in reasons["out/back"]
        and "nowhere" in reasons["gone.dcm"]
    )
    assert "looked through anyway" in reasons["again"]
    assert sorted(row["folder"] for row in indexed.series) == ["a", "out"]


def test_what_cannot_be_looked_into_is_said(
    root: Path, indexed: Indexer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series_in(root / "a")
    series_in(root / "locked", "2")
    os.mkfifo(root / "pipe")
    (root / os.fsdecode(b"na\xefve.dcm")).write_bytes(b"x")
    real = os.scandir

    def scandir(path: Path) -> object:
        if isinstance(path, Path) and path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    indexed()
    reasons = {path: row["wrong"] for path, row in indexed.files.items() if row["wrong"]}
    assert reasons.keys() == {"locked", "pipe", "na\\xefve.dcm"}
    assert "Permission denied" in reasons["locked"] and "UTF-8" in reasons["na\\xefve.dcm"]
    assert [row["folder"] for row in indexed.series] == ["a"]


def test_copies_elsewhere_count_once(root: Path, indexed: Indexer) -> None:
    for path in series_in(root / "a"):
        (root / "b").mkdir(exist_ok=True)
        shutil.copy(path, root / "b" / f"copy-{path.name}")
    save(ct_slice(4), root / "b" / "one-more.dcm")
    shutil.copy(root / "a" / "1-0.dcm", root / "a" / "again.dcm")
    indexed()
    (row,) = indexed.series
    assert (row["slices"], row["files"], row["wrong"]) == (5, 5, "")
    reasons = {path: row["wrong"] for path, row in indexed.files.items() if row["wrong"]}
    assert reasons["b/copy-1-0.dcm"] == "A copy of a/1-0.dcm." and len(reasons) == 5
    assert "copy" in reasons["a/again.dcm"]
    assert {one["series"] for one in indexed.files.values()} == {row["key"]}


def test_a_broken_copy_elsewhere_costs_a_remark_and_no_series(root: Path, indexed: Indexer) -> None:
    for path in series_in(root / "a", slices=5):
        (root / "old").mkdir(exist_ok=True)
        shutil.copy(path, root / "old")
    for path, size in (
        (root / "old" / "1-1.dcm", -100),
        (root / "old" / "1-3.dcm", 420),
        (root / "a" / "1-2.dcm", -100),
    ):
        path.write_bytes(path.read_bytes()[:size])
    indexed()
    (row,) = indexed.series
    assert (row["wrong"], row["slices"], row["files"], row["folder"]) == ("", 5, 5, ".")  # from both folders
    assert "old/1-1.dcm is broken; its slice is read from a/1-1.dcm." in row["remarks"]
    assert "a/1-2.dcm is broken; its slice is read from old/1-2.dcm." in row["remarks"]
    wrong = {path: one["wrong"] for path, one in indexed.files.items()}
    assert "cut short" in wrong["old/1-1.dcm"] and "cut short" in wrong["a/1-2.dcm"] and wrong["old/1-2.dcm"] == ""
    shutil.copy(root / "old" / "1-2.dcm", root / "a")
    indexed()
    assert (indexed.series[0]["folder"], indexed.series[0]["wrong"]) == ("a", "")
    (root / "a" / "1-2.dcm").write_bytes((root / "old" / "1-2.dcm").read_bytes()[:-100])
    (root / "old" / "1-2.dcm").unlink()
    indexed()
    assert "a/1-2.dcm" in indexed.series[0]["wrong"] and "belongs to the series" in indexed.series[0]["wrong"]


def test_other_bytes_under_a_sop_instance_uid_are_never_mixed(root: Path, indexed: Indexer) -> None:
    series_in(root / "a", "1")
    series_in(root / "variant", "1", seed=1)
    for number, path in enumerate(series_in(root / "clash", "2")):
        if number == 1:
            save(ct_slice(number, series="2", seed=5), path.with_name("other.dcm"))
    indexed()
    rows = {row["folder"]: row for row in indexed.series}
    assert rows.keys() == {"a", "variant", "clash"}
    assert (rows["a"]["wrong"], rows["variant"]["wrong"]) == ("", "")
    assert "a have the same SOP Instance UIDs" in rows["variant"]["remarks"]
    assert "are not the same slice" in rows["clash"]["wrong"]
    assert "same SOP Instance UID and other content" in indexed.files["clash/other.dcm"]["wrong"]


def test_series_of_two_patients_with_one_uid_stay_apart(root: Path, indexed: Indexer) -> None:
    series_in(root / "a", slices=3)
    for number in range(3, 6):
        save(ct_slice(number, PatientID="0815"), root / "b" / f"{number}.dcm")
        save(ct_slice(number, series="2", PatientID=f"{number}"), root / "c" / f"{number}.dcm")
    indexed()
    rows = {row["folder"]: row for row in indexed.series}
    assert [rows[folder]["wrong"] for folder in "ab"] == ["", ""] and "Another patient" in rows["b"]["remarks"]
    assert "3 patients" in rows["c"]["wrong"]


def _ends_at_four(items: list[int]) -> list[int]:
    if 4 in items:
        os._exit(9)
    return [2 * item for item in items]


@pytest.mark.slow
def test_a_process_that_dies_costs_what_it_was_at_alone() -> None:
    tasks = [[item, item + 1] for item in range(0, 12, 2)]
    done = [
        pair
        for task, found in shared_out(_ends_at_four, tasks, 2, lambda item: -1)
        for pair in zip(task, found, strict=True)
    ]
    assert sorted(done) == [(item, -1 if item == 4 else 2 * item) for item in range(12)]
