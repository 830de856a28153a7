"""What is wrong with a machine is said in a sentence each; nothing broken raises."""

import json
import sys
from dataclasses import replace

import pytest

from demottle.doctor import diagnosis
from demottle.doctor.pace import Pace
from demottle.doctor.packages import Package


def test_a_sound_installation_has_no_problems() -> None:
    found = diagnosis.examine(quick=True)
    assert found.problems == () and found.pace is None
    assert all(kind.readable for kind in found.syntaxes)
    assert {"gdcm", "pyjpegls"} <= {name for kind in found.syntaxes for name in kind.decoders if "JPEG-LS" in kind.name}


def test_a_missing_package_is_a_problem_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = (Package("pyjpegls", ">=1.4", None, False), Package("numpy", ">=2.0", "1.26.4", False))
    monkeypatch.setattr(diagnosis, "needed_packages", lambda: gone)
    found = diagnosis.examine()  # not quick: with problems there is no trial
    assert found.pace is None
    assert 'pip install "pyjpegls>=1.4"' in found.problems[0]
    assert "version 1.26.4" in found.problems[1]


def test_a_broken_pytorch_is_a_problem_and_does_not_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("libtorch_cpu.so: cannot open shared object file\nmore")

    monkeypatch.setattr(diagnosis, "device", broken)
    found = diagnosis.examine(quick=True)
    assert found.device is None
    assert found.problems == (
        "PyTorch cannot be loaded (OSError: libtorch_cpu.so: cannot open shared object file); install it again.",
    )


def test_a_failed_trial_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "demottle.doctor.pace", None)  # importing it fails
    assert "trial run" in diagnosis.examine().problems[0]


def test_a_busy_machine_says_that_its_time_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demottle.doctor.pace.measure_pace", lambda listener: Pace(0.4, 10.0, 0.5, 500))
    here = diagnosis.machine()
    for load, told in ((0.0, False), (9.0 * here.cores, True)):
        monkeypatch.setattr(diagnosis, "machine", lambda load=load: replace(here, load=load))
        assert any("busy" in note for note in diagnosis.examine().notes) == told
    assert not any("busy" in note for note in diagnosis.examine(quick=True).notes)


def test_what_is_sent_with_a_bug_names_no_folder() -> None:
    found = diagnosis.examine(quick=True)
    text = json.dumps(found.to_dict())
    assert str(found.machine.temporary) not in text
    assert found.version in text
