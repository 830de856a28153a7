"""Killed at any moment: results are whole, old or new, and the next run leaves nothing of the dead one behind."""

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from demottle import io
from demottle.image import Image

KILLS = 20


def scan() -> Image:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :64] - 32
    voxels = np.where(x**2 + y**2 < 700, 40, -1000) + rng.normal(0, 15, (40, 64, 64))
    return Image(voxels.astype(np.float32), (2.0, 0.8, 0.8), "CT", "HU")


def command(folder: Path, strength: float) -> list[str]:
    options = ["--method", "gaussian", "--force", "--overwrite", "--strength", str(strength)]
    program = "from demottle.cli import main; main()"
    return [sys.executable, "-c", program, "denoise", str(folder / "in"), "-o", str(folder / "out"), *options]


def whole(folder: Path) -> bool:
    """True where OUT holds all slices of one result."""
    image = io.read(folder / "out", accept_own_output=True)
    return image.shape == (40, 64, 64) and len({step.settings["strength"] for step in image.history}) == 1


@pytest.mark.slow
def test_results_are_whole_after_kills_at_random_moments(tmp_path):
    io.write(scan(), tmp_path / "in")
    begun = time.monotonic()
    subprocess.run(command(tmp_path, 0.5), check=True, capture_output=True)
    takes, draw = time.monotonic() - begun, random.Random(0)
    for number in range(KILLS):
        process = subprocess.Popen(command(tmp_path, 0.5 + number / 100), stderr=subprocess.DEVNULL)
        time.sleep(draw.uniform(0.3, 1.1) * takes)  # most of the time goes into imports, writing is at the end
        process.kill()
        process.wait()
        if not (tmp_path / "out").exists():  # killed between two renames: the next run puts the old one back
            assert list(tmp_path.glob(".out.*.partial/replaced-out"))
            continue
        assert whole(tmp_path)
    subprocess.run(command(tmp_path, 1.0), check=True, capture_output=True)
    assert whole(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out", "out-report"]
    assert sorted(path.name for path in (tmp_path / "out-report").iterdir()) == ["report.html", "run.json"]
