"""A folder of scans."""

import csv
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
    from demottle.cli.denoise.attempt import Attempt
    from demottle.cli.denoise.batch import Folder, _show

    names = {"a": ["a"], "b": ["b"], "c": ["c, volume 1", "c, volume 2"], "d": []}
    attempts = {
        Path(name): Attempt(name, tuple((volume, {}) for volume in volumes), "" if volumes else "It is broken.")
        for name, volumes in names.items()
    }
    _show(Folder(None, list(attempts), attempts), tmp_path, as_json=False)
    told = capsys.readouterr()
    assert "3 scans (4 volumes) in" in told.out.replace("\n", " ")
    assert "1 of 4 scans failed" in told.err


def test_a_run_goes_on_where_it_was_stopped_and_tells_of_all_scans(
    archive: Path, tmp_path: Path, demottle: Demottle
) -> None:
    out, listed = tmp_path / "out", tmp_path / "out-report"
    command = ("denoise", archive, "-o", out, *FILTER)
    assert demottle(*command).exit_code == 2
    rows = list(csv.DictReader((listed / "results.csv").read_text().splitlines()))
    assert [(row["scan"], row["outcome"] == "not done") for row in rows] == [
        ("a", False),
        ("deep/c", False),
        ("b", True),
    ]
    assert float(rows[0]["noise_before"]) > float(rows[0]["noise_after"]) > 0 and rows[2]["reason"]
    assert (listed / rows[0]["page"]).exists() and (listed / rows[0]["output"]).resolve() == out / "a"
    page = (listed / "index.html").read_text()
    assert page.index(">b<") < page.index(">deep/c</a>") and 'href="deep/c/report.html"' in page

    for there in (out, listed):  # as if the run had been killed before it
        shutil.rmtree(there / "deep")
    (listed / "results.csv").unlink()
    stamp = (out / "a").stat().st_mtime_ns
    again = demottle(*command, "--skip-existing", "--json")
    assert again.exit_code == 2 and (out / "a").stat().st_mtime_ns == stamp
    told = json.loads(again.stdout)
    assert (told["skipped"], len(told["done"]), [one["scan"] for one in told["failed"]]) == (1, 2, ["b"])
    assert [row["scan"] for row in csv.DictReader((listed / "results.csv").read_text().splitlines())] == [
        "a",
        "deep/c",
        "b",
    ]
    both = demottle(*command, "--skip-existing", "--overwrite")
    assert both.exit_code == 2 and "leaves out what is there" in " ".join(both.stderr.split())


def test_what_failed_the_gate_is_not_tried_again(archive: Path, tmp_path: Path, demottle: Demottle) -> None:
    (tmp_path / "strict.toml").write_text("noise = 0.0001\n")
    shutil.rmtree(archive / "b")
    command = ("denoise", archive, "-o", tmp_path / "out", *FILTER, "--limits", tmp_path / "strict.toml")
    assert demottle(*command).exit_code == 2
    again = demottle(*command, "--skip-existing")
    assert again.exit_code == 2 and "Denoising" not in again.stderr
    assert "failed the gate in an earlier run" in " ".join(again.stderr.split())


def test_a_single_scan_that_is_done_is_left_alone(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    command = ("denoise", simulated / "scan", "-o", tmp_path / "out", *FILTER, "--no-report")
    assert demottle(*command).exit_code == 0
    again = demottle(*command, "--skip-existing")
    assert again.exit_code == 0 and "from an earlier run" in " ".join(again.stderr.split())


@pytest.mark.slow
def test_several_at_once_give_what_one_after_the_other_gives(archive: Path, tmp_path: Path, demottle: Demottle) -> None:
    one = demottle("denoise", archive, "-o", tmp_path / "one", *FILTER)
    both = demottle("denoise", archive, "-o", tmp_path / "both", *FILTER, "--jobs", "2")
    assert (one.exit_code, both.exit_code) == (2, 2)
    assert "3 scans, 2 at a time, each with 1 thread." in both.stderr and "[3/3] " in both.stderr
    assert _texts(one.stderr, "Error: ") == _texts(both.stderr, "Error: ") != []
    assert "1 of 3 scans failed" in both.stderr and "2 scans in" in both.stdout
    tables = [
        list(csv.DictReader((tmp_path / f"{name}-report" / "results.csv").read_text().splitlines()))
        for name in ("one", "both")
    ]
    for rows in tables:
        assert [row["scan"] for row in rows] == ["a", "deep/c", "b"]  # not as they ended
        assert all((row.pop("seconds"), row.pop("output"))[0] for row in rows if row["outcome"] != "not done")
    assert [tables[0][0], tables[0][1]] == [tables[1][0], tables[1][1]]
    images = [io.read(tmp_path / name / "deep" / "c", accept_own_output=True).voxels for name in ("one", "both")]
    assert (images[0] == images[1]).all()

    for there in ("both", "both-report"):
        shutil.rmtree(tmp_path / there / "deep")
    again = demottle("denoise", archive, "-o", tmp_path / "both", *FILTER, "--jobs", "2", "--skip-existing", "--json")
    told = json.loads(again.stdout)
    assert (again.exit_code, told["skipped"], len(told["done"]), [one["scan"] for one in told["failed"]]) == (
        2,
        1,
        2,
        ["b"],
    )
    assert again.stderr.count("Done by an earlier run.") == 1


def _texts(said: str, begin: str) -> list[str]:
    return sorted(line for line in said.splitlines() if line.startswith(begin))


def test_a_model_that_cannot_be_loaded_is_refused_before_any_process_starts(
    archive: Path, tmp_path: Path, demottle: Demottle
) -> None:
    (tmp_path / "model").write_text("none")
    result = demottle("denoise", archive, "-o", tmp_path / "out", "--model", tmp_path / "model", "--jobs", "2")
    assert result.exit_code == 2 and "at a time" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_the_time_that_is_left_goes_by_what_this_run_has_worked_on() -> None:
    from demottle.cli.denoise.attempt import Attempt
    from demottle.cli.denoise.batch import Folder, _left
    from demottle.cli.screen.progress import clock

    scans = [Path(f"scan{number}") for number in range(10)]
    found = Folder(None, scans, {scan: Attempt(scan.name, skipped=True) for scan in scans[:6]})
    assert _left(1.0, found, 10) == ""
    found.attempts.update({scan: Attempt(scan.name) for scan in scans[6:8]})
    assert _left(120.0, found, 10) == f", about {clock(120)} left"
    found.attempts.update({scan: Attempt(scan.name) for scan in scans[8:]})
    assert _left(240.0, found, 10) == ""
