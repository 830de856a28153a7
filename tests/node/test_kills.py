"""Fifty kills at random moments: each series stands in the archive, complete and once, or in the list of failures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.io.conftest import program  # noqa: F401
from tests.node.kills import SLICES

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_fifty_kills_lose_nothing_and_send_nothing_twice(program, tmp_path: Path) -> None:  # noqa: F811
    orthanc, unshare = program("Orthanc"), program("unshare")
    for other in ("ip", "storescu"):
        program(other)
    own = ["-n"] if os.geteuid() == 0 else ["-rn"]
    inner = 'ip link set lo up && exec "$@"'
    script = [sys.executable, "-m", "tests.node.kills", str(tmp_path), orthanc, "50", "40", "1"]
    command = [unshare, *own, "sh", "-c", inner, "sh", *script]
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=560, env=environment)
    assert done.returncode == 0, done.stderr + (tmp_path / "node.log").read_text()[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert sum(found["killed"].values()) >= 50 and min(found["killed"].values()) > 0
    assert len(found["sent"]) == len(set(found["sent"])) == len(found["series"]) == 40
    failed = [one for one in found["series"] if one["state"] == "failed"]
    assert all("the worker ended 3 times" in one["reason"] for one in failed) and len(failed) < 4
    assert {one["state"] for one in found["series"]} <= {"done", "failed"}
    counts = [count for series in found["held"].values() for count in series]
    assert len(counts) == found["rounds"] and len(found["held"]) == 40 - len(failed)
    assert {series[-1] for series in found["held"].values()} == {SLICES}
