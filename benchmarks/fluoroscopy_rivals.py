"""What is compared on simulated fluoroscopy: filters, Noise2Void, udca and its parts, the same student with clean frames."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from benchmarks.fluoroscopy_cases import Case
from benchmarks.noise2void import noise2void
from demottle.events import Listener
from demottle.image import Image
from demottle.learning.one_network import learn
from demottle.learning.schedule import CosineSchedule
from demottle.learning.seeding import seeded
from demottle.methods import METHODS, Budget
from demottle.methods.one_scan.scan_samples import patch_that_fits
from demottle.methods.udca import method as udca
from demottle.methods.udca.clip import make_clip, offsets_for
from demottle.methods.udca.noise import frame_noise
from demottle.methods.udca.runs import runs_of_frames, stretches
from demottle.methods.udca.sequence import SequenceNetwork, empty_network, wrapped
from demottle.methods.udca.settings import Settings, remembers
from demottle.methods.udca.student import StudentLesson

Result = Callable[[Image], Image]
Rival = Callable[[Sequence[Case], int, int, Listener], list[Result]]
"""From cases, steps, a seed and a listener to one denoiser for each case."""

Size = Literal["light", "paper"]
LEFT_IN = "lag left in"
ABLATION: dict[str, dict[str, Any]] = {
    "with UNS": {"uns": 1.0},
    "UNS without CNS": {"uns": 1.0, "cns": 0.0},
    "without CNS": {"cns": 0.0},
    "without farther frames": {"still_frames": 4},
    "without motion compensation": {"motion_compensation": False},
    "without fusion matrix": {"fusion": "none"},
    "UNS, no fusion matrix": {"uns": 1.0, "fusion": "none"},
    "UNS, released fusion matrix": {"uns": 1.0, "fusion": "released"},
    "without edge loss": {"edges": 0.0},
    "without own frame": {"own": 0.0},
    "without structures": {"structured_share": 0.0},
    "frame itself in the average": {"hide_frame": False},
}


PAPER: dict[str, dict[str, Any]] = {
    "udca, paper size": {"size": "paper"},
    "udca, paper size, with UNS": {"size": "paper", "uns": 1.0},
    "udca, as published": {
        "size": "paper", "uns": 1.0, "own": 0.0, "structured_share": 0.0, "hide_frame": False, "penalty": "absolute",
        "fusion": "released",
    },
}  # fmt: skip
CLEAN_PAPER = "clean, paper size"


def rivals(ablation: bool = False, lag: bool = False, paper: bool = False) -> dict[str, Rival]:
    """Everything that is compared, by name.

    Args:
        ablation: add udca with parts switched off.
        lag: add each method that undoes lag with the lag left in.
        paper: add networks of the paper's size, which need a GPU.
    """
    filters = [name for name, info in METHODS.items() if info.images == "sequences" and info.learns_from == "nothing"]
    found: dict[str, Rival] = {"input": lambda cases, steps, seed, listener: [_same] * len(cases)}
    for name in filters:
        found[name] = _filter(name)
        if lag and any(field.name == "correct_lag" for field in fields(METHODS[name].load().Settings)):
            found[f"{name}, {LEFT_IN}"] = _filter(name, correct_lag=False)
    found["noise2void"] = _noise2void
    found["udca"] = _udca()  # the light size, with or without a GPU
    if lag:
        found[f"udca, {LEFT_IN}"] = _udca(correct_lag=False)
    found["clean"] = _clean()
    if paper:
        found |= {name: _udca(**changes) for name, changes in PAPER.items()} | {CLEAN_PAPER: _clean("paper")}
    return found | ({name: _udca(**changes) for name, changes in ABLATION.items()} if ablation else {})


def _same(image: Image) -> Image:
    return image


def _filter(name: str, **changes: Any) -> Rival:
    def run(cases: Sequence[Case], steps: int, seed: int, listener: Listener) -> list[Result]:
        module = METHODS[name].load()
        return [module.fit(case.noisy, module.Settings(**changes), case.measured) for case in cases]

    return run


def _noise2void(cases: Sequence[Case], steps: int, seed: int, listener: Listener) -> list[Result]:
    return [noise2void([case.noisy for case in cases], steps, seed, listener=listener)] * len(cases)


def _udca(**changes: Any) -> Rival:
    def run(cases: Sequence[Case], steps: int, seed: int, listener: Listener) -> list[Result]:
        noisy, measured = [case.noisy for case in cases], [case.measured for case in cases]
        budget = Budget(steps=steps)
        settings = Settings(**{"size": "light", **changes})
        model = udca.fit_runs(noisy, settings, measured, seed=seed, budget=budget, listener=listener)
        return [model] * len(cases)

    return run


def _clean(size: Size = "light") -> Rival:
    def run(cases: Sequence[Case], steps: int, seed: int, listener: Listener) -> list[Result]:
        settings = Settings(size=size, uns=0.0, own=0.0, fusion="none")
        return [clean_targets(cases, settings, steps, seed, listener)] * len(cases)

    return run


def clean_targets(
    cases: Sequence[Case], settings: Settings, steps: int, seed: int, listener: Listener
) -> SequenceNetwork:
    """Teach the same student with clean frames, on the same examples: what it can reach."""
    patch = patch_that_fits(settings.patch, 8, cases[0].noisy)
    settings = replace(settings, patch=patch, motion_compensation=False)  # the average is not looked at
    size, kind = settings.resolved(in_time=True)
    noise = frame_noise(cases[0].measured)
    student = seeded(lambda: wrapped(empty_network(size, kind), kind, noise, settings.memory), seed)
    runs = iter(runs_of_frames([case.noisy for case in cases], noise, student))
    clips = []
    for case in cases:
        frames, rows, columns = case.noisy.shape
        for stretch in stretches(frames, rows * columns * len(cases)):
            clip = make_clip(next(runs), offsets_for(remembers(kind)), settings)
            truth = case.clean.voxels[stretch.start : stretch.stop][clip.chosen]
            rows, columns = clip.frames.shape[1:]
            clips.append(replace(clip, recursive=truth[:, :rows, :columns]))  # in the place of the average

    def answer(asked: nn.Module, patches: dict[str, Tensor]) -> Tensor:
        clean: Tensor = asked(patches["x"], patches["state"], patches["memory"])[0]
        return clean

    lesson = StudentLesson(clips, [clip.recursive for clip in clips], settings, noise.spectrum, answer, seed)
    student.to(lesson.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learned, _ = learn(student, lesson.loss, CosineSchedule(steps), rate=settings.rate_for(kind), listener=listener)
    fitted = {"size": size, "student": kind, "frame_noise": noise.to_dict()}
    return SequenceNetwork(udca.NAME, {"memory": settings.memory}, fitted, learned.network, noise.spectrum)
