"""`demottle evaluate`."""

import json
from pathlib import Path

from tests.cli.conftest import Demottle


def test_an_output_is_compared_with_its_input_and_the_truth(
    simulated: Path, tmp_path: Path, demottle: Demottle
) -> None:
    made = demottle("denoise", simulated / "scan", "-o", tmp_path / "out", "--method", "spectral-wiener", "--no-report")
    assert made.exit_code == 0, made.output
    arguments = ("evaluate", tmp_path / "out", "--input", simulated / "scan")
    alone = demottle(*arguments)
    assert alone.exit_code == 0, alone.output
    assert "Against the truth" not in alone.stdout
    assert "Not measured" in alone.stdout
    result = demottle(*arguments, "--truth", simulated / "truth")
    assert result.exit_code == 0, result.output
    for word in (
        "noise level (HU)",
        "Against the truth",
        "in the body",
        "PSNR, SSIM, VIF and GMSD in [-160, 240] HU",
        "RMSE (HU)",
    ):
        assert word in result.stdout
    told = json.loads(demottle(*arguments, "--truth", simulated / "truth", "--json").stdout)
    assert told["truth"]["after"]["rmse"] < told["truth"]["before"]["rmse"]
    assert told["check"]["noise"]["after"] < told["check"]["noise"]["before"]


def test_images_of_different_shape_cannot_be_compared(simulated: Path, tmp_path: Path, demottle: Demottle) -> None:
    arguments = ("--slices", "3", "--size", "64")
    assert demottle("simulate", "phantom", "-o", tmp_path, *arguments).exit_code == 0
    result = demottle("evaluate", tmp_path / "scan", "--input", simulated / "scan")
    assert result.exit_code == 2
    assert "shape" in result.stderr
    result = demottle("evaluate", simulated / "scan", "--input", simulated / "scan", "--truth", tmp_path / "truth")
    assert result.exit_code == 2
    assert "shape" in result.stderr
