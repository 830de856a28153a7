"""A folder of scans."""

import json
import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import Demottle

from demottle import io

FILTER = ("--method", "spectral-wiener")


@pytest.fixture
def archive(simulated: Path, tmp_path: Path) -> Path:
    """Two good scans, one of them a level deeper, and a broken one between them."""
    archive = tmp_path / "archive"
    shutil.copytree(simulated / "scan", archive / "a")
    shutil.copytree(simulated / "scan", archive / "deep" / "c")
    (archive / "b").mkdir()
    good = next(iter((simulated / "scan").iterdir())).read_bytes()
    (archive / "b" / "cut.dcm").write_bytes(good[: len(good) // 2])
    return archive


def test_one_broken_scan_does_not_stop_the_others(archive: Path, tmp_path: Path, demottle: Demottle) -> None:
    out = tmp_path / "out"
    result = demottle("denoise", archive, "-o", out, *FILTER)
    assert result.exit_code == 2
    assert sorted(path.name for path in out.iterdir()) == ["a", "deep"]
    assert len(list((out / "deep" / "c").iterdir())) == 8
    assert (tmp_path / "out-report" / "a" / "report.html").exists()
    assert (tmp_path / "out-report" / "deep" / "c" / "run.json").exists()
    end = result.stderr[result.stderr.rindex("1 of 3 scans failed") :]
    assert "b: " in end
    assert "bug" not in end
    assert "2 scans in" in result.stdout


def test_the_failures_are_in_the_json_too(archive: Path, tmp_path: Path, demottle: Demottle) -> None:
    result = demottle("denoise", archive, "-o", tmp_path / "out", *FILTER, "--no-report", "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert len(told["done"]) == 2
    assert [failure["scan"] for failure in told["failed"]] == ["b"]


def test_files_keep_their_names_and_take_the_ending_of_the_format(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    archive, out = tmp_path / "archive", tmp_path / "out"
    archive.mkdir()
    image = io.read(simulated / "scan")
    for name, format in (("one.nii.gz", "nifti"), ("two.nrrd", "nrrd")):
        io.write(image, archive / name, format=format)
    more = (*FILTER, "--no-report", "--modality", "CT", "--unit", "HU")
    result = demottle("denoise", archive, "-o", out, *more)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == ["one.nii.gz", "two.nrrd"]
    result = demottle("denoise", archive, "-o", tmp_path / "mha", "--format", "mha", *more)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "mha").iterdir()) == ["one.mha", "two.mha"]


def test_one_network_for_all_is_saved_from_one_scan_only(archive: Path, tmp_path: Path, demottle: Demottle) -> None:
    result = demottle("denoise", archive, "-o", tmp_path / "out", "--save-model", tmp_path / "model")
    assert result.exit_code == 2
    assert "single scan" in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_model_is_loaded_once(
    archive: Path, simulated: Path, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demottle import methods

    model = tmp_path / "model"
    plain = ("--no-report",)
    made = demottle("denoise", simulated / "scan", "-o", tmp_path / "one", *FILTER, *plain, "--save-model", model)
    assert made.exit_code == 0, made.output
    loads: list[object] = []
    real = methods.load
    monkeypatch.setattr(methods, "load", lambda path: loads.append(path) or real(path))  # type: ignore[func-returns-value]
    shutil.rmtree(archive / "b")
    result = demottle("denoise", archive, "-o", tmp_path / "out", "--model", model, *plain)
    assert result.exit_code == 0, result.output
    assert loads == [model]


def test_scans_are_counted_as_scans_whatever_number_of_volumes_they_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from demottle.cli.denoise.batch import Failure, _show

    done = [(name, {}) for name in ("a", "b", "c, volume 1", "c, volume 2")]
    _show(done, 3, [Failure("d", "It is broken.")], tmp_path, None, as_json=False)
    told = capsys.readouterr()
    assert "3 scans (4 volumes) in" in told.out.replace("\n", " ")
    assert "1 of 4 scans failed" in told.err
