"""`demottle simulate phantom`: every kind, repeats, what is refused, and that nothing half-written is left."""

import json
import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from tests.cli.conftest import Demottle

from demottle import io
from demottle.cli.simulate.phantom_files import RECORD
from demottle.physics.phantoms.structures import GroundTruth

SMALL = ("--slices", "1", "--size", "112")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("water", ["scan", "truth", "truth.json"]),
        ("low-contrast", ["absent", "scan", "truth", "truth.json"]),
        ("rods", ["scan", "truth", "truth.json"]),
        ("wire", ["scan", "truth", "truth.json"]),
    ],
)
def test_every_kind_gives_a_scan_a_truth_and_a_record_that_fit(
    kind: str, names: list[str], tmp_path: Path, demottle: Demottle
) -> None:
    result = demottle("simulate", "phantom", "-o", tmp_path, "--kind", kind, *SMALL)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    scan, truth = io.read(tmp_path / "scan"), io.read(tmp_path / "truth")
    for name, noise in (("scan", {"noise"}), ("truth", set())):
        header = pydicom.dcmread(next((tmp_path / name).iterdir()))
        assert header.ImageType == ["DERIVED", "PRIMARY", "AXIAL", "SIMULATED"] and "BodyPartExamined" not in header
        (step,) = io.read(tmp_path / name).history
        assert step.settings["phantom"] == kind and set(step.settings) == {"phantom"} | noise
    record = GroundTruth.from_json((tmp_path / RECORD).read_text())
    assert scan.shape == truth.shape == record.shape
    assert record.kind == kind and record.spacing == pytest.approx(truth.spacing)
    for structure in record.structures:
        place = structure.in_slice(0, record.spacing)
        assert place is not None
        if structure.task in ("edge", "detection"):
            assert truth.voxels[0, round(place[0]), round(place[1])] == pytest.approx(structure.hu, abs=0.51)


def test_repeats_differ_by_their_noise_and_the_first_is_the_single_scan(tmp_path: Path, demottle: Demottle) -> None:
    common = ("--kind", "low-contrast", *SMALL, "--sigma", "20", "--seed", "5")
    assert demottle("simulate", "phantom", "-o", tmp_path / "many", *common, "--repeats", "2").exit_code == 0
    assert demottle("simulate", "phantom", "-o", tmp_path / "one", *common).exit_code == 0
    many = tmp_path / "many"
    seeds = json.loads((many / RECORD).read_text())["settings"]
    assert len({*seeds["seeds"], *seeds["absent_seeds"]}) == 4
    images = [io.read(many / name).voxels for name in ("repeat-1", "repeat-2", "absent/repeat-1", "absent/repeat-2")]
    assert np.array_equal(images[0], io.read(tmp_path / "one" / "scan").voxels)
    truth, plain = io.read(many / "truth").voxels, io.read(many / "absent" / "truth").voxels
    assert not np.array_equal(truth, plain)
    middle = (0, slice(40, 72), slice(40, 72))
    noises = [(image - base)[middle].ravel() for image, base in zip(images, (truth, truth, plain, plain), strict=True)]
    shared = np.corrcoef(noises)[np.triu_indices(4, 1)]
    assert np.abs(shared).max() < 0.25  # 1024 pixels whose noise reaches over several


def test_overwriting_leaves_no_repeat_of_an_earlier_set_and_other_files_alone(
    tmp_path: Path, demottle: Demottle
) -> None:
    common = ("simulate", "phantom", "-o", tmp_path, "--kind", "water", *SMALL)
    assert demottle(*common, "--repeats", "3").exit_code == 0
    (tmp_path / "notes.txt").write_text("mine")
    before = sorted(tmp_path.iterdir())
    refused = demottle(*common)
    assert refused.exit_code == 2 and "exists already" in refused.stderr
    assert sorted(tmp_path.iterdir()) == before
    assert demottle(*common, "--overwrite").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "scan", "truth", "truth.json"]


def test_what_fails_late_leaves_nothing(tmp_path: Path, demottle: Demottle, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: GroundTruth) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(GroundTruth, "to_json", fail)
    result = demottle("simulate", "phantom", "-o", tmp_path / "new" / "set", "--kind", "water", *SMALL)
    assert result.exit_code == 2 and "No space left" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kind", "head"), "no phantom 'head'"),
        (("--kind", "water", "--spacing", "3,1,1"), "show 64 mm"),
        (("--kind", "water", "--diameter", "-20"), "positive"),
        (("--kind", "water", "--contrast", "20"), "takes no contrast"),
        (("--kind", "body", "--blur", "1"), "takes no blur"),
        (("--kind", "low-contrast", "--size", "40"), "too large for disc 3 mm"),
        (("--kind", "rods", "--contrast", "-35"), "positive"),
        (("--kind", "rods", "--size", "64", "--spacing", "3,4,4"), "too large"),
        (("--kind", "rods", "--blur", "-1"), "blur"),
        (("--kind", "wire", "--slices", "300"), "leaves the water"),
        (("--kind", "wire", "--blur", "0", "--size", "512"), "16 bits"),
        (("--kind", "water", "--dose", "0"), "dose"),
        (("--kind", "water", "--kernel", "bone"), "no kernel 'bone'"),
        (("--kind", "water", "--frames", "5"), "--frames is for"),
        (("--kind", "dynamic", "--sigma", "5"), "--sigma is for"),
        (("--kind", "dynamic", "--rate", "0"), "positive"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(
    arguments: tuple[str, ...], words: str, tmp_path: Path, demottle: Demottle
) -> None:
    size = () if "--size" in arguments else ("--size", "64")
    result = demottle("simulate", "phantom", "-o", tmp_path / "set", *arguments, *size)
    assert result.exit_code == 2, result.output
    assert words in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_dynamic_comes_as_nifti_with_its_flow(tmp_path: Path, demottle: Demottle) -> None:
    result = demottle(
        "simulate", "phantom", "-o", tmp_path, "--kind", "dynamic", "--frames", "3", "--size", "48", "--rate", "10"
    )
    assert result.exit_code == 0, result.output
    assert "not DICOM" in result.stderr
    frames = nibabel.load(tmp_path / "truth.nii.gz")
    assert frames.shape == (48, 48, 1, 3)
    assert np.load(tmp_path / "flow.npy").shape == (3, 48, 48, 2)
    assert np.load(tmp_path / "parts.npy").shape == (3, 48, 48)
    record = GroundTruth.from_json((tmp_path / RECORD).read_text())
    assert record.spacing[0] == pytest.approx(0.1) and len(record.settings["tip_pixels"]) == 3


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed (Debian: dicom3tools)")
def test_dciodvfy_finds_no_error(tmp_path: Path, demottle: Demottle) -> None:
    assert demottle("simulate", "phantom", "-o", tmp_path, "--kind", "low-contrast", *SMALL).exit_code == 0
    for path in sorted(tmp_path.rglob("*.dcm")):
        done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
        assert [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")] == []


def test_the_brain_is_written_as_nifti_with_rician_noise_and_says_that_it_is_mr(
    tmp_path: Path, demottle: Demottle
) -> None:
    common = ("simulate", "phantom", "--kind", "brain", "--slices", "2", "--size", "96")
    result = demottle(*common, "-o", tmp_path / "one", "--sigma", "7", "--weighting", "t2")
    assert result.exit_code == 0 and "--modality MR" in result.stderr, result.output
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["scan.nii.gz", "truth.json", "truth.nii.gz"]
    scan, truth = (io.read(tmp_path / "one" / f"{name}.nii.gz", modality="MR") for name in ("scan", "truth"))
    record = GroundTruth.from_json((tmp_path / "one" / RECORD).read_text())
    assert record.kind == "brain" and record.settings["sigma"] == pytest.approx(0.07 * truth.voxels.max(), rel=1e-4)
    air = scan.voxels[:, :3]
    assert air.mean() == pytest.approx(record.settings["sigma"] * np.sqrt(np.pi / 2), rel=0.05)
    assert demottle(*common, "-o", tmp_path / "many", "--repeats", "2").exit_code == 0
    assert {path.name for path in (tmp_path / "many").iterdir()} >= {"repeat-1.nii.gz", "repeat-2.nii.gz"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--kind", "brain", "--kernel", "sharp"), "--kernel is for CT"),
        (("--kind", "brain", "--dose", "0.5"), "--dose is for CT"),
        (("--kind", "water", "--weighting", "t1"), "--weighting is for --kind brain"),
        (("--kind", "brain", "--acquired", "2"), "share of k-space"),
        (("--kind", "dynamic", "--uneven", "1"), "leave it out"),
    ],
)
def test_choices_of_one_modality_are_refused_for_another(
    options: tuple[str, ...], words: str, tmp_path: Path, demottle: Demottle
) -> None:
    result = demottle("simulate", "phantom", "-o", tmp_path / "out", "--size", "96", "--slices", "1", *options)
    assert result.exit_code == 2 and words in result.stderr
    assert not (tmp_path / "out").exists()
