"""`demottle denoise` and `inspect` on runs of frames, from file to file."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from tests.cli.conftest import Demottle

from demottle import io
from demottle.image import Image
from demottle.physics.fluoroscopy.acquisition import Exposure, Run, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom
from demottle.quality.sequence.measures import sequence_measure
from demottle.quality.sequence.truth import sequence_errors


@pytest.fixture(scope="module")
def run() -> Run:
    return acquire(dynamic_phantom(12, 96, 15, seed=1, motion="slow").image, Exposure(24), seed=2)


@pytest.fixture
def file(run: Run, tmp_path: Path) -> Path:
    return io.write(run.noisy, tmp_path / "run.dcm")


def test_a_run_comes_out_with_less_noise_as_a_valid_object_with_page_and_record(
    file: Path, run: Run, tmp_path: Path, demottle: Demottle
) -> None:
    result = demottle("denoise", file, "-o", tmp_path / "out.dcm", "--method", "recursive", "--set", "weight=0.3")
    assert result.exit_code == 0, result.output
    assert "noise of a frame" in result.stdout and "recursive" in result.stdout
    out = io.read(tmp_path / "out.dcm", accept_own_output=True)
    assert [step.method for step in out.history] == ["simulate-fluoroscopy", "recursive"]
    before, after = (sequence_errors(image, run.clean).psnr for image in (run.noisy, out))
    assert after > before + 4
    dataset = pydicom.dcmread(tmp_path / "out.dcm")
    assert (dataset.NumberOfFrames, dataset.FrameTime) == (12, pydicom.dcmread(file).FrameTime)
    assert "demottle recursive" in dataset.SeriesDescription
    done = subprocess.run(["dciodvfy", str(tmp_path / "out.dcm")], capture_output=True, text=True, check=False)
    assert [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")] == []
    record = json.loads((tmp_path / "out-report" / "run.json").read_text())
    assert (record["method"], record["settings"]["weight"], record["delay_frames"]) == ("recursive", 0.3, 0)
    assert record["check"]["noise"]["removed_share"] > 0.4 and record["ms_per_frame"] > 0
    page = (tmp_path / "out-report" / "report.html").read_text()
    assert "data:image/webp;base64," in page and "12 frames of 96 x 96" in page
    assert str(tmp_path) not in page


def test_without_a_method_a_classical_filter_that_spares_motion_and_the_model_can_be_kept(
    file: Path, tmp_path: Path, demottle: Demottle
) -> None:
    model = tmp_path / "filter.safetensors"
    common = ("--no-report", "--method", "motion-adaptive-recursive")
    assert demottle("denoise", file, "-o", tmp_path / "one.dcm", *common, "--save-model", model).exit_code == 0
    again = demottle("denoise", file, "-o", tmp_path / "two.dcm", "--no-report", "--model", model, "--json")
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["method"] == "motion-adaptive-recursive"
    one, two = (io.read(tmp_path / name, accept_own_output=True).voxels for name in ("one.dcm", "two.dcm"))
    assert np.array_equal(one, two)


@pytest.mark.parametrize("name", ["run.nii.gz", "run.tif", "run.npy"])
def test_other_formats_keep_time_and_type(name: str, run: Run, tmp_path: Path, demottle: Demottle) -> None:
    io.write(run.noisy.with_voxels(run.noisy.voxels + 0.25), tmp_path / name)
    extra = ("--modality", "XA", "--spacing", "0.0667,2,2") if name.endswith("npy") else ()
    out = tmp_path / f"out{''.join(Path(name).suffixes)}"
    result = demottle("denoise", tmp_path / name, "-o", out, "--method", "recursive", "--no-report", *extra)
    assert result.exit_code == 0, result.output
    if not extra:
        image = io.read(out, accept_own_output=True)
        assert image.sequence and image.spacing[0] == pytest.approx(1 / 15, rel=1e-3)


def test_what_does_not_go_together_is_told_in_one_sentence(
    file: Path, tmp_path: Path, demottle: Demottle, run: Run
) -> None:
    out = tmp_path / "out.dcm"
    volume = tmp_path / "ct.nii.gz"
    io.write(Image(run.noisy.voxels - 1000, (3.0, 1.0, 1.0), "CT", "HU"), volume)
    for arguments, words in (
        ((file, "--method", "matched-neighbors"), "is for volumes of slices"),
        ((volume, "--method", "recursive", "--modality", "CT"), "is for runs of frames"),
        ((file, "--method", "recursive", "--set", "weight=2"), "has to be above 0 and at most 1"),
    ):
        spared, goal = (arguments, out) if arguments[0] == file else (arguments[:3], out.with_suffix(".nii.gz"))
        result = demottle("denoise", *spared, "-o", goal)
        assert result.exit_code == 2 and words in " ".join(result.stderr.split()), result.output
        assert not goal.exists()


def test_inspect_says_what_it_found_and_what_follows(run: Run, tmp_path: Path, demottle: Demottle, file: Path) -> None:
    shown = demottle("inspect", file)
    assert shown.exit_code == 0, shown.output
    words = " ".join(shown.stdout.split())
    assert "12 frames of 96 x 96 pixels, 15 per second" in words and "proportional to the X-rays" in words
    assert "noise of successive frames is independent" in words and "as quantum noise does" in words
    camera = acquire(dynamic_phantom(20, 96, 15, seed=1, motion="static").image, Exposure(24, recursion=0.4), seed=2)
    io.write(camera.noisy, tmp_path / "camera.dcm")
    found = json.loads(demottle("inspect", tmp_path / "camera.dcm", "--json").stdout)
    assert found["held_over"] == pytest.approx(0.6, abs=0.05)
    assert any("camera seems to filter already" in reason for reason in found["plan"]["reasons"])


def test_a_folder_of_runs_is_worked_through(run: Run, tmp_path: Path, demottle: Demottle) -> None:
    for name in ("a", "b"):
        io.write(run.noisy, tmp_path / "runs" / name / "run.dcm")
    result = demottle("denoise", tmp_path / "runs", "-o", tmp_path / "clean", "--method", "recursive", "--no-report")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "clean" / "a").is_dir() and "noise before" in result.stdout


@pytest.mark.parametrize("frames", [1, 2])
def test_one_or_two_frames_are_no_reason_to_fail(
    frames: int, run: Run, tmp_path: Path, demottle: Callable[..., object]
) -> None:
    short = Image(run.noisy.voxels[:frames].copy(), run.noisy.spacing, "XA", history=run.noisy.history)
    io.write(short, tmp_path / "short.dcm")
    result = demottle("denoise", tmp_path / "short.dcm", "-o", tmp_path / "out.dcm", "--method", "recursive")
    assert result.exit_code == 0, result.output  # type: ignore[attr-defined]


def test_constant_frames_are_refused(tmp_path: Path, demottle: Demottle) -> None:
    io.write(Image(np.full((4, 64, 64), 100, np.float32), (0.1, 1, 1), "XA"), tmp_path / "flat.dcm")
    result = demottle("denoise", tmp_path / "flat.dcm", "-o", tmp_path / "out.dcm")
    assert result.exit_code == 2 and "no noise that could be measured" in " ".join(result.stderr.split())


def test_evaluate_compares_a_run_with_its_truth(run: Run, file: Path, tmp_path: Path, demottle: Demottle) -> None:
    io.write(run.clean, tmp_path / "truth.nii.gz")
    out = tmp_path / "out.dcm"
    assert demottle("denoise", file, "-o", out, "--method", "recursive").exit_code == 0
    again = demottle("report", tmp_path / "out-report", "-o", tmp_path / "again.html")
    assert again.exit_code == 0 and "data:image/webp" in (tmp_path / "again.html").read_text()
    common = ("evaluate", out, "--input", file, "--truth", tmp_path / "truth.nii.gz")
    shown = demottle(*common, "--html", tmp_path / "page.html")
    assert shown.exit_code == 0, shown.output
    assert "PSNR" in shown.stdout and "error over time" in shown.stdout
    page = (tmp_path / "page.html").read_text()
    assert "Against the truth" in page and "error over time" in page
    taken = demottle(*common, "--html", tmp_path / "page.html", "--csv", tmp_path / "none.csv")
    assert taken.exit_code == 2 and "add --overwrite" in " ".join(taken.stderr.split())
    assert not (tmp_path / "none.csv").exists() and (tmp_path / "page.html").read_text() == page
    assert demottle(*common, "--html", tmp_path / "page.html", "--overwrite").exit_code == 0
    assert demottle(*common, "--csv", tmp_path / "figures.csv", "--json").exit_code == 0
    lines = (tmp_path / "figures.csv").read_text().splitlines()
    assert lines[0] == "case,method,figure,unit,before,after"
    assert any(",error over time against the truth," in line for line in lines)
    assert any(",flicker in still parts," in line for line in lines)
    found = json.loads(demottle(*common, "--json").stdout)
    assert found["truth"]["after"]["psnr"] > found["truth"]["before"]["psnr"] + 5
    assert found["check"]["noise"]["removed_share"] > 0.4
    refused = demottle(*common, "--second-input", file, "--second-output", out)
    assert refused.exit_code == 2 and "is for volumes" in " ".join(refused.stderr.split())


def test_titles_of_measures_are_read_from_their_rows(
    file: Path, tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A title is changed in its row and nowhere else: the tables of both verbs and the page follow."""
    keys = ("noise", "held_over", "flicker_still", "mean")
    for key in keys:
        monkeypatch.setitem(vars(sequence_measure(key)), "title", f"⟨{key}⟩")
    denoised = demottle("denoise", file, "-o", tmp_path / "out.dcm", "--method", "recursive").stdout
    assert [key for key in keys if sequence_measure(key).title not in denoised] == []
    page = (tmp_path / "out-report" / "report.html").read_text()
    assert [key for key in keys if key != "mean" and sequence_measure(key).title not in page] == []
    compared = demottle("evaluate", tmp_path / "out.dcm", "--input", file).stdout
    assert [key for key in keys if sequence_measure(key).title not in compared] == []


def test_a_single_frame_is_not_said_to_be_something_that_can_be_done(
    run: Run, tmp_path: Path, demottle: Demottle
) -> None:
    one = Image(run.noisy.voxels[:1].copy(), run.noisy.spacing, "XA", history=run.noisy.history)
    io.write(one, tmp_path / "one.dcm")
    shown = demottle("inspect", tmp_path / "one.dcm")
    assert shown.exit_code == 0, shown.output
    assert "What demottle would do nothing" in " ".join(shown.stdout.split()) and "a single frame" in shown.stdout
    told = json.loads(demottle("inspect", tmp_path / "one.dcm", "--json").stdout)
    assert told["plan"]["method"] is None
    refused = demottle("denoise", tmp_path / "one.dcm", "-o", tmp_path / "out.dcm")
    assert refused.exit_code == 2 and "a single frame" in " ".join(refused.stderr.split())


def test_lag_is_undone_and_the_page_says_so(tmp_path: Path, demottle: Demottle) -> None:
    film = dynamic_phantom(24, 96, 15, seed=1, motion="static").image
    lagged = acquire(film, Exposure(50, lag=0.25, electronic=0.0), seed=2).noisy
    io.write(lagged, tmp_path / "run.dcm")
    result = demottle("denoise", tmp_path / "run.dcm", "-o", tmp_path / "out.dcm", "--method", "recursive")
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "out-report" / "run.json").read_text())
    assert record["fitted"]["lag"] == pytest.approx(0.25, abs=0.05)
    assert any("is undone first" in reason for reason in record["plan_reasons"])
    page = (tmp_path / "out-report" / "report.html").read_text()
    assert "is undone first" in page and "lag undone before anything else" in page
    assert "Besides" not in page


def test_a_model_of_a_run_names_its_frame_time(file: Path, tmp_path: Path, demottle: Demottle) -> None:
    from demottle.methods import Budget
    from demottle.methods.udca import method as udca
    from demottle.noise.sequence.fingerprint import measure_sequence

    image = io.read(file)
    fitted = udca.fit(image, udca.UdcaSettings(patch=32, batch=2), measure_sequence(image), budget=Budget(steps=1))
    fitted.save(tmp_path / "model.safetensors")
    shown = demottle("models", "show", tmp_path / "model.safetensors")
    assert shown.exit_code == 0, shown.output
    words = " ".join(shown.stdout.split())
    assert "frame time (ms) 66.7, 15 frames per second" in words
    assert "pixels (mm) 2.083 x 2.083" in words and "spacing" not in words


def test_a_model_that_learned_from_slices_has_no_frame_time(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    from demottle.cli.models.facts import show_fitted

    show_fitted({"modality": "CT", "spacing_mm": [3.0, 0.7, 0.7], "frame_noise": {"lag": 0.0}}, Console())
    words = " ".join(capsys.readouterr().out.split())
    assert "spacing (mm) 3, 0.7, 0.7" in words and "frame" not in words
