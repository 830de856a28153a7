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
@pytest.mark.parametrize(
    ("way", "kills", "series", "size", "gate"),
    [
        ("dicom", 50, 40, 48, "false"),
        ("web", 25, 20, 48, "false"),
        ("dicom", 15, 12, 256, "true"),
        ("web", 15, 12, 256, "true"),
    ],
)
def test_kills_lose_nothing_and_send_nothing_twice(
    program,  # noqa: F811
    tmp_path: Path,
    way: str,
    kills: int,
    series: int,
    size: int,
    gate: str,
) -> None:
    if way == "web" and not WEB.is_file():
        pytest.skip("Orthanc has no DICOMweb plug-in here; on Debian: apt-get install orthanc-dicomweb")
    orthanc, unshare = program("Orthanc"), program("unshare")
    for other in ("ip", "storescu"):
        program(other)
    own = ["-n"] if os.geteuid() == 0 else ["-rn"]
    inner = 'ip link set lo up && exec "$@"'
    told = [str(tmp_path), orthanc, str(kills), str(series), "1", way, str(size), gate]
    script = [sys.executable, "-m", "tests.node.kills", *told]
    command = [unshare, *own, "sh", "-c", inner, "sh", *script]
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800, env=environment)
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
