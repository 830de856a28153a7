"""The gate after `denoise` and in `evaluate`: what fails is named, and kept aside unless forced."""

import json
import shutil
from pathlib import Path

import pydicom
import pytest
from tests.cli.conftest import Demottle

FILTER = ("--method", "spectral-wiener")


def strict(folder: Path) -> Path:
    (folder / "limits.toml").write_text("noise = 0.01\n")
    return folder / "limits.toml"


def test_a_result_that_fails_is_kept_aside_and_why_is_said(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    start = ("denoise", simulated / "scan", "-o", tmp_path / "out", *FILTER, "--limits", strict(tmp_path))
    result = demottle(*start)
    assert result.exit_code == 3
    told = " ".join(result.stderr.split())
    assert "noise after over noise before" in told and "beyond the limit of 0.01" in told
    assert "out-refused, its page in" in told and "--force" in told
    aside = ["limits.toml", "out-refused", "out-refused-report"]
    assert sorted(path.name for path in tmp_path.iterdir()) == aside
    record = json.loads((tmp_path / "out-refused-report" / "run.json").read_text())
    assert record["refused"] is True and record["gate"]["passed"] is False
    assert "fails the gate and was put aside" in (tmp_path / "out-refused-report" / "report.html").read_text()
    forced = demottle(*start, "--force")
    assert forced.exit_code == 0, forced.output
    told = " ".join(forced.stderr.split())
    assert "This result fails the gate" in told and "is still in" in told
    record = json.loads((tmp_path / "out-report" / "run.json").read_text())
    assert record["gate"]["passed"] is False and record["refused"] is False
    assert "Gate: failed" in (tmp_path / "out-report" / "report.html").read_text()


def test_what_is_kept_aside_is_marked_and_another_series_than_what_is_forced(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    start = (
        "denoise",
        simulated / "scan",
        "-o",
        tmp_path / "out",
        *FILTER,
        "--limits",
        strict(tmp_path),
        "--no-report",
    )
    assert demottle(*start).exit_code == 3
    assert demottle(*start, "--force").exit_code == 0
    refused, forced = (pydicom.dcmread(next((tmp_path / name).iterdir())) for name in ("out-refused", "out"))
    assert "[REFUSED demottle spectral-wiener]" in refused.SeriesDescription
    assert "REFUSED BY THE GATE" in refused.DerivationDescription
    assert "REFUSED" not in forced.SeriesDescription + forced.DerivationDescription
    assert refused.SeriesInstanceUID != forced.SeriesInstanceUID


@pytest.mark.parametrize("suffix", ["", ".nii.gz"])
def test_only_what_was_put_aside_before_is_replaced(
    simulated: Path, tmp_path: Path, demottle: Demottle, suffix: str
) -> None:
    out, aside = tmp_path / f"out{suffix}", tmp_path / f"out-refused{suffix}"
    start = ("denoise", simulated / "scan", "-o", out, *FILTER, "--limits", strict(tmp_path), "--no-report")
    assert demottle(*start).exit_code == 3
    assert demottle(*start).exit_code == 3, "an earlier result that failed is in the way"
    if suffix:
        aside.write_bytes(b"mine")
    else:
        (aside / "notes.txt").write_text("mine")
    held = aside.read_bytes() if suffix else sorted(aside.iterdir())
    stopped = demottle(*start)
    assert stopped.exit_code == 2
    assert "is not an earlier result that failed the gate" in " ".join(stopped.stderr.split())
    assert held == (aside.read_bytes() if suffix else sorted(aside.iterdir()))
    assert demottle(*start, "--overwrite").exit_code == 3
    assert suffix or not (aside / "notes.txt").exists()


def test_a_scan_is_never_taken_for_what_was_put_aside(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    scan = tmp_path / "head-refused"
    shutil.copytree(simulated / "scan", scan)
    stopped = demottle("denoise", scan, "-o", tmp_path / "head", *FILTER, "--limits", strict(tmp_path))
    assert stopped.exit_code == 2
    assert "where the scan lies" in " ".join(stopped.stderr.split())
    assert sorted(path.name for path in scan.iterdir()) == sorted(p.name for p in (simulated / "scan").iterdir())


def test_in_a_folder_of_scans_what_fails_is_kept_in_a_folder_of_its_own(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    for name in ("a", "b"):
        shutil.copytree(simulated / "scan", tmp_path / "scans" / name)
    made = demottle("denoise", tmp_path / "scans", "-o", tmp_path / "out", *FILTER, "--limits", strict(tmp_path))
    assert made.exit_code == 2
    assert not (tmp_path / "out").exists()
    for name in ("a", "b"):
        assert any((tmp_path / "out-refused" / name).iterdir())
        assert (tmp_path / "out-refused-report" / name / "report.html").exists()


@pytest.mark.slow
def test_a_model_that_was_to_be_saved_is_kept_although_its_result_fails(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    learning = ("denoise", simulated / "scan", "-o", tmp_path / "out", "--steps", "1", "--set", "patch=64")
    limits = ("--limits", strict(tmp_path), "--no-report")
    lost = demottle(*learning, *limits)
    assert lost.exit_code == 3, lost.output
    assert "--save-model FILE keeps the network" in " ".join(lost.stderr.split())
    kept = demottle(*learning, *limits, "--save-model", tmp_path / "model.safetensors")
    assert kept.exit_code == 3, kept.output
    assert "is kept in" in " ".join(kept.stderr.split())
    assert (tmp_path / "model.safetensors").exists() and not (tmp_path / "out").exists()
    again = ("denoise", simulated / "scan", "-o", tmp_path / "out", "--model", tmp_path / "model.safetensors")
    assert demottle(*again, *limits, "--force").exit_code == 0
    assert (tmp_path / "out").is_dir()


def test_the_default_limits_let_a_default_result_pass(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    made = demottle("denoise", simulated / "scan", "-o", tmp_path / "out", *FILTER, "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["gate"]["passed"] is True
    arguments = ("evaluate", tmp_path / "out", "--input", simulated / "scan")
    passed = demottle(*arguments, "--gate")
    assert passed.exit_code == 0, passed.output
    assert "Gate  passed" in passed.stdout
    assert "no metal in the scan" in passed.stdout
    assert "Gate" not in demottle(*arguments).stdout  # nobody asked for a verdict
    against = demottle(*arguments, "--gate", "--truth", simulated / "truth", "--json")
    assert "truth_rmse" in {v["name"] for v in json.loads(against.stdout)["gate"]["verdicts"]}
    failed = demottle(*arguments, "--limits", strict(tmp_path))
    assert failed.exit_code == 3
    assert "fails the gate" in failed.stderr
    again = demottle("report", tmp_path / "out-report", "-o", tmp_path / "page.html")
    assert again.exit_code == 0, again.output
    page = (tmp_path / "page.html").read_text()
    assert "Gate: passed" in page and "spectral-wiener" in page and "Worst slice" in page
    taken = demottle("report", tmp_path / "out-report", "-o", tmp_path / "page.html")
    assert taken.exit_code == 2
    assert "--overwrite" in taken.stderr


def test_limits_that_make_no_sense_are_refused_before_the_work(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    (tmp_path / "limits.toml").write_text("nois = 1\n")
    result = demottle(
        "denoise", simulated / "scan", "-o", tmp_path / "out", *FILTER, "--limits", tmp_path / "limits.toml"
    )
    assert result.exit_code == 2
    assert "did you mean 'noise'" in " ".join(result.stderr.split())
    assert "Reading" not in result.stderr


def test_a_report_needs_a_run_or_a_scan_and_its_output(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    none = demottle("report", tmp_path, "-o", tmp_path / "page.html")
    assert none.exit_code == 2
    assert "run.json" in none.stderr
    pair = demottle("report", simulated / "scan", simulated / "truth", "-o", tmp_path / "page.html")
    assert pair.exit_code == 0, pair.output
    assert demottle("report", simulated / "scan", "-o", tmp_path / "page.pdf").exit_code == 2
