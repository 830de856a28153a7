"""What is wrong with a machine is said in a sentence each; nothing broken raises."""

import json
import sys

import pytest

from demottle.doctor import diagnosis
from demottle.doctor.packages import Package


def test_a_sound_installation_has_no_problems() -> None:
    found = diagnosis.examine(quick=True)
    assert found.problems == () and found.pace is None
    assert all(kind.readable for kind in found.syntaxes)
    assert any("JPEG-LS" in kind.name for kind in found.syntaxes)


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


def test_what_is_sent_with_a_bug_names_no_folder() -> None:
    found = diagnosis.examine(quick=True)
    text = json.dumps(found.to_dict())
    assert str(found.machine.temporary) not in text
    assert found.version in text
