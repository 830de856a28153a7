"""What is compared on simulated fluoroscopy: filters, Noise2Void, udca and its parts, the same student with clean frames."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from torch import Tensor, nn

from benchmarks.fluoroscopy_cases import Case
from benchmarks.noise2void import noise2void
from demottle.events import Listener
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

Result = Callable[[Image], Image]
Rival = Callable[[Sequence[Case], int, int, Listener], list[Result]]
"""From cases, steps, a seed and a listener to one denoiser for each case."""

LEFT_IN = "lag left in"
ABLATION: dict[str, dict[str, Any]] = {
    "with UNS": {"uns": 1.0},
    "UNS without CNS": {"uns": 1.0, "cns": 0.0},
    "without CNS": {"cns": 0.0},
    "without motion compensation": {"motion_compensation": False},
    "without fusion matrix": {"fusion": "none"},
    "UNS, no fusion matrix": {"uns": 1.0, "fusion": "none"},
    "UNS, released fusion matrix": {"uns": 1.0, "fusion": "released"},
    "without edge loss": {"edges": 0.0},
    "without own frame": {"own": 0.0},
    "without structures": {"structured_share": 0.0},
    "frame itself in the average": {"hide_frame": False},
}


def rivals(ablation: bool = False, lag: bool = False) -> dict[str, Rival]:
    """Everything that is compared, by name; `lag` adds each method that undoes lag with the lag left in."""
    filters = [name for name, info in METHODS.items() if info.images == "sequences"]
    found: dict[str, Rival] = {"input": lambda cases, steps, seed, listener: [_same] * len(cases)}
    for name in filters:
        found[name] = _filter(name)
        if lag and any(field.name == "correct_lag" for field in fields(METHODS[name].load().Settings)):
            found[f"{name}, {LEFT_IN}"] = _filter(name, correct_lag=False)
    found["noise2void"] = _noise2void
    found["udca"] = _udca()
    if lag:
        found[f"udca, {LEFT_IN}"] = _udca(correct_lag=False)
    found["clean"] = clean_targets
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
        model = udca.fit_runs(noisy, Settings(**changes), measured, seed=seed, budget=budget, listener=listener)
        return [model] * len(cases)

    return run


def clean_targets(cases: Sequence[Case], steps: int, seed: int, listener: Listener) -> list[Result]:
    """Teach the same student with clean frames: what it can reach."""
    settings = Settings(uns=0.0, own=0.0, fusion="none", motion_compensation=False)
    size, kind = settings.resolved(in_time=True)
    noise = frame_noise(cases[0].measured)
    student = seeded(lambda: wrapped(empty_network(size, kind), kind, noise, settings.memory), seed)
    clips = []
    for case in cases:
        (run,) = runs_of_frames([case.noisy], noise, student)
        clip = make_clip(run, offsets_for(causal=True), settings)
        rows, columns = run.frames.shape[1:]
        # Offsets that look ahead only: an example is the frame before its nearest neighbor.
        truth = case.clean.voxels[clip.around[:, -1] - 1, :rows, :columns]
        clips.append(replace(clip, recursive=truth))  # compared with the truth wherever udca is with the average

    def answer(asked: nn.Module, patches: dict[str, Tensor]) -> Tensor:
        clean: Tensor = asked(patches["x"], patches["state"], patches["memory"])[0]
        return clean

    lesson = StudentLesson(clips, [clip.recursive for clip in clips], settings, noise.spectrum, answer, seed)
    learned, _ = learn(student.to(lesson.device), lesson.loss, Schedule(steps, rate=settings.rate), listener=listener)
    fitted = {"size": size, "student": kind, "frame_noise": noise.to_dict()}
    model = SequenceNetwork(udca.NAME, {"memory": settings.memory}, fitted, learned.network, noise.spectrum)
    return [model] * len(cases)
