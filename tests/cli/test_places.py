"""Where results go, whole or not at all."""

import tempfile
from pathlib import Path

import pytest
from tests.cli.conftest import Demottle

from demottle.cli.places import Places, places_for
from demottle.errors import OutputError
from demottle.io.output import refuse_inputs, refuse_unwritable


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_page_goes_beside_the_scan_so_that_the_scan_can_go_to_a_pacs(tmp_path: Path) -> None:
    places = places_for(tmp_path / "out", None)
    assert places.page == tmp_path / "out-report" / "report.html"
    assert places.record == tmp_path / "out-report" / "run.json"
    assert places_for(tmp_path / "a.b.nii.gz", None).page == tmp_path / "a.b-report" / "report.html"


def test_a_page_can_be_named_and_left_out(tmp_path: Path) -> None:
    named = places_for(tmp_path / "out", tmp_path / "page.html")
    assert (named.page, named.record) == (tmp_path / "page.html", tmp_path / "page.json")
    folder = places_for(tmp_path / "out", tmp_path / "pages")
    assert folder.page == tmp_path / "pages" / "report.html"
    assert places_for(tmp_path / "out", None, page=False) == Places(tmp_path / "out")


def test_the_original_is_never_replaced(tmp_path: Path) -> None:
    scan = tmp_path / "scan"
    scan.mkdir()
    for output, said in ((scan, "is an input"), (scan / "out", "lies inside"), (scan / ".." / "scan", "is an input")):
        with pytest.raises(OutputError, match=f"{output} {said}"):
            places_for(output, None, page=False).refuse_inputs([None, scan])
    places_for(tmp_path / "scan-2", None).refuse_inputs([scan])
    with pytest.raises(OutputError, match=r"holds the input .*scan, which would be lost"):
        refuse_inputs([tmp_path], [scan])
    refuse_inputs([tmp_path], [scan, tmp_path / "not there"], added=True)


def test_results_appear_together_at_the_end(tmp_path: Path) -> None:
    final = places_for(tmp_path / "out", None, model=tmp_path / "models" / "a.safetensors")
    with final.publishing(overwrite=False) as names:
        for name in (names.output, names.page, names.record, names.model):
            assert name is not None
            name.write_text("content")
        for path in (final.output, final.page, final.record, final.model):
            assert path is not None
            assert not path.exists()
    assert everything_in(tmp_path) == [
        "models",
        "models/a.safetensors",
        "out",
        "out-report",
        "out-report/report.html",
        "out-report/run.json",
    ]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OutputError, SystemExit])
def test_nothing_is_left_when_it_does_not_end_well(tmp_path: Path, failure: type[BaseException]) -> None:
    final = places_for(tmp_path / "deep" / "out", None)
    with pytest.raises(failure), final.publishing(overwrite=False) as names:
        assert names.page is not None
        names.page.write_text("half a page")
        raise failure
    assert everything_in(tmp_path) == []


def test_a_taken_name_is_found_before_the_work(tmp_path: Path) -> None:
    places = places_for(tmp_path / "out", None)
    places.refuse_existing()
    assert places.page is not None
    places.page.parent.mkdir()
    places.page.write_text("an earlier page")
    with pytest.raises(OutputError, match=r"report\.html exists already.*--overwrite"):
        places.refuse_existing()


def test_a_place_that_cannot_be_written_is_found_before_the_work(tmp_path: Path) -> None:
    places_for(tmp_path / "deep" / "out", None).refuse_unwritable()
    (tmp_path / "file").write_text("content")
    for places in (Places(tmp_path / "file" / "out"), places_for(tmp_path / "out", tmp_path / "file" / "page.html")):
        with pytest.raises(OutputError, match=r"file is a file, but a folder is needed there"):
            places.refuse_unwritable()
    assert everything_in(tmp_path) == ["file"]


def test_denoise_asks_whether_it_may_write_before_it_reads(
    tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*args: object, **kwargs: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    (tmp_path / "scan.npy").write_bytes(b"not even a scan")
    result = demottle("denoise", tmp_path / "scan.npy", "-o", tmp_path / "new" / "out.npy")
    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert f"Nothing can be written to the folder {tmp_path} (Permission denied)" in said and "Reading" not in said
    assert everything_in(tmp_path) == ["scan.npy"]


def test_a_folder_that_is_there_is_not_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **kwargs: object) -> str:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    with pytest.raises(OutputError, match=f"^Nothing can be written to the folder {tmp_path}; choose one that you may"):
        refuse_unwritable(tmp_path)
