"""Measure how long each stage of `demottle denoise` takes, for the estimate of a whole job: python -m tools.stage_times

Simulated CT of two sizes goes through every method that is the default somewhere, or learns nothing. Processor seconds on one
thread, so other programs do not count; only the ratios of the stages matter, since a job measures how fast its machine is.
"""

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import torch

from demottle import io
from demottle.cli.denoise.job import denoise_scan
from demottle.cli.denoise.outcome import Reading, Wishes
from demottle.cli.denoise.series_files import SeriesFiles
from demottle.cli.places import places_for
from demottle.cli.screen.progress import Stages
from demottle.cli.screen.whole_job import TABLE
from demottle.physics.ct.ct_noise import independent_noise, mix_slices
from demottle.physics.phantoms.phantom import body_phantom
from demottle.pipeline.request import Request

METHODS = ("guided-bayes", "matched-neighbors", "nl-bayes", "spectral-wiener", "nlm", "tv", "bilateral", "gaussian")
SIZES = ((8, 160), (16, 256))


def main() -> None:
    """Write the table that the program reads."""
    torch.set_num_threads(1)
    table = {}
    with tempfile.TemporaryDirectory() as folder:
        scans = [_scan(Path(folder), slices, side) for slices, side in SIZES]
        for method in METHODS:
            small, large = (_seconds(scan, method) for scan in scans)
            table[method] = _lines(small, large)
            print(method, table[method], flush=True)
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _scan(folder: Path, slices: int, side: int) -> Path:
    truth = body_phantom(slices=slices, size=side, spacing=(3.0, 350 / side, 350 / side))
    noise = mix_slices(independent_noise(truth, 30.0, seed=1), 0.25)
    path = folder / f"scan-{side}.nii.gz"
    io.write(truth.with_voxels(truth.voxels + noise), path)
    return path


def _seconds(scan: Path, method: str) -> Mapping[str, float]:
    with tempfile.TemporaryDirectory() as folder, Stages(time.process_time) as listener:
        places = places_for(Path(folder) / "out.nii.gz", None, True)
        reading = Reading(None, None, False, False, "CT", "HU", None)
        wishes = Wishes(Request(method), reading, None, False, None, True, SeriesFiles())
        denoise_scan(scan, places, wishes, listener)
        return {stage.value: seconds for stage, seconds in listener.seconds.items()}


def _lines(small: Mapping[str, float], large: Mapping[str, float]) -> dict[str, list[float]]:
    """Seconds that each stage takes anyway, and for a million voxels more; in the order of the stages."""
    first, second = (slices * side**2 / 1e6 for slices, side in SIZES)
    found = {}
    for stage, seconds in large.items():
        slope = max((seconds - small.get(stage, 0.0)) / (second - first), 0.0)
        found[stage] = [round(max(seconds - slope * second, 0.0), 3), round(slope, 3)]
    return found


if __name__ == "__main__":
    main()
