"""The code of the tutorials runs, smaller and shorter than on the page, and gives what the page says it does."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tools.run_page import code_of
from typer.testing import CliRunner

from demottle import io
from demottle.cli import app
from demottle.methods import METHODS
from demottle.physics.phantoms.phantom import body_phantom, low_dose_scan
from demottle.quality.objects.hotelling import Hotelling

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorials" / "dose-image-quality.md"
SMALL = {"count=100": "count=14", "steps=150": "steps=2", ".part(20, 40)": "", "(1, 0.5, 0.25, 0.1)": "(1, 0.1)"}


@pytest.mark.slow
def test_the_dose_curve_falls_with_the_dose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = body_phantom(5, 192, (3, 1.3, 1.3), seed=1)
    io.write(low_dose_scan(truth, sigma=6.0, rho=0.25, seed=1), tmp_path / "scan.nii.gz")
    code = code_of(PAGE)
    for long, short in SMALL.items():
        assert long in code
        code = code.replace(long, short)
    monkeypatch.chdir(tmp_path)
    left: dict[str, dict[tuple[str, str, float], Hotelling]] = {}
    exec(compile(code, str(PAGE), "exec"), left)
    for observer in ("Hotelling", "NPWE"):
        high, low = (left["curve"][observer, "as scanned", dose] for dose in (1, 0.1))
        assert high.dprime_low <= high.dprime <= high.dprime_high
        assert low.dprime < high.dprime
    assert len(left["curve"]) == 8 and len(capsys.readouterr().out.splitlines()) == 8 + 4
    assert (tmp_path / "dose-image-quality.png").stat().st_size > 10_000


def _run_small(page: str, small: Mapping[str, str]) -> dict[str, Any]:
    """Run all code of a page with shorter words in place of long ones, each of which has to be there; return what it left."""
    path = ROOT / "docs" / page
    code = code_of(path)
    for long, short in small.items():
        assert long in code
        code = code.replace(long, short)

    def demottle(arguments: list[str]) -> None:
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, (arguments, done.output)

    left: dict[str, Any] = {"demottle": demottle}
    exec(compile(code, str(path), "exec"), left)
    return left


def test_a_command_may_go_on_in_the_next_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ demottle inspect scan \\\n    --modality CT\nwhat it says\n$ demottle doctor\n```\n")
    assert code_of(page).splitlines()[1:6] == [
        "demottle(['inspect', 'scan', '--modality', 'CT'])",
        "",
        "",
        "demottle(['doctor'])",
        "",
    ]


FEW_STEPS = "'--steps', '2', '--force'"


def test_quick_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = {"'-o', 'phantom']": "'-o', 'phantom', '--slices', '4', '--size', '96']"}
    _run_small("quick-start.md", {**small, "'phantom/denoised']": f"'phantom/denoised', {FEW_STEPS}]"})
    assert (tmp_path / "phantom" / "denoised-report" / "report.html").exists()


@pytest.mark.slow
def test_ct(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = {"'-o', 'phantom']": "'-o', 'phantom', '--slices', '4', '--size', '96']"}
    _run_small("tutorials/ct.md", {**small, "'phantom/denoised']": f"'phantom/denoised', {FEW_STEPS}]"})
    assert (tmp_path / "ct.png").stat().st_size > 10_000


@pytest.mark.slow
def test_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow", reason="an archive needs the extra archive")
    monkeypatch.chdir(tmp_path)
    left = _run_small(
        "tutorials/archive.md", {"range(50)": "range(6)", "(14, 96": "(4, 64", "'--jobs', '2'": "'--force'"}
    )
    assert len(left["series"]) == 6 and [row["verb"] for row in left["plan"]].count("leave") == 1
    assert "patient-02/Br64" in capsys.readouterr().out
    assert sum(row["wrong"] != "" for row in left["files"]) == 4 + 3  # copies; the cut file, the letter, the circle
    assert {row["strength"] for row in left["plan"] if row["rule"] == "sharp"} == {0.7}
    assert [row["state"] for row in left["rows"]] == ["done"] * 5 and Path("archive.html").stat().st_size > 20_000


@pytest.mark.slow
def test_mayo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _run_small(
        "tutorials/mayo.md",
        {"(6, 128, (3, 2.8, 2.8)": "(3, 96, (3, 3.7, 3.7)", "'--minutes', '0.3'": "'--minutes', '0.05'"},
    )
    rows = [
        json.loads(line)
        for name in ("filters", "trained")
        for line in Path(name, "results.jsonl").read_text().splitlines()
        if '"quality"' in line
    ]
    assert {row["entrant"] for row in rows} == {"input", "nlm", "tv", "pdml", "supervised"}
    assert all(row["quality"]["ldct_psnr"] > 10 for row in rows)
    assert "L506" not in Path("filters", "results.jsonl").read_text()


@pytest.mark.slow
def test_unpaired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = {
        "range(5)": "range(2)",
        "range(5, 10)": "range(5, 7)",
        "(8, 128,": "(5, 96,",
        "'400'": "'2'",
        "voxels[4]": "voxels[2]",
    }
    _run_small("tutorials/unpaired.md", small)
    assert (tmp_path / "unpaired.png").stat().st_size > 10_000


@pytest.mark.slow
def test_fluoroscopy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = {
        "'192', '--frames', '40'": "'96', '--frames', '16'",
        "'--steps', '150'": FEW_STEPS,
        ".voxels[30]": ".voxels[8]",
    }
    _run_small("tutorials/fluoroscopy.md", {**small, ", '--rate', '15'": "", "'recursive']": "'recursive', '--force']"})
    assert (tmp_path / "fluoroscopy.png").stat().st_size > 10_000
    assert (tmp_path / "set" / "live.dcm").exists()


@pytest.mark.slow
def test_mr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    small = {
        "'16', '--size', '144'": "'6', '--size', '96'",
        "'clean.nii.gz', '--modality', 'MR']": "'clean.nii.gz', '--modality', 'MR', '--force']",
        "voxels[8]": "voxels[3]",
    }
    left = _run_small("tutorials/mr.md", small)
    dark = (left["truth"] > 30) & (left["truth"] < 260)
    clean, biased = (float(left["volumes"][name][dark].mean()) for name in ("clean", "biased"))
    assert clean < biased - 5  # the bias was taken out
    assert "RMSE in the head" in capsys.readouterr().out
    assert (tmp_path / "mr.png").stat().st_size > 10_000


@pytest.mark.slow
def test_own_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        METHODS, "_cards", {name: METHODS[name] for name in METHODS}
    )  # forgets the tutorial's afterwards
    small = {"'small']": "'small', '--steps', '60', '--pictures', '0']", "(6, 128,": "(4, 96,"}
    _run_small("tutorials/own-method.md", small)
    assert len((tmp_path / "own.py").read_text().splitlines()) <= 60
    shape = io.read(tmp_path / "new.nii.gz", modality="CT").shape
    before, clean, truth = (
        io.read(tmp_path / f"{name}.nii.gz", modality="CT", accept_own_output=True)
        for name in ("new", "clean", "truth")
    )
    tissue = (truth.voxels > -150) & (truth.voxels < 200)
    error = [float(np.std((image.voxels - truth.voxels)[tissue])) for image in (before, clean)]
    assert clean.shape == shape
    assert error[1] < error[0]


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.stem)
def test_python_on_every_page_can_be_read_and_finds_what_it_imports(page: Path) -> None:
    lines = code_of(page).splitlines()
    compile("\n".join(lines), str(page), "exec")
    exec("\n".join(line for line in lines if line.startswith(("from demottle", "import demottle"))), {})
