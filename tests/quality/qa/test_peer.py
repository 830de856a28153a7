"""pylinac, another program that measures Catphans, reads the same from our simulated DICOM files.

It needs NumPy before 2, so it lives in an environment of its own, which is made here; where that cannot be, the test is skipped.
What differs by definition: pylinac cuts the mean of its slices to whole HU towards zero; its MTF is the contrast of bars, on a
circle that it smooths by a thousandth of its length. What it should read of them is worked out from our TTF of the Teflon rod.
"""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from demottle import io
from demottle.physics.phantoms.qa.layouts import LAYOUTS
from demottle.physics.phantoms.qa.painted import Canvas, paint
from demottle.physics.phantoms.qa.pose import Pose
from demottle.quality.objects.detectability import ttf_at
from demottle.quality.objects.edge import EdgeResponse
from demottle.quality.phantoms.measured import examine

NAMES = {
    "Air": "air, top", "PMP": "PMP", "LDPE": "LDPE", "Poly": "polystyrene", "Acrylic": "acrylic", "Delrin": "Delrin",
    "Teflon": "Teflon", "50% Bone": "bone 50 %", "20% Bone": "bone 20 %",
}  # fmt: skip
READ = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pylinac
ct = getattr(pylinac, sys.argv[1])(sys.argv[2])
ct.analyze()
found = ct.results_data(as_dict=True)
rods = {name: roi["value"] for name, roi in found["ctp404"]["hu_rois"].items()}
told = {"rods": rods, "thickness": found["ctp404"]["measured_slice_thickness_mm"], "roll": found["catphan_roll_deg"]}
told |= {"f50": found["ctp528"]["mtf_lp_mm"]["50"], "middle": found["ctp486"]["rois"]["Center"]["value"]}
print(json.dumps(told, default=float))
"""


@pytest.fixture(scope="module")
def pylinac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with pylinac."""
    folder = tmp_path_factory.mktemp("pylinac")
    python = folder / "bin" / "python"
    steps = (
        [sys.executable, "-m", "venv", folder],
        [python, "-m", "pip", "install", "-q", "pylinac==3.49.0", "numpy<2"],
    )
    for step in steps:
        done = subprocess.run([str(part) for part in step], capture_output=True, text=True, timeout=900)
        if done.returncode != 0:
            pytest.skip(f"pylinac cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
    return python


def _contrast_of_bars(edge: EdgeResponse) -> float:
    """Frequency in 1/mm at which bars at 0.1, 0.2, ... per mm fall to half of the contrast of the first, by straight lines."""
    smoothed = 0.001 * 2 * np.pi * 47.0

    def contrast(f: float) -> float:
        n = np.arange(1, 30, 2)
        transfer = ttf_at(n * f, edge.frequency, edge.ttf) * np.exp(-2 * (np.pi * smoothed * n * f) ** 2)
        return float((4 / np.pi * (-1.0) ** (n // 2) / n * transfer).sum())

    f = np.arange(1, 9) / 10
    share = np.array([contrast(one) for one in f]) / contrast(0.1)
    return float(np.interp(-0.5, -share, f))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["catphan-504", "catphan-604"])
def test_pylinac_reads_the_same(pylinac: Path, kind: str, tmp_path: Path) -> None:
    layout = LAYOUTS[kind]
    low, high = layout.ends
    pose = Pose((115.0, 115.0, 15.0 - low), 1.5)
    image = paint(layout, pose, Canvas((int((high - low + 30) / 2), 512, 512), (2.0, 0.45, 0.45), 2.0, 0.6))
    noise = np.random.default_rng(11).normal(0, 3, image.shape)
    scan = replace(
        image.with_voxels(np.rint(image.voxels + noise).astype(np.float32)), source=io.described("QA phantom")
    )
    io.write(scan, tmp_path / "scan", format="dicom")
    done = subprocess.run(
        [str(pylinac), "-c", READ, kind.replace("catphan-", "CatPhan"), str(tmp_path / "scan")],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout.splitlines()[-1])
    found = examine(io.read(tmp_path / "scan"))
    assert found.found.layout.kind == kind
    ours = {rod.rod.name: rod.hu for rod in found.before.rods}
    assert len(theirs["rods"]) == len(layout.module("rods").rods) - 1  # it reads one of the two rods of air
    for name, value in theirs["rods"].items():
        uncut = value + 0.5 * np.sign(value)
        assert ours[NAMES[name]] == pytest.approx(uncut, abs=1), name
    teflon = next(rod.edge for rod in found.before.rods if rod.rod.name == "Teflon")
    assert teflon is not None
    assert _contrast_of_bars(teflon) == pytest.approx(theirs["f50"], rel=0.03)
    assert np.mean([ramp.thickness for ramp in found.before.ramps]) == pytest.approx(theirs["thickness"], rel=0.05)
    assert found.found.pose.roll == pytest.approx(theirs["roll"], abs=0.5)
    assert found.before.uniformity.center == pytest.approx(theirs["middle"] + 0.5, abs=1)
