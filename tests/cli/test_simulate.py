"""`demottle simulate phantom`."""

from pathlib import Path

import numpy as np
from tests.cli.conftest import Demottle

from demottle import io
from demottle.cli.pages import record_of
from demottle.image import ProcessingStep

SMALL = ("--slices", "3", "--size", "64")


def test_scan_and_truth_differ_by_noise_alone(simulated: Path) -> None:
    scan, truth = io.read(simulated / "scan"), io.read(simulated / "truth")
    assert (scan.modality, scan.unit, scan.shape) == ("CT", "HU", (8, 160, 160))
    assert scan.spacing == truth.spacing
    noise = (scan.voxels - truth.voxels)[:, 60:100, 60:100]
    assert 20 < np.std(noise) < 70
    assert abs(float(noise.mean())) < 5


def test_the_same_seed_gives_the_same_scan_and_nothing_is_replaced_unasked(tmp_path: Path, demottle: Demottle) -> None:
    assert demottle("simulate", "phantom", "-o", tmp_path / "a", *SMALL, "--seed", "3").exit_code == 0
    assert demottle("simulate", "phantom", "-o", tmp_path / "b", *SMALL, "--seed", "3").exit_code == 0
    first = io.read(tmp_path / "a" / "scan").voxels
    assert np.array_equal(first, io.read(tmp_path / "b" / "scan").voxels)
    again = demottle("simulate", "phantom", "-o", tmp_path / "a", *SMALL, "--seed", "4")
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    assert demottle("simulate", "phantom", "-o", tmp_path / "a", *SMALL, "--seed", "4", "--overwrite").exit_code == 0
    assert not np.array_equal(first, io.read(tmp_path / "a" / "scan").voxels)


def test_that_a_phantom_was_simulated_is_no_method_of_denoising(simulated: Path) -> None:
    scan, truth = io.read(simulated / "scan"), io.read(simulated / "truth")
    assert scan.history and "method" not in record_of(scan, truth)
    clean = scan.with_voxels(scan.voxels, ProcessingStep("some-filter", "1"))
    assert record_of(scan, clean)["method"] == "some-filter"
