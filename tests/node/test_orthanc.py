"""Orthanc as the archive of a node: what it takes over C-STORE with storage commitment and over DICOMweb."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.io.conftest import program  # noqa: F401
from tests.node.orthanc import WEB
from tests.node.test_tls import certificates  # noqa: F401

ROOT = Path(__file__).parents[2]


def _run(program: Any, folder: Path, kinds: str, more: str) -> dict[str, Any]:  # noqa: F811
    orthanc, unshare = program("Orthanc"), program("unshare")
    program("ip")
    if not WEB.is_file():
        pytest.skip("Orthanc has no DICOMweb plug-in here; on Debian: apt-get install orthanc-dicomweb")
    own = "-n" if os.geteuid() == 0 else "-rn"
    done = subprocess.run(
        [unshare, own, sys.executable, "-m", "tests.node.orthanc", str(folder), orthanc, kinds, more],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.slow
def test_orthanc_takes_results_both_ways_and_holds_each_once(program, tmp_path: Path) -> None:  # noqa: F811
    found = _run(program, tmp_path, '["images", "page", "report", "capture"]', "gate = false")
    assert found["queue"]["state"] == "done"
    assert found["queue"]["sends"] == {"web": {"arrived": 9}, "committed": {"arrived": 9}}
    assert sorted(len(one["Instances"]) for one in found["series"]) == [1, 1, 1, 6]
    assert any("9 successes, 0 failures" in line for line in found["commitment"])
    assert len({one["StudyInstanceUID"] for one in found["tags"]}) == 1
    assert sorted({one["Modality"] for one in found["tags"]}) == ["CT", "DOC", "OT", "SR"]
    assert found["pdf"] == ["%PDF-"]


@pytest.mark.slow
def test_orthanc_is_told_what_failed_and_nothing_else(program, tmp_path: Path) -> None:  # noqa: F811
    found = _run(program, tmp_path, '["images", "page"]', "tell = true\ngate = { noise = 0.0001 }")
    assert found["queue"]["state"] == "refused"
    assert found["queue"]["sends"] == {"web": {"arrived": 1}, "committed": {"arrived": 1}}
    (told,) = found["tags"]
    assert (told["Modality"], told["SeriesDescription"]) == ("SR", "demottle: NOT denoised, the gate failed")


@pytest.mark.slow
def test_all_of_it_goes_over_tls_with_certificates_of_both(program, certificates: Path) -> None:  # noqa: F811
    """DICOMweb over HTTPS, C-STORE over TLS, and Orthanc's report of storage commitment back over TLS."""
    found = _run(program, certificates, '["images"]', "gate = false")
    assert found["queue"]["state"] == "done"
    assert found["queue"]["sends"] == {"web": {"arrived": 6}, "committed": {"arrived": 6}}
    assert [len(one["Instances"]) for one in found["series"]] == [6]
    assert any("6 successes, 0 failures" in line for line in found["commitment"])
