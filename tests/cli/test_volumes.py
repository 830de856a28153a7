"""Several volumes in one series on the command line: listed, chosen, or denoised together."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from tests.cli.conftest import Demottle
from tests.io.volumes.objects import mr_slice, save_all

QUICK = ("--method", "gaussian", "--force")


def pixels(seed: int, place: int) -> np.ndarray:
    y, x = np.mgrid[:64, :64]
    signal = np.where(np.hypot(y - 32, x - 32 + place) < 24, 500.0, 20.0)
    return np.clip(signal + np.random.default_rng(seed).normal(0, 25, signal.shape), 0, 4095).astype(np.uint16)


def series(folder: Path, volumes: list[dict[str, Any]], places: int = 4) -> Path:
    made = []
    for index, values in enumerate(volumes):
        for place in range(places):
            number = index * places + place + 1
            made.append(mr_slice(place, number, pixels(number, place), **values))
    return save_all(made, folder)


@pytest.fixture
def echoes(tmp_path: Path) -> Path:
    return series(tmp_path / "echoes", [{"EchoNumbers": e, "EchoTime": str(10 * e)} for e in (1, 2)])


def sources(folder: Path) -> list[int]:
    return sorted(int(pydicom.dcmread(file).InstanceNumber) for file in folder.iterdir())


def test_inspect_lists_them_and_measures_the_one_that_is_chosen(echoes: Path, demottle: Demottle) -> None:
    told = demottle("inspect", echoes)
    assert told.exit_code == 0 and "echo 1, TE 10 ms" in told.output and "--volume N" in told.output
    listed = json.loads(demottle("inspect", echoes, "--json").stdout)["volumes"]
    assert [(one["number"], one["label"], one["shape"]) for one in listed] == [
        (1, "echo 1, TE 10 ms", [4, 64, 64]),
        (2, "echo 2, TE 20 ms", [4, 64, 64]),
    ]
    assert json.loads(demottle("inspect", echoes, "--volume", 2, "--json").stdout)["shape"] == [4, 64, 64]


def test_all_of_them_become_one_series(echoes: Path, demottle: Demottle) -> None:
    out = echoes.parent / "out"
    result = demottle("denoise", echoes, "-o", out, "--no-report", *QUICK)
    assert result.exit_code == 0, result.output
    assert sources(out) == list(range(1, 9))
    assert len({str(pydicom.dcmread(file).SeriesInstanceUID) for file in out.iterdir()}) == 1


@pytest.mark.slow
def test_each_has_a_page_that_can_be_drawn_again(echoes: Path, demottle: Demottle) -> None:
    out = echoes.parent / "out"
    assert demottle("denoise", echoes, "-o", out, *QUICK).exit_code == 0
    for number in (1, 2):
        record = json.loads((echoes.parent / f"out-report/volume-{number}/run.json").read_text())
        assert (
            record["source"]["volume"] == number
            and (echoes.parent / f"out-report/volume-{number}/report.html").exists()
        )
    judged = demottle("evaluate", out, "--input", echoes, "--volume", 2, "--json")
    assert judged.exit_code == 0 and json.loads(judged.stdout)["check"]["noise"]["removed_share"] > 0.2
    page = echoes.parent / "again.html"
    assert demottle("report", echoes.parent / "out-report/volume-2", "-o", page).exit_code == 0 and page.exists()


def test_one_that_is_chosen_is_written_alone(echoes: Path, demottle: Demottle) -> None:
    out = echoes.parent / "out"
    assert demottle("denoise", echoes, "-o", out, "--volume", 2, "--no-report", *QUICK).exit_code == 0
    assert sources(out) == [5, 6, 7, 8]
    judged = demottle("evaluate", out, "--input", echoes, "--volume", 2, "--json")
    assert judged.exit_code == 0, judged.output


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (
            ("-o", "out.nii.gz"),
            "holds 2 volumes, and nifti holds one; choose one of them, or write DICOM. Use --volume N",
        ),
        (("-o", "out.dcm"), "8 DICOM files need a folder, but out.dcm names one file"),
        (("-o", "out", "--save-model", "m.safetensors"), "each with a model of its own; choose one"),
        (("-o", "out", "--volume", "3"), "There is no volume 3 in this series"),
    ],
)
def test_what_cannot_be_is_said_before_the_work(
    echoes: Path, demottle: Demottle, arguments: tuple[str, ...], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(echoes.parent)
    result = demottle("denoise", echoes, *arguments, *QUICK)
    assert result.exit_code == 2 and sentence in " ".join(result.output.split())
    assert [path.name for path in echoes.parent.iterdir()] == ["echoes"]


def test_phase_images_stay_as_they_were(tmp_path: Path, demottle: Demottle) -> None:
    kinds = [{"ImageType": ["ORIGINAL", "PRIMARY", kind, "ND"]} for kind in "MP"]
    folder, out = series(tmp_path / "in", kinds), tmp_path / "out"
    result = demottle("denoise", folder, "-o", out, "--no-report", *QUICK)
    assert result.exit_code == 0 and "phase images" in result.output
    before = {int(d.InstanceNumber): d.PixelData for d in map(pydicom.dcmread, folder.iterdir())}
    after = {int(d.InstanceNumber): d.PixelData for d in map(pydicom.dcmread, out.iterdir())}
    assert [before[number] == after[number] for number in range(1, 9)] == [False] * 4 + [True] * 4


def test_one_that_fails_the_gate_puts_all_of_them_aside(echoes: Path, demottle: Demottle) -> None:
    limits = echoes.parent / "limits.toml"
    limits.write_text("noise = 0.01\n")
    result = demottle("denoise", echoes, "-o", echoes.parent / "out", "--no-report", *QUICK[:2], "--limits", limits)
    assert result.exit_code == 3 and "Volume 1 (echo 1, TE 10 ms): The result fails the gate" in " ".join(
        result.output.split()
    )
    assert not (echoes.parent / "out").exists() and sources(echoes.parent / "out-refused") == list(range(1, 9))
    assert demottle("denoise", echoes, "-o", echoes.parent / "out", "--no-report", *QUICK).exit_code == 0


def test_a_series_over_time_is_one_image_and_held_against_the_gate(tmp_path: Path, demottle: Demottle) -> None:
    volumes = [{"TemporalPositionIdentifier": t, "AcquisitionTime": f"1000{2 * t:02d}"} for t in range(1, 6)]
    folder, out = series(tmp_path / "in", volumes, places=2), tmp_path / "out"
    result = demottle("denoise", folder, "-o", out)
    assert result.exit_code == 0, result.output
    assert sources(out) == list(range(1, 11)) and "noise of a volume" in result.output
    record = json.loads((tmp_path / "out-report" / "run.json").read_text())
    assert record["method"] == "mp-pca" and record["gate"]["passed"]
    limits = tmp_path / "limits.toml"
    limits.write_text("noise = 0.01\n")
    failed = demottle("denoise", folder, "-o", tmp_path / "second", "--limits", limits, "--no-report")
    assert failed.exit_code == 3 and sources(tmp_path / "second-refused") == list(range(1, 11))


def test_report_names_the_folders_of_a_run_with_several_volumes(tmp_path: Path, demottle: Demottle) -> None:
    for number in (10, 1, 2):
        folder = tmp_path / "out-report" / f"volume-{number}"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text('{"program": "demottle"}')
    result = demottle("report", tmp_path / "out-report", "-o", tmp_path / "page.html")
    assert result.exit_code == 2
    assert "give one of its folders: volume-1, volume-2, volume-10." in " ".join(result.stderr.split())
