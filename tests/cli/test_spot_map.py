"""The map of spots that are not noise, as a file beside the result."""

from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import Demottle

from demottle import io
from demottle.image import Image
from demottle.quality.check.spots.derived import OF_NOISE
from demottle.quality.check.spots.spots import spot_map

FAST = ("--method", "spectral-wiener", "--no-report", "--force")


def read(path: Path) -> Image:
    return (
        io.read(path, accept_own_output=True, modality="CT", unit="HU")
        if path.is_file()
        else io.read(path, accept_own_output=True)
    )


@pytest.mark.parametrize("name", ["map", "map.nii.gz"])
def test_denoise_and_evaluate_write_the_same_map(
    name: str, simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    scan, out = simulated / "scan", tmp_path / "out"
    made = demottle("denoise", scan, "-o", out, *FAST, "--map", tmp_path / name)
    assert made.exit_code == 0, made.output
    first = read(tmp_path / name)
    found = spot_map(io.read(scan), read(out))
    assert found is not None
    assert first.shape == io.read(scan).shape
    assert np.abs(first.voxels).max() == pytest.approx(OF_NOISE * found.largest, rel=0.15)
    assert np.array_equal(first.voxels, np.rint(first.voxels))
    again = tmp_path / f"again-{name}"
    told = demottle("evaluate", out, "--input", scan, "--map", again)
    assert told.exit_code == 0, told.output
    # What was written is the result in whole HU.
    sizes = np.abs(read(again).voxels), np.abs(first.voxels)
    assert np.abs(sizes[0] - sizes[1]).max() <= 0.1 * sizes[1].max()


def test_a_map_that_is_there_is_not_replaced_unasked(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    (tmp_path / "map.nii.gz").write_bytes(b"kept")
    result = demottle("denoise", simulated / "scan", "-o", tmp_path / "out", *FAST, "--map", tmp_path / "map.nii.gz")
    assert result.exit_code == 2
    assert (tmp_path / "map.nii.gz").read_bytes() == b"kept"
    assert not (tmp_path / "out").exists()


def test_where_there_is_no_map_it_is_said_and_nothing_is_written(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    values = np.random.default_rng(0).normal(500, 20, (6, 64, 64)).astype(np.float32)
    io.write(Image(values, (3.0, 1.0, 1.0), "MR"), tmp_path / "head.nii.gz")
    result = demottle(
        "denoise",
        tmp_path / "head.nii.gz",
        "-o",
        tmp_path / "out.nii.gz",
        "--modality",
        "MR",
        *FAST,
        "--map",
        tmp_path / "map.nii.gz",
    )
    assert result.exit_code == 2
    assert "leave out --map" in " ".join(result.stderr.split())
    assert not (tmp_path / "out.nii.gz").exists() and not (tmp_path / "map.nii.gz").exists()
