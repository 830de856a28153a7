"""`demottle doctor`."""

import json

import pytest
from tests.cli.conftest import Demottle

from demottle.doctor import diagnosis
from demottle.doctor.pace import Pace
from demottle.doctor.packages import Package


def test_it_says_what_is_there_and_that_scans_can_be_denoised(demottle: Demottle) -> None:
    result = demottle("doctor", "--quick")
    words = " ".join(result.stdout.split())
    assert result.exit_code == 0
    for wanted in (
        "torch",
        "JPEG 2000",
        "core",
        "extra onnx",
        "bm3d and bm4d",
        "dciodvfy",
        "Scans can be denoised here.",
    ):
        assert wanted in words


def test_it_says_who_decodes_what_is_compressed(demottle: Demottle) -> None:
    words = " ".join(demottle("doctor", "--quick").stdout.split())
    assert "Implicit VR Little Endian; " in words  # nobody has to decode it
    assert "JPEG-LS lossless (gdcm, pyjpegls" in words


def test_the_time_of_a_scan_is_told_in_words(demottle: Demottle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "demottle.doctor.pace.measure_pace", lambda listener: Pace(step=0.4, once=10.0, slice=0.5, steps=500)
    )
    assert "64 slices of 512 x 512 take about 4 minutes" in " ".join(demottle("doctor").stdout.split())
    told = json.loads(demottle("doctor", "--json").stdout)
    assert told["pace"]["scan"] == pytest.approx(242) and told["problems"] == []


def test_a_problem_ends_with_code_1_and_a_sentence(demottle: Demottle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "needed_packages", lambda: (Package("highdicom", ">=0.25", None, False),))
    result = demottle("doctor")
    assert result.exit_code == 1
    assert "Problem: highdicom is not installed" in " ".join(result.stdout.split())
    assert "can be denoised" not in result.stdout
    assert demottle("doctor", "--json").exit_code == 1
