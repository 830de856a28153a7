"""What udca reaches on simulated fluoroscopy, beside classical filters, Noise2Void and the same student with clean frames.

    python -m benchmarks.fluoroscopy --quick
    python -m benchmarks.fluoroscopy --quanta 12 24 50 --motions static slow fast panning --seeds 0 1 2 --each

At each dose and seed one model is fitted on the runs of all motions together, or one on each (`--each`), and applied to each
run. PSNR = 20 log10(R / RMSE) in stored numbers, R = 4095 (12 bits), over whole frames from the tenth on; "wire" is the same
over the pixels of catheter and guidewire. Pixels are those of 512 over 200 mm whatever the size, so that speeds are, too.
`--ablation` adds udca with parts switched off. Lines are appended to benchmark-results/fluoroscopy.jsonl as they come.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from benchmarks.noise2void import noise2void
from demottle.image import Image
from demottle.learning.loop import Schedule, learn
from demottle.learning.seeding import seeded
from demottle.methods import METHODS, Budget
from demottle.methods.udca import method as udca
from demottle.methods.udca.clip import make_clip, offsets_for
from demottle.methods.udca.noise import frame_noise
from demottle.methods.udca.runs import runs_of_frames
from demottle.methods.udca.sequence import SequenceNetwork, empty_network, wrapped
from demottle.methods.udca.settings import Settings
from demottle.methods.udca.student import StudentLesson
from demottle.noise.sequence import SequenceFingerprint, measure_sequence
from demottle.physics.dynamic import Part, dynamic_phantom
from demottle.physics.fluoroscopy import Exposure, acquire

RANGE, FIRST, PIXEL, RATE = 4095.0, 10, 200 / 512, 15.0
MOTIONS = ("static", "slow", "fast", "panning")
ABLATION: dict[str, dict[str, Any]] = {
    "with UNS": {"uns": 1.0},
    "UNS without CNS": {"uns": 1.0, "cns": 0.0},
    "without motion compensation": {"motion_compensation": False},
    "without fusion matrix": {"fusion": "none"},
    "UNS, no fusion matrix": {"uns": 1.0, "fusion": "none"},
    "UNS, released fusion matrix": {"uns": 1.0, "fusion": "released"},
    "without edge loss": {"edges": 0.0},
    "without own frame": {"own": 0.0},
    "without structures": {"structured_share": 0.0},
    "frame itself in the average": {"hide_frame": False},
}


@dataclass(frozen=True)
class Case:
    """A simulated run with its truth."""

    motion: str
    noisy: Image
    clean: Image
    wires: np.ndarray
    measured: SequenceFingerprint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="192 x 192, 40 frames, 150 steps, one seed")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--steps", type=int, default=udca.STEPS)
    parser.add_argument("--quanta", type=float, nargs="+", default=[12.0, 24.0, 50.0])
    parser.add_argument("--motions", nargs="+", default=MOTIONS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--lag", type=float, default=0.0)
    parser.add_argument("--each", action="store_true", help="fit one model on each run")
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--only", nargs="*", default=None, help="names of what to run: udca, noise2void, clean, ...")
    parser.add_argument("--out", type=Path, default=Path("benchmark-results/fluoroscopy.jsonl"))
    options = parser.parse_args()
    if options.quick:
        options.size, options.frames, options.steps = 192, 40, 150
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for seed in options.seeds:
        for quanta in options.quanta:
            cases = [make_case(motion, quanta, options, seed) for motion in options.motions]
            for group in [[case] for case in cases] if options.each else [cases]:
                compare(group, quanta, seed, options)


def make_case(motion: str, quanta: float, options: argparse.Namespace, seed: int) -> Case:
    """Simulate a run."""
    scene = dynamic_phantom(options.frames, options.size, RATE, PIXEL, seed, motion=motion)
    run = acquire(scene.image, Exposure(quanta, lag=options.lag), seed)
    return Case(motion, run.noisy, run.clean, scene.parts >= Part.CATHETER, measure_sequence(run.noisy))


def compare(cases: Sequence[Case], quanta: float, seed: int, options: argparse.Namespace) -> None:
    """Run every rival on a group of cases and print its line."""
    for name, run in rivals(options.ablation).items():
        if options.only is not None and name not in options.only:
            continue
        begun, cpu = time.monotonic(), time.process_time()
        cleaned = run(cases, options.steps, seed)
        spent = {"seconds": round(time.monotonic() - begun, 1), "cpu_seconds": round(time.process_time() - cpu, 1)}
        figures = {case.motion: judge(case, image) for case, image in zip(cases, cleaned, strict=True)}
        told = "  ".join(f"{motion} {psnr:.2f} (wire {wire:.2f})" for motion, (psnr, wire) in figures.items())
        print(f"{quanta:g} quanta, seed {seed}  {name:28s} {told}  {spent['cpu_seconds']:.0f} s of CPU", flush=True)
        facts = {"quanta": quanta, "seed": seed, "name": name, "size": options.size, "frames": options.frames}
        facts |= {"steps": options.steps, "lag": options.lag, "each": options.each, "psnr": figures, **spent}
        with options.out.open("a") as log:
            log.write(json.dumps(facts) + "\n")


def judge(case: Case, image: Image) -> tuple[float, float]:
    """PSNR of whole frames, and over catheter and guidewire."""
    error = (image.voxels[FIRST:] - case.clean.voxels[FIRST:]).astype(np.float64) ** 2
    wires = case.wires[FIRST:]
    figures = (error.mean(), error[wires].mean() if wires.any() else np.nan)
    whole, wire = (round(float(20 * np.log10(RANGE / np.sqrt(figure))), 3) for figure in figures)
    return whole, wire


Rival = Callable[[Sequence[Case], int, int], list[Image]]


def rivals(ablation: bool) -> dict[str, Rival]:
    """Everything that is compared, by name."""
    filters = {name: _filter(name) for name, info in METHODS.items() if info.images == "sequences"}
    parts = {name: _udca(changes) for name, changes in ABLATION.items()} if ablation else {}
    return {
        "input": lambda cases, steps, seed: [case.noisy for case in cases],
        **filters,
        "noise2void": lambda cases, steps, seed: noise2void([case.noisy for case in cases], steps, seed),
        "udca": _udca({}),
        "clean": clean_targets,
        **parts,
    }


def _filter(name: str) -> Rival:
    def run(cases: Sequence[Case], steps: int, seed: int) -> list[Image]:
        module = METHODS[name].load()
        return [module.fit(case.noisy, module.Settings(), case.measured)(case.noisy) for case in cases]

    return run


def _udca(changes: dict[str, Any]) -> Rival:
    def run(cases: Sequence[Case], steps: int, seed: int) -> list[Image]:
        noisy, measured = [case.noisy for case in cases], [case.measured for case in cases]
        model = udca.fit_runs(noisy, Settings(**changes), measured, seed=seed, budget=Budget(steps=steps))
        return [model(image) for image in noisy]

    return run


def clean_targets(cases: Sequence[Case], steps: int, seed: int) -> list[Image]:
    """Teach the same student with clean frames: what it can reach."""
    settings = Settings(uns=0.0, own=0.0, fusion="none", motion_compensation=False)
    size, kind = settings.resolved(in_time=True)
    noise = frame_noise(cases[0].measured)
    student = seeded(lambda: wrapped(empty_network(size, kind), kind, noise, settings.memory), seed)
    clips = []
    for case in cases:
        (run,) = runs_of_frames([case.noisy], noise, student)
        clip = make_clip(run, offsets_for(kind == "causal"), settings)
        rows, columns = run.frames.shape[1:]
        # Offsets that look ahead only: an example is the frame before its nearest neighbor.
        truth = case.clean.voxels[clip.around[:, -1] - 1, :rows, :columns]
        clips.append(replace(clip, recursive=truth))  # compared with the truth wherever udca compares with the average

    def answer(asked: nn.Module, patches: dict[str, Tensor]) -> Tensor:
        clean: Tensor = asked(patches["x"], patches["state"], patches["memory"])[0]
        return clean

    lesson = StudentLesson(clips, [clip.recursive for clip in clips], settings, noise.spectrum, answer, seed)
    learned, _ = learn(student, lesson.loss, Schedule(steps, rate=settings.rate))
    fitted = {"size": size, "student": kind, "frame_noise": noise.to_dict()}
    model = SequenceNetwork(udca.NAME, {"memory": settings.memory}, fitted, learned.network, noise.spectrum)
    return [model(case.noisy) for case in cases]


if __name__ == "__main__":
    main()
