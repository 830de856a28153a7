"""The standard error of every voxel, as a file beside the result."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from tests.cli.conftest import Demottle

from demottle import io
from demottle.image import Image
from demottle.quality.check.tissues import labelled_slices, tissues_of

FAST = ("--method", "spectral-wiener", "--force")


def read(path: Path) -> Image:
    return (
        io.read(path, accept_own_output=True, modality="CT", unit="HU")
        if path.is_file()
        else io.read(path, accept_own_output=True)
    )


@pytest.mark.parametrize("name", ["error", "error.nii.gz"])
def test_it_is_written_beside_the_result_in_tenths_of_a_hu(
    name: str, simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    made = demottle(
        "denoise", simulated / "scan", "-o", tmp_path / "out", *FAST, "--uncertainty", tmp_path / name, "--json"
    )
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    scan, error = io.read(simulated / "scan"), read(tmp_path / name)
    assert error.shape == scan.shape and error.spacing == pytest.approx(scan.spacing)
    assert np.array_equal(error.voxels, np.rint(error.voxels)) and error.voxels.min() >= 0
    soft = next(one for one in told["uncertainty"]["tissues"] if one["tissue"] == "soft tissue")
    result = read(tmp_path / "out")
    number = 1 + [tissue.name for tissue in tissues_of(result)].index("soft tissue")
    there = np.concatenate([error.voxels[z][of == number] for z, of in labelled_slices(result, reference=result)])
    assert np.median(there) / 10 == pytest.approx(soft["median_hu"], abs=0.2)
    assert told["files"] == {"uncertainty": str(tmp_path / name)}
    if name == "error":
        header = pydicom.dcmread(next((tmp_path / name).iterdir()))
        assert header.ImageType[0] == "DERIVED" and "map-of-uncertainty" in header.SeriesDescription
        assert '"unit": "0.1 HU"' in header.DerivationDescription


def test_one_that_is_there_is_not_replaced_unasked(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    (tmp_path / "error.nii.gz").write_bytes(b"kept")
    result = demottle(
        "denoise", simulated / "scan", "-o", tmp_path / "out", *FAST, "--uncertainty", tmp_path / "error.nii.gz"
    )
    assert result.exit_code == 2
    assert (tmp_path / "error.nii.gz").read_bytes() == b"kept"
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_the_results_or_of_no_format_is_refused_before_the_work(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    for name in ("out", "error.xyz"):
        made = demottle("denoise", simulated / "scan", "-o", tmp_path / "out", *FAST, "--uncertainty", tmp_path / name)
        assert made.exit_code == 2, made.output
        assert not list(tmp_path.iterdir())


def test_a_name_without_ending_gets_that_of_the_scan_and_no_number_stays_none(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    voxels = io.read(simulated / "scan").voxels[:2, 20:140, 20:140].copy()
    voxels[:, :8] = np.nan
    nibabel.save(nibabel.Nifti1Image(voxels.T, np.diag([2.0, 2.0, 3.0, 1.0])), tmp_path / "scan.nii.gz")
    told = ("--modality", "CT", *FAST, "--no-report")
    made = demottle(
        "denoise", tmp_path / "scan.nii.gz", "-o", tmp_path / "out", *told, "--uncertainty", tmp_path / "se"
    )
    assert made.exit_code == 0, made.output
    error = np.asarray(nibabel.load(tmp_path / "se.nii.gz").dataobj).T
    assert np.isnan(error[:, :8]).all() and np.isfinite(error[:, 8:]).all()


def test_of_several_scans_there_is_no_one_file(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    made = demottle("denoise", simulated, "-o", tmp_path / "out", *FAST, "--uncertainty", tmp_path / "se.nii.gz")
    assert made.exit_code == 2 and "needs a single scan" in made.output
    assert not list(tmp_path.iterdir())
