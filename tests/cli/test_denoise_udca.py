"""udca on a stack of CT slices, the paper's second experiment, through the command line."""

import json
from pathlib import Path

import numpy as np
from tests.cli.conftest import Demottle

from demottle import io


def test_a_ct_scan_is_denoised_by_udca_with_page_record_and_model(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    out, model = tmp_path / "out", tmp_path / "model.safetensors"
    small = ("--steps", "3", "--set", "patch=64", "--set", "batch=2")
    command = ("denoise", simulated / "scan", "-o", out, "--method", "udca", *small, "--force", "--save-model", model)
    result = demottle(*command)
    assert result.exit_code == 0, result.output
    before, after = io.read(simulated / "scan"), io.read(out, accept_own_output=True)
    truth = io.read(simulated / "truth", accept_own_output=True)
    assert after.shape == before.shape and after.history[-1].method == "udca"
    tissue = (truth.voxels > -150) & (truth.voxels < 200)
    rms = [float(np.sqrt(((image.voxels - truth.voxels)[tissue] ** 2).mean())) for image in (before, after)]
    assert rms[1] < 0.8 * rms[0]
    record = json.loads((tmp_path / "out-report" / "run.json").read_text())
    assert record["fitted"]["student"] == "single" and record["fitted"]["steps"] == 3
    page = (tmp_path / "out-report" / "report.html").read_text()
    assert "cross-fusion matrix" in page and "Neighbors in the result" not in page
    again = demottle("denoise", simulated / "scan", "-o", tmp_path / "two", "--model", model, "--no-report", "--force")
    assert again.exit_code == 0, again.output
    assert np.array_equal(io.read(tmp_path / "two", accept_own_output=True).voxels, after.voxels)
