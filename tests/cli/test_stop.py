"""Stopped halfway: Ctrl-C and the polite signal leave nothing half-written."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Demottle, Start

HALFWAY = re.compile(r"Denoising: \d+ %")
LEARNING = re.compile(r"Learning: \d+ %")


def everything_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def stop_at(line: re.Pattern[str], process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """Send the signal when the line has been said; return exit code and what was said afterwards."""
    assert process.stderr is not None
    for said in process.stderr:
        if line.match(said):
            process.send_signal(number)
            break
    rest = process.stderr.read()
    return process.wait(timeout=300), rest


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan that takes the filter a few seconds."""
    import numpy as np

    from demottle import io
    from demottle.image import Image

    noise = np.random.default_rng(0).normal(40, 20, (24, 256, 256)).astype(np.float32)
    folder = tmp_path_factory.mktemp("large")
    io.write(Image(noise, (3, 1, 1), modality="CT", unit="HU"), folder / "scan", format="dicom")
    return folder / "scan"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_while_denoising(
    number: signal.Signals, code: int, large: Path, tmp_path: Path, start_demottle: Start
) -> None:
    process = start_demottle("denoise", large, "-o", tmp_path / "new" / "out", "--method", "spectral-wiener")
    ended, said = stop_at(HALFWAY, process, number)
    assert ended == code
    assert "Traceback" not in said
    if number == signal.SIGINT:
        assert "\nStopping ...\n" in said
        assert "Stopped, nothing was written." in said
    assert everything_in(tmp_path) == set()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["matched-neighbors", "ns-n2n"])
def test_stopped_while_learning(method: str, simulated: Path, tmp_path: Path, start_demottle: Start) -> None:
    arguments = ("--method", method, "--steps", "1000", "--save-model", tmp_path / "new" / "model")
    process = start_demottle("denoise", simulated / "scan", "-o", tmp_path / "new" / "out", *arguments)
    code, said = stop_at(LEARNING, process, signal.SIGINT)
    assert code == 130
    assert "Stopped, nothing was written." in said
    assert "Traceback" not in said
    assert everything_in(tmp_path) == set()


@pytest.mark.slow
def test_what_was_there_stays_when_overwriting_is_stopped(large: Path, tmp_path: Path, start_demottle: Start) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "earlier.dcm").write_text("earlier")
    process = start_demottle(
        "denoise", large, "-o", tmp_path / "out", "--overwrite", "--method", "spectral-wiener", "--no-report"
    )
    assert stop_at(HALFWAY, process, signal.SIGINT)[0] == 130
    assert everything_in(tmp_path) == {"out", "out/earlier.dcm"}


@pytest.mark.parametrize("stage", ["report", "write"])
def test_stopped_while_writing(
    stage: str, simulated: Path, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demottle import io, report

    room, name = {"report": (report, "write_page"), "write": (io, "write")}[stage]
    real = getattr(room, name)

    def interrupted(*args: object, **kwargs: object) -> None:
        real(*args, **kwargs) if stage == "report" else None
        raise KeyboardInterrupt

    monkeypatch.setattr(room, name, interrupted)
    result = demottle("denoise", simulated / "scan", "-o", tmp_path / "out", "--method", "spectral-wiener")
    assert result.exit_code == 130
    assert everything_in(tmp_path) == set()


def test_a_folder_stopped_halfway_keeps_what_is_finished_and_says_so(
    simulated: Path, large: Path, tmp_path: Path, start_demottle: Start
) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(simulated / "scan", archive / "a")
    shutil.copytree(large, archive / "b")
    process = start_demottle("denoise", archive, "-o", tmp_path / "out", "--method", "spectral-wiener", "--no-report")
    assert process.stderr is not None
    for said in process.stderr:
        if said.startswith("[2/2]"):
            break
    code, said = stop_at(HALFWAY, process, signal.SIGINT)
    assert code == 130
    assert "1 of 2 scans are finished" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


def test_a_full_disk_is_one_sentence(
    simulated: Path, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demottle import report

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "write_page", full)
    result = demottle("denoise", simulated / "scan", "-o", tmp_path / "out", "--method", "spectral-wiener")
    assert result.exit_code == 2
    assert "No space left on device" in result.stderr
    assert everything_in(tmp_path) == set()
