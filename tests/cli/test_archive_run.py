"""`demottle archive run` and `report` as a user meets them: refusals in a sentence, and a run from beginning to page."""

import json
import shutil
from pathlib import Path

import pytest
from tests.archive.run.small import quickly, small_archive
from tests.cli.conftest import Demottle

from demottle.archive.layout import Archive, Told


@pytest.fixture
def data(tmp_path: Path, made: Path) -> str:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    archive = Archive(tmp_path / "data")
    archive.tell(Told(str(tmp_path / "scans")))
    return str(archive.folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    small_archive(folder, 2)
    return folder


def _last(text: str) -> str:
    return " ".join(text.split())


def test_a_run_from_its_beginning_to_its_page(
    data: str, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demottle.archive.run.tasks.denoise.run", quickly)
    ran = demottle("archive", "run", data, "-o", str(tmp_path / "out"), "--json")
    assert ran.exit_code == 0 and json.loads(ran.stdout)["done"] == 2
    again = demottle("archive", "run", data)
    assert again.exit_code == 0 and "2 of 2 series are done" in _last(again.stderr)
    page = tmp_path / "page.html"
    told = demottle("archive", "report", data, "-o", str(page))
    assert told.exit_code == 0 and "2 series" in told.stderr and "P0/S1" in page.read_text()
    twice = demottle("archive", "report", data, "-o", str(page))
    assert twice.exit_code == 2 and "exists already" in twice.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--verb", "erase", "-o", "out"], "is not what a run can do"),
        ([], "give it with -o OUT"),
        (["-o", "scans/out"], "lies inside the input folder"),
        (["-o", "data"], "is an input"),
        (["-o", "."], "holds the input"),
        (["-o", "full"], "is not empty"),
        (["-o", "out", "--name", "../x"], "is not a name for a run"),
        (["--verb", "inspect", "-o", "out"], "writes no images"),
        (["--verb", "evaluate"], "holds no run 'denoise'"),
        (["-o", "out", "--to", "nowhere.toml"], "There is no configuration nowhere.toml"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(
    words: list[str], said: str, data: str, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    ran = demottle("archive", "run", data, *words)
    assert ran.exit_code == 2 and said in _last(ran.stderr), ran.stderr
    assert not (tmp_path / "out").exists() and not (tmp_path / "data/runs").exists()


def test_a_folder_that_is_no_archive_and_a_run_that_was_not_begun(
    data: str, tmp_path: Path, demottle: Demottle
) -> None:
    ran = demottle("archive", "run", str(tmp_path), "-o", str(tmp_path / "out"))
    assert ran.exit_code == 2 and "holds no data set of an archive" in _last(ran.stderr)
    told = demottle("archive", "report", data, "-o", str(tmp_path / "page.html"))
    assert told.exit_code == 2 and "none was begun yet" in _last(told.stderr)


def test_what_a_run_was_begun_with_it_keeps(
    data: str, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demottle.archive.run.tasks.denoise.run", quickly)
    assert demottle("archive", "run", data, "-o", str(tmp_path / "out"), "--seed", "3").exit_code == 0
    other = demottle("archive", "run", data, "-o", str(tmp_path / "other"))
    assert other.exit_code == 2 and "was begun with another value for the place" in _last(other.stderr)
    assert demottle("archive", "run", data, "--seed", "3").exit_code == 0
    assert demottle("archive", "run", data, "--seed", "4").exit_code == 2
