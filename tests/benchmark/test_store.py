"""Simulated cases are kept whole or not at all, and made once."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from demottle.benchmark.suites.store import kept_as

KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from demottle.benchmark.suites.store import kept_as
real = np.savez
def savez(path, **parts):
    Path(path).write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
np.savez = savez
kept_as(Path(sys.argv[1]), "case", lambda: {"truth": np.zeros(3, np.float32)})
"""


def parts() -> dict[str, np.ndarray]:
    return {"truth": np.arange(3, dtype=np.float32)}


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    made = [kept_as(tmp_path / "cases", "case", parts) for _ in range(2)]
    assert [path.name for path in (tmp_path / "cases").iterdir()] == ["case.npz"]
    again = kept_as(tmp_path / "cases", "case", lambda: pytest.fail("made again"))
    assert all(np.array_equal(one["truth"], parts()["truth"]) for one in (*made, again))


def test_a_case_that_a_kill_cut_short_is_made_again_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (tmp_path / "case.npz").exists()
    assert np.array_equal(kept_as(tmp_path, "case", parts)["truth"], parts()["truth"])
    assert [path.name for path in tmp_path.iterdir()] == ["case.npz"]
