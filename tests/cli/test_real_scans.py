"""The program on real scans: DEMOTTLE_REAL_DATA=FOLDER pytest -m real_data."""

import json
import os
from pathlib import Path

import pytest
from tests.cli.conftest import Demottle

from demottle import io

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif("DEMOTTLE_REAL_DATA" not in os.environ, reason="DEMOTTLE_REAL_DATA is not set"),
]


@pytest.fixture
def chest() -> Path:
    return Path(os.environ["DEMOTTLE_REAL_DATA"]) / "chest-ct-dicom" / "dicom"


def test_the_chest_scan_is_measured_right(chest: Path, demottle: Demottle) -> None:
    result = demottle("inspect", chest, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["shape"] == [102, 512, 512]
    assert told["slice_correlation"][0] == pytest.approx(0.23, abs=0.05)
    assert told["plan"]["method"] == "guided-bayes"


@pytest.mark.slow
def test_the_chest_scan_is_denoised_with_its_ct_numbers_kept(chest: Path, tmp_path: Path, demottle: Demottle) -> None:
    result = demottle("denoise", chest, "-o", tmp_path / "out", "--method", "spectral-wiener")
    assert result.exit_code == 0, result.output
    check = json.loads((tmp_path / "out-report" / "run.json").read_text())["check"]
    assert check["noise"]["removed_share"] > 0.3
    assert all(abs(tissue["shift"]) < 2 for tissue in check["tissues"])
    assert io.read(tmp_path / "out", accept_own_output=True).shape == (102, 512, 512)
