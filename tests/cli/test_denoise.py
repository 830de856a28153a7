"""`demottle denoise` as a user meets it, with the classical filter, which takes a second."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import Demottle

from demottle import io

FILTER = ("--method", "spectral-wiener")
PLAIN = (*FILTER, "--no-report")


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_folder_in_a_folder_out_and_nothing_but_dicom_in_it(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    result = demottle("denoise", simulated / "scan", "-o", tmp_path / "out", *FILTER)
    assert result.exit_code == 0, result.output
    assert all(name.endswith(".dcm") for name in names_in(tmp_path / "out"))
    assert len(names_in(tmp_path / "out")) == 8
    assert names_in(tmp_path / "out-report") == ["report.html", "run.json"]
    before, after = io.read(simulated / "scan"), io.read(tmp_path / "out", accept_own_output=True)
    assert after.shape == before.shape
    assert np.std(after.voxels - before.voxels) > 5


def test_the_end_of_a_run_tells_figures_and_places(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    result = demottle("denoise", simulated / "scan", "-o", tmp_path / "out", *FILTER)
    for word in ("noise level (HU)", "CT number, soft tissue (HU)", "before", "after", "denoising", "report.html"):
        assert word in result.stdout.replace("\n", "")
    assert "Denoising: done in" in result.stderr


def test_run_json_holds_what_was_done(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    result = demottle("denoise", simulated / "scan", "-o", tmp_path / "out", *FILTER, "--set", "window=16", "--json")
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "out-report" / "run.json").read_text())
    assert record["method"] == "spectral-wiener"
    assert record["settings"]["window"] == 16
    assert record["output"] == str(tmp_path / "out")
    assert record["check"]["noise"]["after"] < record["check"]["noise"]["before"]
    assert {"start", "read", "measure", "apply", "check", "report"} <= set(record["times"])
    printed = json.loads(result.stdout)
    assert printed.keys() == record.keys()


def test_the_format_of_the_output_is_that_of_its_ending(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    result = demottle("denoise", simulated / "scan", "-o", tmp_path / "out.nii.gz", *PLAIN)
    assert result.exit_code == 0, result.output
    assert names_in(tmp_path) == ["out.nii.gz"]
    result = demottle("denoise", simulated / "scan", "-o", tmp_path / "again", "--format", "nrrd", *PLAIN)
    assert result.exit_code == 0, result.output
    assert names_in(tmp_path) == ["again.nrrd", "out.nii.gz"]


def test_an_array_needs_its_spacing(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    image = io.read(simulated / "scan")
    np.save(tmp_path / "scan.npy", image.voxels)
    result = demottle("denoise", tmp_path / "scan.npy", "-o", tmp_path / "out", *PLAIN)
    assert result.exit_code == 2
    assert "spacing" in result.stderr
    more = ("--spacing", ",".join(str(side) for side in image.spacing), "--modality", "CT")
    result = demottle("denoise", tmp_path / "scan.npy", "-o", tmp_path / "out", *PLAIN, *more)
    assert result.exit_code == 0, result.output
    assert names_in(tmp_path) == ["out.npy", "scan.npy"]


def test_strength_0_gives_the_input_back(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    result = demottle("denoise", simulated / "scan", "-o", tmp_path / "out", *PLAIN, "--strength", "0")
    assert result.exit_code == 0, result.output
    after = io.read(tmp_path / "out", accept_own_output=True)
    assert np.array_equal(after.voxels, io.read(simulated / "scan").voxels)


def test_a_saved_model_does_the_same_again(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    model = tmp_path / "models" / "a.safetensors"
    first = demottle("denoise", simulated / "scan", "-o", tmp_path / "one", *PLAIN, "--save-model", model)
    assert first.exit_code == 0, first.output
    second = demottle("denoise", simulated / "scan", "-o", tmp_path / "two", "--model", model, "--no-report")
    assert second.exit_code == 0, second.output
    one, two = (io.read(tmp_path / name, accept_own_output=True) for name in ("one", "two"))
    assert np.array_equal(one.voxels, two.voxels)


@pytest.mark.parametrize("taken", ["out/image.dcm", "out-report/report.html", "model"])
def test_what_exists_is_not_replaced_unasked(taken: str, simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("mine")
    arguments = ("denoise", simulated / "scan", "-o", tmp_path / "out", *FILTER, "--save-model", tmp_path / "model")
    result = demottle(*arguments)
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert names_in(tmp_path) == [taken]
    result = demottle(*arguments, "--overwrite")
    assert result.exit_code == 0, result.output
    assert len(names_in(tmp_path)) == 8 + 2 + 1


@pytest.mark.parametrize(
    ("output", "word"),
    [("scan", "is an input"), ("scan/out", "inside"), ("out.xyz", "does not write"), ("a.zip", ".zip")],
)
def test_an_output_that_cannot_be_is_refused_at_once(
    output: str, word: str, simulated: Path, demottle: Demottle
) -> None:
    result = demottle("denoise", simulated / "scan", "-o", simulated / output, *PLAIN)
    assert result.exit_code == 2
    assert word in result.stderr
    assert "Reading" not in result.stderr


def test_an_unknown_method_setting_or_format_is_named(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    start = ("denoise", simulated / "scan", "-o", tmp_path / "out")
    for wrong, told in (
        (("--method", "magic"), "spectral-wiener"),
        ((*FILTER, "--set", "magic=1"), "threshold"),
        ((*FILTER, "--format", "jpeg"), "nifti"),
    ):
        result = demottle(*start, *wrong)
        assert result.exit_code == 2
        assert told in result.stderr
        assert result.stderr.count("Error:") == 1
    assert names_in(tmp_path) == []


def test_our_own_output_is_refused_unless_asked_for(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    assert demottle("denoise", simulated / "scan", "-o", tmp_path / "one", *PLAIN).exit_code == 0
    result = demottle("denoise", tmp_path / "one", "-o", tmp_path / "two", *PLAIN)
    assert result.exit_code == 2
    assert not (tmp_path / "two").exists()
    result = demottle("denoise", tmp_path / "one", "-o", tmp_path / "two", *PLAIN, "--accept-own-output")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("content", [None, b"", b"not an image"])
def test_nothing_readable_is_one_sentence(content: bytes | None, tmp_path: Path, demottle: Demottle) -> None:
    scan = tmp_path / "scan"
    if content is not None:
        scan.mkdir()
        (scan / "file").write_bytes(content)
    result = demottle("denoise", scan, "-o", tmp_path / "out", *PLAIN)
    assert result.exit_code == 2
    assert result.stderr.count("Error:") == 1
    assert "bug" not in result.stderr


def test_a_slice_that_is_missing_is_named(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    scan = tmp_path / "scan"
    scan.mkdir()
    for file in sorted((simulated / "scan").iterdir()):
        if "0004" not in file.name:
            (scan / file.name).symlink_to(file)
    result = demottle("denoise", scan, "-o", tmp_path / "out", *PLAIN)
    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert "missing between 6 and 12 mm" in said and "--accept-uneven" in said
    result = demottle("denoise", scan, "-o", tmp_path / "out", *PLAIN, "--accept-uneven")
    assert result.exit_code == 0, result.output


def test_settings_are_checked_before_the_scan_is_read(tmp_path: Path, demottle: Demottle) -> None:
    (tmp_path / "scan.npy").write_bytes(b"not even a scan")
    result = demottle("denoise", tmp_path / "scan.npy", "-o", tmp_path / "out.npy", *FILTER, "--set", "window=17")
    assert result.exit_code == 2
    assert "multiple of 8" in result.stderr


def test_a_file_that_does_not_say_its_modality_brings_the_option_to_mind(tmp_path: Path, demottle: Demottle) -> None:
    noise = np.random.default_rng(0).normal(1000, 20, (2, 96, 96)).astype(np.float32)
    np.save(tmp_path / "scan.npy", noise)
    result = demottle("denoise", tmp_path / "scan.npy", "-o", tmp_path / "out.npy", *PLAIN)
    assert "Use --spacing Z,Y,X." in " ".join(result.stderr.split())
    arguments = (tmp_path / "scan.npy", "-o", tmp_path / "out.npy", "--spacing", "3,1,1", "--force", *PLAIN)
    result = demottle("denoise", *arguments)
    assert result.exit_code == 0, result.output
    assert "--modality CT" in " ".join(result.stderr.split())


def test_the_model_of_a_filter_says_what_it_holds(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    result = demottle(
        "denoise", simulated / "scan", "-o", tmp_path / "out", *PLAIN, "--save-model", tmp_path / "a.model"
    )
    assert result.exit_code == 0, result.output
    assert "spectral-wiener learns nothing" in " ".join(result.stdout.split())


def test_the_share_that_texture_chose_is_told(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    texture = ("--texture", "0.4", "--no-report", "--force", "--method", "spectral-wiener")
    result = demottle("denoise", simulated / "scan", "-o", tmp_path / "out", *texture)
    assert result.exit_code == 0 and "40 % of the noise left" in " ".join(result.stdout.split())
