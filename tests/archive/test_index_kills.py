"""A kill at any moment costs nothing but time: the index that is made after it is the one that would have been made."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.archive.conftest import Indexer, series_in


@pytest.mark.slow
def test_after_kills_at_random_moments_the_index_is_the_same(root: Path, indexed: Indexer, tmp_path: Path) -> None:
    for number in range(40):
        series_in(root / f"{number:02d}", f"{number}", slices=12)
    whole = Indexer(root, tmp_path / "whole")
    whole()
    command = [sys.executable, "-m", "demottle", "archive", "index", str(root), "-o", str(indexed.archive.folder)]
    draw, killed = random.Random(0), 0
    for _ in range(8):
        started = subprocess.Popen([*command, "--readers", "2"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while not indexed.archive.state.exists() and started.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(draw.uniform(0.0, 1.5))
        killed += started.poll() is None
        started.send_signal(signal.SIGKILL)
        started.wait()
    assert killed
    subprocess.run(command, check=True, capture_output=True)
    assert (indexed.files, indexed.series) == (whole.files, whole.series)
    left, expected = ({path.name for path in one.archive.folder.iterdir()} for one in (indexed, whole))
    assert left == expected
