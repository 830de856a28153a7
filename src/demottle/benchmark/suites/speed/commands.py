"""Peak memory and time of the real command line on a long scan, DICOM in and DICOM out, in a process of its own.

A few phantom slices, up and down again with fresh noise each time, make a series of any length on disk. Processor seconds are
those of all cores together: they hold on a busy machine too.
"""

import json
import platform
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from demottle import io
from demottle.benchmark.suites.cases import Finding
from demottle.errors import DemottleError
from demottle.image import Image
from demottle.physics.phantoms.phantom import build_phantom

LIMIT_GIB = 4.0
LIMIT_MINUTES = 10.0
"""The aims; that of time is for simulating a low dose of 64 slices of 512 x 512, which draws every projection."""
SIGMA = 30.0
FIELD_OF_VIEW_MM = 380.0
COMMANDS = {
    "denoise": ("--steps", "5"),  # memory and cost of learning do not depend on the number of slices
    "simulate low-dose": ("--dose", "0.25"),
}


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


def measured(command: str, slices: int, size: int) -> Finding:
    """Run "denoise" or "simulate low-dose" on a long scan; time and peak are those of the command's own process.

    Raises:
        DemottleError: where the command failed; the sentence has the end of what it said.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made = long_scan(slices, size)
        io.write(replace(made, slice_thickness=made.spacing[0]), folder / "scan", format="dicom")
        del made
        words = [*command.split(), str(folder / "scan"), "-o", str(folder / "out"), *COMMANDS[command]]
        seconds, processor, peak = spent([sys.executable, "-m", "demottle", *words])
        files = sum(1 for path in (folder / "out").rglob("*") if path.is_file())
    why = [f"{peak:.2f} GiB, the aim is {LIMIT_GIB:g}"] if peak > LIMIT_GIB else []
    late = command != "denoise" and seconds > 60 * LIMIT_MINUTES
    why += [f"{seconds / 60:.1f} minutes, the aim is {LIMIT_MINUTES:g}"] if late else []
    said = {"command": command, "files": files, **({"missed": "; ".join(why)} if why else {})}
    cost = {"seconds": round(seconds, 2), "cpu_seconds": round(processor, 2), "per_slice": round(seconds / slices, 5)}
    return Finding({"passes": float(not why)}, said, {**cost, "peak_mib": round(1024 * peak, 1)})


def spent(command: list[str]) -> tuple[float, float, float]:
    """Run a command; return its seconds, processor seconds (user and system) and peak resident memory in GiB.

    Raises:
        DemottleError: where it failed.
    """
    ran = subprocess.run([sys.executable, "-S", "-c", _LAUNCH, *command], capture_output=True, check=False)
    if ran.returncode:
        last = (ran.stdout + ran.stderr).decode(errors="replace").strip().splitlines()[-1:]
        raise DemottleError(f"The command ended with {ran.returncode}: {' '.join(last)}")
    seconds, processor, peak = json.loads(ran.stdout.splitlines()[-1])
    return seconds, processor, peak * (1 if platform.system() == "Darwin" else 1024) / 2**30


# A process inherits the peak of the one that starts it, so a small one stands between this and the command.
_LAUNCH = """
import json, resource, subprocess, sys, time
begun = time.monotonic()
code = subprocess.run(sys.argv[1:]).returncode
seconds, used = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
if code:
    sys.exit(code)
print("\\n" + json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""
