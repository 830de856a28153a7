"""The commands of docs/node.md, as they stand there: from nothing to a denoised series in Orthanc."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.io.conftest import program  # noqa: F401

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "node.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```\w+ title=\"([\w.]+)\"\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL))
COMMANDS = "".join(re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL))


@pytest.mark.slow
def test_the_commands_of_the_page_bring_a_denoised_series_back(program, tmp_path: Path) -> None:  # noqa: F811
    orthanc, unshare = program("Orthanc"), program("unshare")
    for other in ("ip", "curl"):
        program(other)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "demottle").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m demottle "$@"\n')
    (bin_ / "demottle").chmod(0o755)
    (bin_ / "Orthanc").symlink_to(orthanc)
    environment = {
        **os.environ,
        "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}{os.pathsep}/usr/sbin",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
    }
    own = ["-n"] if os.geteuid() == 0 else ["-rn"]
    script = f"ip link set lo up\ntrap 'kill $(jobs -p); wait' EXIT\nset -e\n{COMMANDS}"
    done = subprocess.run(
        [unshare, *own, "bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "meets 'rule 1': nl-bayes" in done.stdout and "[demottle nl-bayes]" in done.stdout
    assert "series 1, round 1: denoised with nl-bayes, 8 objects to send" in done.stderr
    assert (tmp_path / "held" / "results" / "1" / "report.html").exists()
