"""The machine as it is, and as a container limits it."""

from pathlib import Path

import pytest

from demottle.doctor import machine as machine_file
from demottle.doctor.machine import device, machine


def test_this_machine_has_a_processor_and_room() -> None:
    here = machine()
    assert here.processor and here.cores >= 1 and here.writable
    assert here.disk_free is not None and here.disk_free > 0


def test_a_container_that_may_use_less_memory_says_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        "_MEMINFO": "MemTotal: 99 kB\nMemAvailable: 8388608 kB\n",
        "_LIMIT": "3221225472\n",
        "_USED": "1073741824\n",
    }
    for name, text in names.items():
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(machine_file, name, tmp_path / name)
    assert machine().memory_free == pytest.approx(2.0)
    (tmp_path / "_LIMIT").write_text("max\n")
    assert machine().memory_free == pytest.approx(8.0)
    monkeypatch.setattr(machine_file, "_MEMINFO", tmp_path / "none")
    assert machine().memory_free is None


def test_a_temporary_folder_that_is_not_there_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_file.tempfile, "tempdir", str(tmp_path / "gone"))
    here = machine()
    assert not here.writable and here.disk_free is None


def test_the_device_is_one_that_pytorch_has() -> None:
    found = device()
    assert found.kind in ("cpu", "cuda") and found.threads >= 1
    assert (found.memory is None) == (found.kind == "cpu")
