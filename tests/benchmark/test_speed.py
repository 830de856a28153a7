"""Suite speed at sizes that take seconds."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demottle.benchmark.suites.cases import Choices
from demottle.benchmark.suites.speed import commands, engines, live, suite
from demottle.errors import DemottleError

QUICK = {spec.group: spec for spec in suite.specs(Choices(quick=True))}


@pytest.mark.slow
def test_a_command_is_measured_in_its_own_process_with_what_it_wrote(tmp_path: Path) -> None:
    spec = QUICK["simulate low-dose, 12 slices"]
    found = suite.measure(spec, "demottle", tmp_path)
    assert found.said["files"] >= 12 and found.quality["passes"] == 1
    assert 50 < found.cost["peak_mib"] < 4096 and 0 < found.cost["seconds"] < 600


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(DemottleError, match="ended with 3: no room"):
        commands.spent([sys.executable, "-c", "import sys; print('no room'); sys.exit(3)"])


def test_the_peak_is_that_of_the_command_not_of_this_process() -> None:
    small, large = (
        commands.spent([sys.executable, "-c", f"x = bytearray({size} * 2**20)"])[2] * 1024 for size in (1, 200)
    )
    assert 150 < large - small < 250


@pytest.mark.slow
def test_a_live_run_gives_every_frame_and_the_time_of_one() -> None:
    found = live.measured(64, "light", frames=6, rate=5.0)
    assert found.said["as_fast_as_it_goes"]["results"] == 6
    assert found.quality["fps"] == pytest.approx(1e3 / found.quality["frame_ms"], rel=0.05)
    assert 0 < found.quality["latency_ms"] <= found.quality["latency_p99_ms"]


def test_a_trained_model_is_timed_over_all_its_slices(tmp_path: Path) -> None:
    found = suite.measure(QUICK["pdml, small, 2 slices"], "demottle", tmp_path)
    assert found.said["measured_slices"] == 2 and found.said["precision"] in ("float32", "bfloat16")
    assert found.cost["per_slice"] == pytest.approx(found.cost["seconds"] / 2, abs=1e-3)


@pytest.mark.slow
def test_an_archive_is_measured_with_one_worker_and_two(tmp_path: Path) -> None:
    found = suite.measure(QUICK["archive, workers, 4 series of 4 x 96 x 96"], "demottle", tmp_path)
    assert found.said["series"] == 4 and found.quality["faster"] > 0.5 and found.quality["series_per_hour"] > 0
    assert found.quality["loops_faster"] > 0.5


@pytest.mark.slow
def test_what_engines_add_is_told_beside_a_loop_of_the_same_series(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    found = suite.measure(QUICK["archive, overhead, 3 series of 4 x 96 x 96"], "demottle", tmp_path)
    for engine in ("processes", "ray"):
        middle, least, most = found.said[engine]["own"]
        assert least <= middle <= most and found.quality[f"{engine}_own"] == middle
    assert 0 < found.cost["cpu_seconds"] < 4 * found.cost["seconds"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what processes use")
def test_the_processor_time_of_a_process_and_its_children_is_counted() -> None:
    busy = "import time\nwhile time.process_time() < {}: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy.format(0.5)!r}])\n{busy.format(0.5)}"
    begun = time.time()
    with engines.Account("here") as account:
        subprocess.run([sys.executable, "-c", parent], env={**os.environ, engines._MARK: "here"}, check=True)
        subprocess.run([sys.executable, "-c", busy.format(0.3)], check=True)  # somebody else's
    both, child = account.between(begun, time.time())
    assert both == pytest.approx(1.0, abs=0.3) and child == pytest.approx(0.5, abs=0.2)


@pytest.mark.slow
def test_a_lost_node_costs_no_series(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    found = suite.measure(QUICK["archive, lost node, 6 series of 4 x 96 x 96"], "demottle", tmp_path)
    assert found.quality["passes"] == 1 and found.said["done"] == 6 and found.said["lost_at"] < 6


@pytest.mark.slow
def test_the_program_of_an_archive_holds_no_series_in_memory(tmp_path: Path) -> None:
    found = suite.measure(QUICK["archive, memory, 200 series"], "demottle", tmp_path)
    assert found.quality["grown_mib"] < 20 and found.cost["peak_mib"] > 30


def test_the_full_suite_names_what_the_documentation_tells() -> None:
    groups = [spec.group for spec in suite.specs(Choices())]
    assert {"denoise, 500 slices", "live, light, 512 x 512", "live, paper, 1024 x 1024"} <= set(groups)
    assert "archive, workers, 6 series of 24 x 256 x 256" in groups and "archive, memory, 10000 series" in groups


@pytest.mark.slow
def test_an_index_is_timed_and_reads_nothing_the_second_time(tmp_path: Path) -> None:
    found = suite.measure(QUICK["archive index, 100 files"], "demottle", tmp_path)
    assert found.quality["passes"] == 1 and found.said["files"] == 100
    assert 0 < found.said["again_cpu_seconds"] < found.cost["cpu_seconds"]


@pytest.mark.slow
def test_what_a_plan_reckons_with_is_measured(tmp_path: Path) -> None:
    found = suite.measure(QUICK["cost of spectral-wiener"], "demottle", tmp_path)
    assert found.said["per_million_voxels"] > 0 and found.said["learn"] == 0
