"""Kills at random moments: each series stands in the archive, complete and once, or in the list of failures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.io.conftest import program  # noqa: F401
from tests.node.kills import SLICES
from tests.node.orthanc import WEB

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize(("way", "kills", "series"), [("dicom", 50, 40), ("web", 25, 20)])
def test_kills_lose_nothing_and_send_nothing_twice(program, tmp_path: Path, way: str, kills: int, series: int) -> None:  # noqa: F811
    if way == "web" and not WEB.is_file():
        pytest.skip("Orthanc has no DICOMweb plug-in here; on Debian: apt-get install orthanc-dicomweb")
    orthanc, unshare = program("Orthanc"), program("unshare")
    for other in ("ip", "storescu"):
        program(other)
    own = ["-n"] if os.geteuid() == 0 else ["-rn"]
    inner = 'ip link set lo up && exec "$@"'
    script = [sys.executable, "-m", "tests.node.kills", str(tmp_path), orthanc, str(kills), str(series), "1", way]
    command = [unshare, *own, "sh", "-c", inner, "sh", *script]
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=560, env=environment)
    assert done.returncode == 0, done.stderr + (tmp_path / "node.log").read_text()[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert sum(found["killed"].values()) >= kills and min(found["killed"].values()) > 0
    assert len(found["sent"]) == len(set(found["sent"])) == len(found["series"]) == series
    failed = [one for one in found["series"] if one["state"] == "failed"]
    assert all("the worker ended 3 times" in one["reason"] for one in failed) and len(failed) < 4
    assert {one["state"] for one in found["series"]} <= {"done", "failed"}
    counts = [count for one in found["held"].values() for count in one]
    assert len(counts) == found["rounds"] and len(found["held"]) == series - len(failed)
    assert {one[-1] for one in found["held"].values()} == {SLICES}
