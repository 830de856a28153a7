"""`demottle simulate low-dose`."""

import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from tests.cli.conftest import Demottle, Start
from tests.io.enhanced import ORDER, enhanced_ct

from demottle import io
from demottle.image import ProcessingStep

LOW = ("simulate", "low-dose")


@pytest.fixture(scope="module")
def quarter(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """The simulated scan at a quarter of its dose, and what the program said of it."""
    from typer.testing import CliRunner

    from demottle.cli import app

    output = tmp_path_factory.mktemp("low") / "quarter"
    arguments = [*LOW, str(simulated / "scan"), "--dose", "0.25", "-o", str(output), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return output, json.loads(result.stdout)


def test_level_is_reached_and_said(quarter: tuple[Path, dict[str, object]]) -> None:
    _, record = quarter
    share = record["electronic_share"]  # of it there is 16 times as much, of the rest 4 times
    wanted = record["noise_level_hu"] * np.sqrt(4 * (1 - share) + 16 * share)  # type: ignore[operator]
    assert record["target_level_hu"] == pytest.approx(
        wanted, rel=0.08
    )  # anatomy in the windows of the level does not grow
    assert record["reached_level_hu"] == [pytest.approx(record["target_level_hu"], rel=0.05)]


def test_series_says_that_it_is_simulated(simulated: Path, quarter: tuple[Path, dict[str, object]]) -> None:
    for path in quarter[0].iterdir():
        dataset = pydicom.dcmread(path)
        assert dataset.ImageType[0] == "DERIVED" and dataset.ImageType[-1] == "SIMULATED"
        assert "SIMULATED low-dose 25 %" in dataset.SeriesDescription
        assert "SIMULATED" in dataset.DerivationDescription and "noise reduction" not in dataset.DerivationDescription
        meanings = [code.CodeMeaning for code in dataset.DerivationCodeSequence]
        assert "Smoothing" not in meanings and any("simulated" in meaning for meaning in meanings)
    original = {pydicom.dcmread(path).SOPInstanceUID for path in (simulated / "scan").iterdir()}
    assert not original & {pydicom.dcmread(path).SOPInstanceUID for path in quarter[0].iterdir()}


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dicom3tools")
def test_every_object_is_valid_dicom(quarter: tuple[Path, dict[str, object]]) -> None:
    paths = sorted(quarter[0].iterdir())
    assert len(paths) == 8
    for path in paths:
        told = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
        assert not [line for line in told.splitlines() if line.startswith("Error")]


def test_it_is_read_as_a_scan_with_its_history(quarter: tuple[Path, dict[str, object]]) -> None:
    image = io.read(quarter[0])  # not refused as demottle's own output: it is there to be denoised
    assert [step.method for step in image.history] == ["simulate-phantom", "simulate-low-dose"]
    assert image.history[1].settings["dose"] == 0.25


def test_a_denoised_simulation_is_own_output(
    quarter: tuple[Path, dict[str, object]], tmp_path: Path, demottle: Demottle
) -> None:
    low = io.read(quarter[0])
    io.write(low.with_voxels(low.voxels * 0.9, ProcessingStep("some-filter", "1")), tmp_path / "clean")
    again = demottle(*LOW, tmp_path / "clean", "--dose", "0.5", "-o", tmp_path / "again")
    assert again.exit_code == 2
    assert "own output" in again.stderr
    dataset = pydicom.dcmread(next((tmp_path / "clean").iterdir()))
    assert "SIMULATED" in dataset.ImageType and "SIMULATED" in dataset.SeriesDescription
    assert "some-filter" in dataset.SeriesDescription


def test_repeats_are_independent_and_nifti_works(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    scan = io.read(simulated / "scan")
    io.write(scan, tmp_path / "scan.nii.gz")
    arguments = ("--dose", "0.5", "-o", tmp_path / "out", "--repeats", "2", "--correlation", "0.2", "--kernel", "soft")
    result = demottle(*LOW, tmp_path / "scan.nii.gz", *arguments)
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["repeat-01.nii.gz", "repeat-02.nii.gz"]
    first, second = (io.read(tmp_path / "out" / f"repeat-0{n}.nii.gz").voxels - scan.voxels for n in (1, 2))
    inside = scan.voxels > -200
    assert abs(np.corrcoef(first[inside], second[inside])[0, 1]) < 0.05


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--dose", "0"), "fraction"),
        (("--dose", "1.5"), "fraction"),
        (("--dose", "0.5", "--correlation", "much"), "number"),
        (("--dose", "0.5", "--kernel", "bone"), "bone"),
        (("--dose", "0.5", "--format", "jpeg"), "jpeg"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments: tuple[str, ...], words: str, simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    result = demottle(*LOW, simulated / "scan", "-o", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not list(tmp_path.iterdir())


def test_mr_is_refused(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    io.write(io.read(simulated / "scan"), tmp_path / "scan.npy")
    arguments = ("--dose", "0.5", "-o", tmp_path / "out", "--spacing", "3,1,1", "--modality", "MR")
    result = demottle(*LOW, tmp_path / "scan.npy", *arguments)
    assert result.exit_code == 2
    assert "MR" in result.stderr


def test_nothing_is_replaced_unasked(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    (tmp_path / "out").mkdir()
    result = demottle(*LOW, simulated / "scan", "--dose", "0.5", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "exists already" in result.stderr


@pytest.mark.parametrize("extra", [(), ("--repeats", "3")])
def test_ctrl_c_leaves_nothing(extra: tuple[str, ...], simulated: Path, tmp_path: Path, start_demottle: Start) -> None:
    process = start_demottle(*LOW, simulated / "scan", "--dose", "0.5", "-o", tmp_path / "new" / "out", *extra)
    assert process.stderr is not None
    for said in process.stderr:
        if re.match(r"Measuring noise: done", said):
            process.send_signal(signal.SIGINT)
            break
    rest = process.stderr.read()
    assert process.wait(timeout=300) == 130
    assert "Traceback" not in rest
    assert not list(tmp_path.iterdir())


def test_an_enhanced_object_comes_back_as_one(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    scan = io.read(simulated / "scan").part(0, len(ORDER))
    dataset = enhanced_ct()
    stored = [
        np.rint(scan.voxels[in_stack]) + 1024 + in_stack for in_stack in ORDER
    ]  # each frame has its own intercept
    dataset.PixelData = np.stack(stored).astype("<i2").tobytes()
    dataset.Rows, dataset.Columns = scan.shape[1:]
    dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = list(scan.spacing[1:])
    dataset.save_as(tmp_path / "enhanced.dcm", enforce_file_format=True)
    result = demottle(*LOW, tmp_path / "enhanced.dcm", "--dose", "0.25", "-o", tmp_path / "quarter", "--json")
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert record["reached_level_hu"] == [pytest.approx(record["target_level_hu"], rel=0.06)]
    assert record["acquisition"]["tube_current"] == {"value": [100.0, 100.0], "from": "header"}
    (path,) = (tmp_path / "quarter").iterdir()
    written = pydicom.dcmread(path)
    assert written.NumberOfFrames == len(ORDER)
    assert "SIMULATED" in written.ImageType or "SIMULATED" in written.SeriesDescription
    low = io.read(tmp_path / "quarter")
    assert low.spacing == pytest.approx((2.5, *scan.spacing[1:]))
    added = low.voxels - np.rint(scan.voxels)
    assert abs(added[:, 60:100, 60:100].mean()) < 5 and added[:, 60:100, 60:100].std() > 20


def test_repeats_in_a_folder_are_told_apart(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    for name in ("repeat-1", "repeat-2"):
        shutil.copytree(simulated / ("scan" if name == "repeat-1" else "truth"), tmp_path / "set" / name)
    refused = demottle(*LOW, tmp_path / "set", "--dose", "0.5", "-o", tmp_path / "out")
    assert refused.exit_code == 2 and "There are 2 series" in refused.stderr and "--series" in refused.stderr
    wanted = str(pydicom.dcmread(next((simulated / "scan").iterdir())).SeriesInstanceUID)
    assert demottle(*LOW, tmp_path / "set", "--dose", "1", "-o", tmp_path / "out", "--series", wanted).exit_code == 0
    assert np.array_equal(io.read(tmp_path / "out").voxels, io.read(simulated / "scan").voxels)


def test_a_dose_whose_level_is_not_reached_leaves_nothing(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    """Below the scanner's lowest CT number nothing can be stored: noise of hundreds of HU is cut off there."""
    low = demottle(*LOW, simulated / "scan", "--dose", "0.0005", "-o", tmp_path / "low")
    assert low.exit_code == 2
    assert "HU wanted" in low.stderr and "higher dose" in low.stderr.replace("\n", " ")
    assert not list(tmp_path.iterdir())
