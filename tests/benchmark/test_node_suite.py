"""Suite node at sizes that take seconds; Orthanc and dcmtk where they are installed."""

import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pydicom
import pytest

from demottle.benchmark.engine.results import Results
from demottle.benchmark.shown.markdown import markdown
from demottle.benchmark.suites.catalog import suite_named
from demottle.benchmark.suites.node import memory, parties, receiving
from demottle.benchmark.suites.node.objects import write_large, write_series
from demottle.benchmark.suites.node.processes import children_of, held_by, started, until_listening
from demottle.errors import DemottleError
from demottle.node.facts import facts_of

from .conftest import MakeRow

linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not tell what a process holds")


@pytest.mark.slow
def test_everything_sent_is_kept_by_both_and_their_rates_are_compared(tmp_path: Path) -> None:
    found = receiving.measured(6, 64, 1, tmp_path)
    assert found.quality["rate"] > 0 and found.said["senders"] in ("storescu", "pynetdicom")
    if parties.program("Orthanc"):
        assert found.quality["rate_ratio"] == pytest.approx(found.quality["rate"] / found.quality["rate_orthanc"])
    if Path("/proc/self/fd").exists():
        assert 30 < found.quality["network_mib"] < 1024 and found.quality["descriptors"] > 5
    assert len(list(tmp_path.glob("node-sender-*x64"))) == receiving.SENDERS


@pytest.mark.slow
def test_without_dcmtk_and_orthanc_pynetdicom_sends_and_the_lack_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (parties, receiving):
        monkeypatch.setattr(module, "program", lambda name: None)
    found = receiving.measured(2, 64, 0, tmp_path)
    assert found.said["senders"] == "pynetdicom" and "apt-get install orthanc" in found.said["missed"]
    assert found.quality["rate"] > 0 and found.quality["rate_ratio"] is None
    with pytest.raises(DemottleError, match="Orthanc is not installed"), parties.orthanc(tmp_path):
        pass


def test_what_does_not_start_is_a_sentence_with_what_it_said(tmp_path: Path) -> None:
    log = tmp_path / "log"
    said = pytest.raises(DemottleError, match="Orthanc ended with 1 when it was started: no room")
    with started([sys.executable, "-c", "raise SystemExit('no room')"], log) as process, said:
        until_listening(process, 1, "Orthanc", log)


def test_a_series_is_valid_and_no_two_objects_are_alike(tmp_path: Path) -> None:
    uids = write_series(tmp_path / "s", "a", 3, 32, {"ConvolutionKernel": "Hr60"})
    read = [pydicom.dcmread(path) for path in sorted((tmp_path / "s").iterdir())]
    assert [one.SOPInstanceUID for one in read] == uids and len({one.PixelData for one in read}) == 3
    assert {one.ConvolutionKernel for one in read} == {"Hr60"} and len({one.SeriesInstanceUID for one in read}) == 1
    assert write_series(tmp_path / "t", "b", 1, 32)[0] not in uids


def test_a_large_object_is_of_the_size_asked_for(tmp_path: Path) -> None:
    write_large(tmp_path / "large.dcm", 2, size=64)
    assert 2 << 20 < (tmp_path / "large.dcm").stat().st_size < (2 << 20) + 4096
    assert pydicom.dcmread(tmp_path / "large.dcm", stop_before_pixels=True).NumberOfFrames == 256
    (rule, other) = tomllib.loads(memory.RULES)["rule"]
    assert rule["leave"] and "leave" not in other
    assert facts_of(tmp_path / "large.dcm", "CT1")["description"] == rule["when"]["description"]
    write_series(tmp_path / "s", "a", 1, 32)
    assert facts_of(tmp_path / "s" / "00000.dcm", "CT1")["description"] != rule["when"]["description"]


@linux
def test_what_a_process_holds_is_read_and_nothing_of_one_that_is_gone() -> None:
    script = "import subprocess, sys; x = bytearray(80 << 20); subprocess.run(['sleep', '60'])"
    process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    try:
        while not children_of(process.pid):
            time.sleep(0.02)
        held = held_by(process.pid)
        assert held is not None and 80 < held.resident <= held.peak < 300 and held.descriptors >= 3
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert held_by(process.pid) is None and children_of(process.pid) == []


def test_groups_with_other_figures_stand_in_tables_of_their_own(tmp_path: Path, make_row: MakeRow) -> None:
    results = Results(tmp_path / "results.jsonl")
    results.begin({"started": "2026-11-28T02:00", "machine": {"processor": "p", "cores": 2}, "versions": {}})
    for number, (group, quality) in enumerate({"a": {"rate": 9.0}, "b": {"fps": 3.0}, "c": {"rate": 8.0}}.items()):
        results.add({**make_row("demottle", number, group), "suite": "node", "quality": quality})
    told = markdown(results, suite_named("node"), None).split("**Cost**")[0]
    tables = [part for part in told.split("\n\n") if part.startswith("|")]
    assert [part.count("\n") for part in tables] == [3, 2]
    assert (
        "| a | 9 |" in tables[0] and "| c | 8 |" in tables[0] and "frames" not in tables[0] and "b | 3.0" in tables[1]
    )
