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
import traceback
from dataclasses import asdict, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.unpaired_cases import cohort, tests
from benchmarks.unpaired_data import unpack
from benchmarks.unpaired_jobs import Job, jobs

_START, _JUDGE = 40.0, 8.0  # seconds for data and the start of processes, and for judging one run
_LEAST = 0.35  # of the time a run asks for: with less it is not begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="file of benchmarks.unpaired_data")
    parser.add_argument("out", type=Path, help="folder for the results")
    parser.add_argument("--seconds", type=float, default=300.0, help="of wall clock, from start to end")
    parser.add_argument("--workers", type=int, default=12, help="processes")
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
        play(chosen, factor, ends, options.workers, options.out, options.steps)
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
    usable = workers * (seconds - _START / 2) - len(chosen) * _JUDGE
    return max(0.05, min(3.0, 0.92 * usable / sum(job.seconds for job in chosen)))


def play(chosen: list[Job], factor: float, ends: float, workers: int, out: Path, steps: int | None) -> None:
    """Run everything in processes of their own and write down what comes back until the time is up."""
    context = multiprocessing.get_context("spawn")
    waiting: Any = context.Queue()
    done: Any = context.Queue()
    for job in chosen:
        waiting.put((replace(job.asked, steps=steps), job.seconds * factor))
    for _ in range(workers):
        waiting.put(None)
    crew: list[BaseProcess] = [
        context.Process(target=_work, args=(waiting, done, ends), daemon=True) for _ in range(workers)
    ]
    for process in crew:
        process.start()
    pictures: dict[str, Any] = {}
    with (out / "unpaired.jsonl").open("a") as log:
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
                np.savez_compressed(out / "unpaired-pictures.npz", **pictures)
    for process in crew:
        process.terminate()


def _work(waiting: Any, done: Any, ends: float) -> None:
    """Take one run after the other until there is none left, or no time."""
    import torch

    torch.set_num_threads(1)
    torch.backends.cudnn.benchmark = True
    while True:
        try:
            job = waiting.get(timeout=5)
        except queue.Empty:
            return
        if job is None:
            return
        asked, seconds = job
        left = ends - time.time() - _JUDGE
        if left < _LEAST * seconds:
            continue
        try:
            done.put(_run(asked, min(seconds, left)))
        except Exception as error:
            text = traceback.format_exc()
            line = {"key": asked.key, "asked": asdict(asked), "failed": text, "told": f"{asked.name}: FAILED {error!r}"}
            done.put((line, None))


def _run(asked: Any, seconds: float) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Train one method for so many seconds and measure what it makes of the patients."""
    import torch

    from benchmarks.unpaired_discs import disc_figures
    from benchmarks.unpaired_runs import figures, line_of, mean
    from demottle.learning.run import Run
    from demottle.methods import Budget, method

    started = time.monotonic()
    info = method(asked.method)
    module = info.load()
    settings = module.Settings(**{**module.PRESETS[asked.preset], **asked.sets})
    sets = cohort(asked.shift, info.learns_from == "pairs", asked.seed, asked.real)
    # The clock is no part of what was asked for: `table` puts runs of other lengths side by side.
    denoiser = module.train(
        sets, settings, seed=asked.seed, budget=Budget(steps=asked.steps, minutes=seconds / 60), run=Run()
    )
    trained = time.monotonic() - started
    found, made = [], {}
    for one, case in tests(asked.seed, asked.real, asked.who):
        clean = denoiser(case.noisy)
        found.append(figures(one, case, clean, disc_figures(case, denoiser, clean, asked.seed)))
        if asked.seed == 0 and not asked.label and asked.who == "test" and one.name in ("phantom12", "abdomen2"):
            name = f"{asked.method}-{asked.preset}-{asked.sets.get('network', '')}-{asked.shift:g}-{one.name}"
            made[name] = np.rint(clean.voxels[1]).astype(np.int16)
    line = line_of(
        asked,
        found,
        seconds=round(trained, 1),
        judged_in=round(time.monotonic() - started - trained, 1),
        steps=int(denoiser.fitted.get("steps", 0)),
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else "processor",
    )
    told = f"{asked.name}, seed {asked.seed}, {asked.who}: {mean(line, 'psnr'):.2f} dB {mean(line, 'rmse'):.2f} HU"
    line["told"] = f"{told}, {line['steps']} steps in {trained:.0f} s"
    return line, made or None


def _has_parts() -> bool:
    from benchmarks.cases import CACHE

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
