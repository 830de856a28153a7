"""Peak memory and time of the real command line on a long scan: `python -m benchmarks.memory`.

A few phantom slices, up and down again with fresh noise each time, make a series of 500 slices of 512 x 512 on disk. Then
`demottle denoise` runs on it in a process of its own, and what the system says of that process is printed.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from demottle import io
from demottle.image import Image
from demottle.physics.phantoms.phantom import build_phantom

LIMIT_GIB = 4.0
SIGMA = 30.0
FIELD_OF_VIEW_MM = 380.0


def long_scan(slices: int, size: int, painted: int = 12, seed: int = 0) -> Image:
    """A noisy CT of `slices` slices, of which only `painted` are different under the noise."""
    spacing = (1.0, FIELD_OF_VIEW_MM / size, FIELD_OF_VIEW_MM / size)
    truth = build_phantom(min(painted, slices), size, spacing, seed).image.voxels
    there_and_back = [*range(len(truth)), *range(len(truth) - 2, 0, -1)] or [0]
    random = np.random.default_rng(seed)
    voxels = np.empty((slices, size, size), np.float32)
    for index in range(slices):
        fine, coarse = (
            cv2.GaussianBlur(plane, (0, 0), sigma)
            for plane, sigma in zip(random.standard_normal((2, size, size), dtype=np.float32), (0.7, 2.0), strict=True)
        )
        noise = fine - 0.5 * coarse  # little at low frequencies, as after filtered back-projection
        voxels[index] = truth[there_and_back[index % len(there_and_back)]] + SIGMA / noise.std() * noise
    np.rint(voxels, out=voxels)
    return Image(voxels, spacing, "CT", "HU", source=io.described("Long phantom"))


def denoise(scan: Path, out: Path, steps: int) -> dict[str, float]:
    """Run the command line on a scan; returns seconds of each stage, of all, and the peak resident memory in GiB."""
    command = [sys.executable, "-m", "demottle", "denoise", str(scan), "-o", str(out), "--steps", str(steps), "--force"]
    started = time.monotonic()
    subprocess.run(command, check=True)
    seconds = time.monotonic() - started
    unit = 1 if platform.system() == "Darwin" else 1024  # bytes there, kilobytes elsewhere
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 2**30
    record = json.loads((out.parent / f"{out.name}-report" / "run.json").read_text())
    return {**record["times"], "all": round(seconds, 1), "peak_gib": round(peak, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=5, help="of learning: its memory and cost do not depend on slices")
    parser.add_argument("--format", choices=("dicom", "npy", "nifti"), default="dicom")
    parser.add_argument("--folder", type=Path, help="keep the scan and the result here; the scan is used again")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = wanted.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        ending = {"dicom": "", "npy": ".npy", "nifti": ".nii.gz"}[wanted.format]
        scan = folder / f"scan-{wanted.slices}-{wanted.size}{ending}"
        if not scan.exists():
            made = long_scan(wanted.slices, wanted.size)
            io.write(replace(made, slice_thickness=made.spacing[0]), scan, format=wanted.format)
            del made
        out = folder / f"out-{time.strftime('%H%M%S')}"
        found = denoise(scan, out, wanted.steps)
    for name, value in found.items():
        print(f"{name:10s} {value:8.2f} {'GiB' if name == 'peak_gib' else 's'}")
    if found["peak_gib"] > LIMIT_GIB:
        raise SystemExit(f"The peak of {found['peak_gib']:.2f} GiB is above {LIMIT_GIB:g} GiB.")


if __name__ == "__main__":
    main()
