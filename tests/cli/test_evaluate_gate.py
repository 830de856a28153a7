"""The gate after `denoise` and in `evaluate`: what fails is named, and nothing is written unless forced."""

import json
from pathlib import Path

from tests.cli.conftest import Demottle

FILTER = ("--method", "spectral-wiener")


def strict(folder: Path) -> Path:
    (folder / "limits.toml").write_text("noise = 0.01\n")
    return folder / "limits.toml"


def test_a_result_that_fails_is_not_written_and_why_is_said(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    start = ("denoise", simulated / "scan", "-o", tmp_path / "out", *FILTER, "--limits", strict(tmp_path))
    result = demottle(*start)
    assert result.exit_code == 3
    told = " ".join(result.stderr.split())
    assert "noise after over noise before" in told and "beyond the limit of 0.01 by" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["limits.toml"]
    forced = demottle(*start, "--force")
    assert forced.exit_code == 0, forced.output
    assert "This result fails the gate" in " ".join(forced.stderr.split())
    record = json.loads((tmp_path / "out-report" / "run.json").read_text())
    assert record["gate"]["passed"] is False
    assert "Gate: failed" in (tmp_path / "out-report" / "report.html").read_text()


def test_a_model_that_was_to_be_saved_is_kept_although_its_result_fails(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    learning = ("denoise", simulated / "scan", "-o", tmp_path / "out", "--steps", "2", "--set", "channels=[8]")
    limits = ("--limits", strict(tmp_path))
    lost = demottle(*learning, *limits)
    assert lost.exit_code == 3, lost.output
    assert "--save-model FILE keeps it" in " ".join(lost.stderr.split())
    kept = demottle(*learning, *limits, "--save-model", tmp_path / "model.safetensors")
    assert kept.exit_code == 3, kept.output
    assert "is kept in" in " ".join(kept.stderr.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["limits.toml", "model.safetensors"]
    again = ("denoise", simulated / "scan", "-o", tmp_path / "out", "--model", tmp_path / "model.safetensors")
    assert demottle(*again, *limits, "--force", "--no-report").exit_code == 0
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
