"""MR volumes with Rician noise: demottle and what others use, with and without taking out the bias of the magnitudes.

    python -m benchmarks.mr --percent 5 7 9 --seeds 0 1 2 --out benchmark-results/mr.jsonl

Brain phantoms (`physics.phantoms.brain`), whose seeds draw another head and other noise. Every method is run by
`demottle.pipeline.run`: as it
is, on the magnitudes ("+bias"), and on magnitudes whose noise was made alike, with the exact unbiased inverse after it. PSNR is
over the head (truth above 0), over the range from 0 to the truth's maximum; air is left out, because demottle leaves it as it is.
Rows are written as they come, and what is in the file is not run again. BM3D and BM4D need their packages.
"""

import argparse
import itertools
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np

from demottle.methods import METHODS
from demottle.physics.mr.noise import rician_scan
from demottle.physics.phantoms.brain import BrainTissue, brain_phantom
from demottle.pipeline.run import denoise

METHODS_RUN = ("matched-neighbors", "matched-neighbors:start=false", "spectral-wiener", "nlm", "tv", "bm3d", "bm4d")
SLICES, SIZE, SPACING = 24, 192, (3.0, 1.15, 1.15)
REGIONS = {
    "bone": BrainTissue.BONE,
    "fluid": BrainTissue.FLUID,
    "gray": BrainTissue.GRAY,
    "white": BrainTissue.WHITE,
    "lesions": BrainTissue.LESION,
}
Job = tuple[str, bool, float, int, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--percent", type=float, nargs="+", default=[5.0, 7.0, 9.0], help="of the largest signal")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of head, noise and learning")
    parser.add_argument("--weightings", nargs="+", default=["t1"], choices=["t1", "t2"])
    parser.add_argument("--methods", nargs="+", default=list(METHODS_RUN), help="NAME or NAME:SETTING=VALUE")
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--slices", type=int, default=SLICES)
    parser.add_argument("--workers", type=int, default=1, help="processes at once")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no job begins after so long")
    parser.add_argument("--out", type=Path, default=Path("benchmark-results/mr.jsonl"))
    options = parser.parse_args()
    wanted = list(jobs(options))
    done = rows_of(options.out)
    left = [job for job in wanted if key_of(job) not in {row["key"] for row in done}]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + options.seconds
    with ProcessPoolExecutor(options.workers) as pool, options.out.open("a") as file:
        calls = [pool.submit(run, job, options.size, options.slices, end) for job in left]
        for call in as_completed(calls):
            row = call.result()
            if row is not None:
                file.write(json.dumps(row) + "\n")
                file.flush()
                print(told(row), flush=True)
    print("\n" + table(rows_of(options.out)))


def jobs(options: argparse.Namespace) -> list[Job]:
    """The most telling ones first: all methods on one case, then the other cases."""
    cases = itertools.product(options.seeds, options.weightings, options.percent)
    methods = [name for name in options.methods if METHODS[name.split(":")[0]].is_installed]
    return [
        (name, bias, percent, seed, weighting)
        for seed, weighting, percent in cases
        for name in methods
        for bias in (False, True)
    ]


def key_of(job: Job) -> str:
    name, bias, percent, seed, weighting = job
    return f"{name}{'+bias' if bias else ''} {weighting} {percent:g}% seed {seed}"


def run(job: Job, size: int, slices: int, end: float) -> dict | None:
    """Denoise one case in one way and judge it; None where the time is over."""
    if time.monotonic() > end:
        return None
    name, bias, percent, seed, weighting = job
    spacing = (SPACING[0], SPACING[1] * SIZE / size, SPACING[2] * SIZE / size)
    head = brain_phantom(slices, size, spacing, seed, weighting)
    scan = rician_scan(head.image, percent, seed)
    method, _, given = name.partition(":")
    settings = {key: json.loads(value) for key, value in (pair.split("=") for pair in given.split(",") if pair)}
    started, spent = time.monotonic(), time.process_time()
    result = denoise(scan, method=method, settings=settings, seed=seed, keep_bias=bias)
    seconds, processor = time.monotonic() - started, time.process_time() - spent
    truth, top = head.image.voxels, float(head.image.voxels.max())
    inside = truth > 0

    def psnr(voxels: np.ndarray) -> float:
        return float(10 * np.log10(top**2 / np.mean((voxels[inside] - truth[inside]) ** 2, dtype=np.float64)))

    means = {}
    for label, tissue in REGIONS.items():
        where = (head.tissue == tissue) & inside
        if where.any():
            means[label] = [float(np.mean(v[where] - truth[where])) for v in (scan.voxels, result.image.voxels)]
    leak = result.check.leak
    return {
        "key": key_of(job),
        "method": name + ("+bias" if bias else ""),
        "percent": percent,
        "seed": seed,
        "weighting": weighting,
        "sigma": top * percent / 100,
        "sigma_found": result.fingerprint.noise_level,
        "psnr_before": psnr(scan.voxels),
        "psnr": psnr(result.image.voxels),
        "mean_error": means,
        "leak": None if leak is None else leak.gain,
        "start": result.denoiser.fitted.get("start_network"),
        "steps": result.denoiser.fitted.get("steps"),
        "seconds": seconds,
        "processor_seconds": processor,
        "cores": os.cpu_count(),
    }


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def told(row: dict) -> str:
    return f"{row['key']:60} {row['psnr_before']:.2f} -> {row['psnr']:.2f} dB, {row['seconds']:.0f} s"


def table(rows: list[dict]) -> str:
    """PSNR by method and noise, mean and range over the seeds; the difference to the best rival of the same cases."""
    levels = sorted({(row["weighting"], row["percent"]) for row in rows})
    names = list(dict.fromkeys(row["method"] for row in rows))
    lines = ["| method | " + " | ".join(f"{w} {p:g} %" for w, p in levels) + " |", "|---" * (len(levels) + 1) + "|"]
    cells = {}
    for name in ("input", *names):
        for level in levels:
            of = [r for r in rows if (r["weighting"], r["percent"]) == level and name in ("input", r["method"])]
            values = [r["psnr_before" if name == "input" else "psnr"] for r in of]
            cells[name, level] = f"{np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})" if values else ""
        lines.append(f"| {name} | " + " | ".join(cells[name, level] for level in levels) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
