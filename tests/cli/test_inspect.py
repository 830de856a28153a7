"""`demottle inspect`."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import Demottle

from demottle import io


def test_it_says_what_was_measured_and_what_would_be_done(simulated: Path, demottle: Demottle) -> None:
    result = demottle("inspect", simulated / "scan")
    assert result.exit_code == 0, result.output
    for word in ("8 slices of 160 x 160", "HU, from", "peak at", "slices apart", "What demottle would do", "•"):
        assert word in result.stdout


def test_json_holds_the_figures_and_the_plan(simulated: Path, demottle: Demottle) -> None:
    result = demottle("inspect", simulated / "scan", "--json")
    told = json.loads(result.stdout)
    assert told["modality"] == "CT"
    assert told["shape"] == [8, 160, 160]
    assert 25 < told["noise_level"] < 60
    assert told["slice_correlation"][0] == pytest.approx(0.25, abs=0.15)
    assert told["plan"]["method"]
    reasons = told["plan"]["reasons"]
    assert reasons and all(reason.endswith(".") for reason in reasons)


def test_a_single_slice_of_nothing_is_inspected_without_complaint(tmp_path: Path, demottle: Demottle) -> None:
    np.save(tmp_path / "scan.npy", np.random.default_rng(0).normal(0, 10, (1, 64, 64)).astype(np.float32))
    result = demottle("inspect", tmp_path / "scan.npy", "--spacing", "3,1,1")
    assert result.exit_code == 0, result.output
    assert "1 slice" in result.stdout
    assert "nan" not in result.stdout.lower()


def test_json_is_json_even_where_nothing_can_be_measured(tmp_path: Path, demottle: Demottle) -> None:
    np.save(tmp_path / "scan.npy", np.zeros((2, 64, 64), np.float32))
    result = demottle("inspect", tmp_path / "scan.npy", "--spacing", "3,1,1", "--json")
    assert result.exit_code == 0, result.output

    def refuse(word: str) -> None:
        pytest.fail(f"{word} is not JSON")

    json.loads(result.stdout, parse_constant=refuse)


def test_our_own_output_can_be_inspected(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    arguments = ("--method", "spectral-wiener", "--no-report")
    assert demottle("denoise", simulated / "scan", "-o", tmp_path / "out", *arguments).exit_code == 0
    assert demottle("inspect", tmp_path / "out").exit_code == 0


def test_several_series_are_told_apart(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    scan, truth = io.read(simulated / "scan"), io.read(simulated / "truth")
    assert scan.shape == truth.shape
    for name in ("scan", "truth"):
        for file in (simulated / name).iterdir():
            (tmp_path / f"{name}-{file.name}").write_bytes(file.read_bytes())
    result = demottle("inspect", tmp_path)
    assert result.exit_code == 2
    assert "series" in result.stderr
    uid = io.list_series(simulated / "scan")[0].uid
    assert demottle("inspect", tmp_path, "--series", uid).exit_code == 0


def test_a_modality_may_be_written_small(tmp_path: Path, demottle: Demottle) -> None:
    np.save(tmp_path / "scan.npy", np.random.default_rng(0).normal(0, 20, (2, 96, 96)).astype(np.float32))
    result = demottle("inspect", tmp_path / "scan.npy", "--spacing", "3,1,1", "--modality", "ct", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["modality"] == "CT"


@pytest.mark.parametrize(
    "verb",
    [
        ("inspect", "a.npy"),
        ("denoise", "a.npy", "-o", "out.npy"),
        ("evaluate", "a.npy", "--input", "a.npy"),
        ("report", "a.npy", "a.npy", "-o", "page.html"),
        ("train", "cut", "--low", "a.npy", "--full", "a.npy", "-o", "a.safetensors"),
        ("simulate", "low-dose", "a.npy", "--dose", "0.5", "-o", "out.npy"),
    ],
    ids=lambda verb: verb[0],
)
def test_a_modality_that_nobody_knows_is_refused(
    verb: tuple[str, ...], tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.zeros((2, 96, 96), np.float32))
    result = demottle(*verb, "--modality", "XYZ")
    assert result.exit_code == 2, result.output
    said = " ".join(result.stderr.split())
    assert "'XYZ' is not a modality that demottle knows; it is one of CT, MR, XA, RF." in said
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_a_format_whose_package_is_gone_says_how_to_get_it(
    tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone:
        """Finds nothing in place of what is not there."""

        @staticmethod
        def find_spec(name: str, *more: object) -> None:
            if name.partition(".")[0] == "nibabel":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    for name in [name for name in sys.modules if name.partition(".")[0] == "nibabel"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Gone, *sys.meta_path])
    (tmp_path / "scan.nii.gz").write_bytes(b"")
    result = demottle("inspect", tmp_path / "scan.nii.gz")
    assert result.exit_code == 2, result.output
    assert "pip install nibabel brings it" in " ".join(result.stderr.split())
