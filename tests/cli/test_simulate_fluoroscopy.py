"""`demottle simulate fluoroscopy`: a run with its truth, whole or not at all."""

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from tests.cli.conftest import Demottle

from demottle import io
from demottle.image import Image

SMALL = ("--size", "48", "--frames", "4", "--rate", "10")
NAMES = ["flow.npy", "parts.npy", "run.dcm", "truth.json", "truth.nii.gz"]


def test_the_run_its_truth_and_its_flow_belong_together(tmp_path: Path, demottle: Demottle) -> None:
    command = ("simulate", "fluoroscopy", *SMALL, "--motion", "slow", "--quanta", "50", "--seed", "3")
    result = demottle(*command, "-o", tmp_path / "one")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == NAMES
    run, truth = (io.read(tmp_path / "one" / name) for name in ("run.dcm", "truth.nii.gz"))
    assert run.shape == truth.shape == (4, 48, 48)
    assert run.spacing == pytest.approx(truth.spacing) and run.spacing[0] == pytest.approx(0.1)
    assert run.sequence and truth.sequence
    assert run.history[-1].method == "simulate-fluoroscopy"
    header = pydicom.dcmread(tmp_path / "one" / "run.dcm")
    assert (header.BodyPartExamined, header.PatientID) == ("CHEST", "PHANTOM-DEMOTTLE")
    error = run.voxels - truth.voxels
    record = json.loads((tmp_path / "one" / "truth.json").read_text())
    facts = record["exposure"]
    expected = facts["gain"] * (truth.voxels - facts["black"]) + facts["noise_offset"]
    assert abs(error.mean()) < 3 * np.sqrt(expected.mean() / error.size)
    assert error.var() == pytest.approx(expected.mean(), rel=0.1)
    assert np.load(tmp_path / "one" / "flow.npy").shape == (4, 48, 48, 2)
    assert (record["preset"], facts["quanta"], len(record["tip_pixels"])) == ("slow", 50, 4)
    assert demottle(*command, "-o", tmp_path / "two").exit_code == 0
    for name in NAMES:  # nothing but the time in the gzip header may differ
        if name != "truth.nii.gz":
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_through_a_ct_scan(tmp_path: Path, demottle: Demottle) -> None:
    water = np.full((10, 24, 40), -1000, np.float32)
    water[:, 4:20, 4:36] = 0
    io.write(Image(water, (8.0, 7.0, 7.0), "CT", "HU"), tmp_path / "ct.nii.gz")
    result = demottle("simulate", "fluoroscopy", *SMALL, "--from", tmp_path / "ct.nii.gz", "-o", tmp_path / "set")
    assert result.exit_code == 0, result.output
    run = io.read(tmp_path / "set" / "run.dcm")
    assert run.spacing[1] == pytest.approx(80 / 48)  # the scan is 80 mm high
    assert run.voxels.std() > 0
    header = pydicom.dcmread(tmp_path / "set" / "run.dcm")
    assert "BodyPartExamined" not in header and not header.PatientName  # the scan may show anything, of anybody


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--motion", "wild"), "no motion 'wild'"),
        (("--quanta", "0"), "quanta of the simulated exposure"),
        (("--display", "sepia"), "no display 'sepia'"),
        (("--bits", "20"), "from 8 to 16"),
        (("--rate", "0"), "positive"),
        (("--from", "nowhere"), "no file or folder nowhere"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(
    arguments: tuple[str, ...], words: str, tmp_path: Path, demottle: Demottle
) -> None:
    result = demottle("simulate", "fluoroscopy", "-o", tmp_path / "set", "--size", "48", "--frames", "2", *arguments)
    assert result.exit_code == 2, result.output
    assert words in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []
