"""The runs of `benchmarks.unpaired` on a machine with a GPU, many at once, within a limit of time.

    python -m benchmarks.unpaired_gpu cohort.npz OUT --seconds 300 --workers 12

Small networks keep a GPU waiting for their next kernel, so several processes share it. Each run gets its part of the time; the
learning rate falls to zero by then. OUT gets unpaired.jsonl, a line for each run that ended (or its traceback), and
unpaired-pictures.npz, a slice of what some of them make. `python -m benchmarks.unpaired table --lines FILE` shows such lines.
"""

import argparse
import json
import multiprocessing
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import CACHE
from benchmarks.unpaired_cases import cohort
from benchmarks.unpaired_crew import JUDGE, filter_all, train_all
from benchmarks.unpaired_data import unpack
from benchmarks.unpaired_filters import FILTERS
from benchmarks.unpaired_jobs import Job, jobs

_START = 20.0  # seconds for the start of the processes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="file of benchmarks.unpaired_data")
    parser.add_argument("out", type=Path, help="folder for the results")
    parser.add_argument("--seconds", type=float, default=300.0, help="of wall clock, from start to end")
    parser.add_argument("--workers", type=int, default=12, help="processes")
    parser.add_argument("--filters", type=int, default=3, help="further processes, for the filters; 0: no filters")
    parser.add_argument(
        "--mps", action="store_true", help="let NVIDIA's multi-process service run their kernels side by side"
    )
    parser.add_argument("--only", type=int, default=0, help="so many of the first runs; 0: all")
    parser.add_argument("--match", default="", help="only runs whose name has this in it")
    parser.add_argument("--steps", type=int, help="at most so many steps of every run, to try it out")
    options = parser.parse_args()
    ends = time.time() + options.seconds
    options.out.mkdir(parents=True, exist_ok=True)
    print(f"{unpack(options.data)} arrays", flush=True)
    service = start_service() if options.mps else None
    real = _has_parts()
    chosen = [job for job in jobs(real) if options.match in job.asked.name][: options.only or None]
    _gather(real)
    factor = share_of_time(chosen, options.workers, ends - time.time())
    print(f"{len(chosen)} runs, times {factor:.2f} of what they ask for, {ends - time.time():.0f} s left", flush=True)
    try:
        play(chosen, factor, ends, options, real)
    finally:
        if service is not None:
            subprocess.run([service], input="quit\n", text=True, timeout=20, check=False)


def start_service() -> str | None:
    """Start NVIDIA's multi-process service for this program alone; returns its control program, None where it does not work.

    Without it one process's small kernels wait for another's.
    """
    control = shutil.which("nvidia-cuda-mps-control")
    if control is None:
        print("no multi-process service here", flush=True)
        return None
    folder = tempfile.mkdtemp(prefix="mps-")
    own = {"CUDA_MPS_PIPE_DIRECTORY": folder, "CUDA_MPS_LOG_DIRECTORY": folder}
    try:
        subprocess.run([control, "-d"], env={**os.environ, **own}, timeout=15, check=True)
        probe = [sys.executable, "-c", "import torch; torch.ones(8, device='cuda').sum().item()"]
        subprocess.run(probe, env={**os.environ, **own}, timeout=45, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"multi-process service not used: {error}", flush=True)
        subprocess.run([control], input="quit\n", text=True, env={**os.environ, **own}, timeout=20, check=False)
        return None
    os.environ.update(own)
    print("multi-process service in use", flush=True)
    return control


def share_of_time(chosen: list[Job], workers: int, seconds: float) -> float:
    """By what the seconds of all runs have to be multiplied to fit."""
    usable = workers * (seconds - _START) - len(chosen) * JUDGE
    return max(0.05, min(3.0, 0.92 * usable / sum(job.seconds for job in chosen)))


def play(chosen: list[Job], factor: float, ends: float, options: argparse.Namespace, real: bool) -> None:
    """Run everything in processes of their own and write down what comes back until the time is up."""
    context = multiprocessing.get_context("spawn")
    waiting: Any = context.Queue()
    others: Any = context.Queue()
    done: Any = context.Queue()
    for job in chosen:
        waiting.put((replace(job.asked, steps=options.steps), job.seconds * factor))
    for seed in range(3):
        for rival in FILTERS:
            others.put((rival.name, seed))
    crew: list[BaseProcess] = [
        context.Process(target=train_all, args=(waiting, done, ends), daemon=True) for _ in range(options.workers)
    ]
    crew += [
        context.Process(target=filter_all, args=(others, done, core, real), daemon=True)
        for core in range(options.filters)
    ]
    for process in crew:
        process.start()
    pictures: dict[str, Any] = {}
    with (options.out / "unpaired.jsonl").open("a") as log:
        while time.time() < ends and (any(process.is_alive() for process in crew) or not done.empty()):
            try:
                line, made = done.get(timeout=1)
            except queue.Empty:
                continue
            log.write(json.dumps(line) + "\n")
            log.flush()
            print(f"{ends - time.time():5.0f} s left  {line['told']}", flush=True)
            if made:
                pictures.update(made)
                np.savez_compressed(options.out / "unpaired-pictures.npz", **pictures)
    for process in crew:
        process.terminate()


def _has_parts() -> bool:
    return any(CACHE.glob("unpaired-scan-abdomen*"))


def _gather(real: bool) -> None:
    """Prepare the sets once, so that not every process does."""
    context = multiprocessing.get_context("spawn")
    cohort(0.0, False, 0, real)
    others = [context.Process(target=cohort, args=(*what, 0, real)) for what in ((20.0, False), (0.0, True))]
    for process in others:
        process.start()
    for process in others:
        process.join()


if __name__ == "__main__":
    main()
