"""UDCA: unsupervised dynamic context-aware denoising of fluoroscopy (arXiv 2411.00830), for stacks of CT slices as well.

Two steps, no clean frames anywhere. A teacher predicts each frame from those around it, which hide its noise (`teacher`).
A student that sees the frame learns from the teacher (UNS, off by default), from the recursive average of the frames around,
brought onto it by optical flow (CNS, `alignment`), weighed pixel by pixel by how much moves (`losses.motion_fusion`), and
from its own frame made noisier where neither can be believed (`student`). At run time only the student runs: no delay, no
flow.

All of this assumes that the noise of frames is independent. Detector lag and a recursive filter in the camera break that; they
are measured, and undone before anything else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from demottle.errors import InputError, UnsuitableError
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Image, Voxels
from demottle.learning.device import best_device
from demottle.learning.history import History
from demottle.learning.one_network import learn
from demottle.learning.schedule import CosineSchedule
from demottle.learning.seeding import seeded
from demottle.methods.base import Budget, Denoiser, Tensors
from demottle.methods.one_scan.scan_samples import learnable_spectrum, patch_that_fits
from demottle.methods.one_scan.slice_network import INPUTS, Normalized, SliceNetwork, load_weights, scale_of, summary
from demottle.methods.registry import name_of
from demottle.methods.udca import pace
from demottle.methods.udca.clip import Clip, make_clip, offsets_for
from demottle.methods.udca.frames import CausalFrames, SingleFrame
from demottle.methods.udca.noise import FrameNoise, frame_noise
from demottle.methods.udca.runs import runs_of_frames, runs_of_slices
from demottle.methods.udca.sequence import SequenceNetwork, empty_network, restored, wrapped
from demottle.methods.udca.settings import UdcaSettings, remembers, student_network, teacher_network
from demottle.methods.udca.student import Answer, StudentLesson
from demottle.methods.udca.teacher import Teacher, TeacherLesson, predictions
from demottle.networks.start_network import FRAMES, fill_from_start
from demottle.networks.windowed_wiener import WindowedWiener
from demottle.noise.fingerprint import Fingerprint, measure
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence

__all__ = ["NAME", "Settings", "fit", "fit_runs", "learning_seconds", "restore", "untaught"]

NAME = name_of(__name__)
Settings = UdcaSettings

STEPS, STEPS_OF_OTHERS = 1000, 500
"""Steps of learning: for students that remember (edges a third sharper than after 500), and for those that see one frame."""
STEPS_PER_FRAME, FEWEST_STEPS, MOST_STEPS = 10, 80, 300
"""Steps from the shipped weights on: for each frame of the run, and from where to where."""
FEWEST_FRAMES = 8
_GENTLER = 1 / 3  # rate where learning begins with the shipped weights
_MULTIPLE = 8


def fit(
    image: Image,
    settings: UdcaSettings,
    fingerprint: Fingerprint | SequenceFingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> Denoiser:
    """Fit teacher and student on one run of frames, or on one stack of slices.

    A budget counts for each of the two.

    Raises:
        UnsuitableError: where there is too little to learn from; the sentence says why.
    """
    return fit_runs([image], settings, [fingerprint], seed=seed, budget=budget, listener=listener)


def fit_runs(
    images: Sequence[Image],
    settings: UdcaSettings,
    fingerprints: Sequence[Fingerprint | SequenceFingerprint] | None = None,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> Denoiser:
    """Fit teacher and student on several runs of the same system and exposure.

    Args:
        images: runs of frames, or stacks of slices; the noise of the first is taken as that of all.
        settings, seed, budget, listener: as in `fit`.
        fingerprints: what was measured on each; None: measured here.

    Raises:
        UnsuitableError: where there is too little to learn from.
        InputError: for no runs at all, or frames and slices together.
    """
    if not images:
        raise InputError("There is no run to learn from.")
    known = fingerprints or [_measured(image, listener) for image in images]
    settings = replace(settings, patch=min(patch_that_fits(settings.patch, _MULTIPLE, image) for image in images))
    listener(Progress(Stage.PREPARE, 0, 1))
    budget = budget or Budget()
    frames = [found for found in known if isinstance(found, SequenceFingerprint)]
    slices = [found for found in known if isinstance(found, Fingerprint)]
    if frames and slices:
        raise InputError("Runs of frames and stacks of slices were given together; learn from one or the other.")
    if frames:
        return _fit_frames(images, settings, frames[0], seed, budget, listener)
    return _fit_slices(images, settings, slices, seed, budget, listener)


def learning_seconds(image: Image, settings: UdcaSettings, budget: Budget) -> float:
    """Estimate how long `fit` will learn on this machine, in seconds, by trying a few steps; minutes are not looked at."""
    fitting = replace(settings, patch=patch_that_fits(settings.patch, _MULTIPLE, image))
    kind = fitting.resolved(in_time=image.sequence)[1]
    return pace.learning_seconds(
        image, fitting, _steps_of(kind, has_start(settings, image.sequence), image.shape[0]), budget
    )


def untaught(image: Image, settings: UdcaSettings, fingerprint: Fingerprint | SequenceFingerprint) -> Denoiser | None:
    """The student as it begins on a run, with the shipped weights and the run's noise; None where there are no such weights."""
    if not isinstance(fingerprint, SequenceFingerprint) or not has_start(settings, in_time=True):
        return None
    if image.shape[0] < FEWEST_FRAMES:
        return None
    begun = _begun(settings, fingerprint, 0)
    fitted = {**_facts(fingerprint, settings, begun), "runs": 1, "steps": 0}
    return SequenceNetwork(NAME, asdict(settings), fitted, begun.student.network, begun.noise.spectrum)


def has_start(settings: UdcaSettings, in_time: bool) -> bool:
    """True where learning begins with the shipped weights."""
    return settings.start and settings.resolved(in_time)[1] == "causal-half"


def _measured(image: Image, listener: Listener) -> Fingerprint | SequenceFingerprint:
    return measure_sequence(image, listener) if image.sequence else measure(image, listener)


def _fit_frames(
    images: Sequence[Image],
    settings: UdcaSettings,
    measured: SequenceFingerprint,
    seed: int,
    budget: Budget,
    listener: Listener,
) -> Denoiser:
    for image in images:
        if image.shape[0] < FEWEST_FRAMES:
            raise UnsuitableError(
                f"udca learns from the frames around each frame and needs at least {FEWEST_FRAMES}; there "
                f"{'is' if image.shape[0] == 1 else 'are'} {image.shape[0]}. Leave the choice to demottle, or use nvca, which "
                "averages similar pixels."
            )
    begun = _begun(settings, measured, seed)
    size, kind = begun.resolved
    runs = runs_of_frames(images, begun.noise, begun.student)
    clips = [make_clip(run, offsets_for(remembers(kind)), settings, listener) for run in runs]

    def answer(asked: nn.Module, patches: dict[str, Tensor]) -> Tensor:
        clean: Tensor = asked(patches["x"], patches["state"], patches["memory"])[0]
        return clean

    learned, story = _two_steps(
        clips,
        begun.student,
        answer,
        begun.noise.spectrum,
        settings,
        (size, kind),
        seed,
        budget,
        listener,
        begun.started,
    )
    fitted = {**_facts(measured, settings, begun), "runs": len(images), **story}
    return SequenceNetwork(NAME, asdict(settings), fitted, learned.network, begun.noise.spectrum)


@dataclass(frozen=True, eq=False)
class _Begun:
    """A student before it learns; `started`: with the shipped weights."""

    student: CausalFrames | SingleFrame
    noise: FrameNoise
    resolved: tuple[str, str]
    started: bool


def _begun(settings: UdcaSettings, measured: SequenceFingerprint, seed: int) -> _Begun:
    size, kind = settings.resolved(in_time=True)
    noise = frame_noise(measured, settings.correct_lag)
    student = seeded(lambda: wrapped(empty_network(size, kind), kind, noise, settings.memory), seed)
    started = has_start(settings, in_time=True) and fill_from_start(student.network, FRAMES)
    return _Begun(student, noise, (size, kind), started)


def _facts(measured: SequenceFingerprint, settings: UdcaSettings, begun: _Begun) -> dict[str, Any]:
    size, kind = begun.resolved
    return {
        "modality": measured.modality,
        "unit": measured.unit,
        "spacing_mm": list(measured.spacing),
        "noise_level": measured.noise_level,
        "size": size,
        "student": kind,
        "start_network": begun.started,
        "frame_noise": begun.noise.to_dict(),
    }


def _fit_slices(
    images: Sequence[Image],
    settings: UdcaSettings,
    fingerprints: Sequence[Fingerprint],
    seed: int,
    budget: Budget,
    listener: Listener,
) -> Denoiser:
    image, fingerprint = images[0], fingerprints[0]
    size, kind = settings.resolved(in_time=False)
    spectrum = learnable_spectrum(NAME, image, fingerprint)
    scale = scale_of(image, fingerprint)
    network = seeded(lambda: student_network(size, kind, INPUTS), seed)
    student = Normalized(network, WindowedWiener(spectrum), scale, int(network.multiple))  # type: ignore[arg-type]
    clips = []
    for one, found in zip(images, fingerprints, strict=True):
        for run in runs_of_slices(one, found, settings.patch):
            clips.append(make_clip(run, offsets_for(causal=False), settings, listener))

    def answer(asked: nn.Module, patches: dict[str, Tensor]) -> Tensor:
        clean: Tensor = asked(patches["x"], patches["deviation"])
        return clean

    learned, story = _two_steps(clips, student, answer, spectrum, settings, (size, kind), seed, budget, listener)
    fitted = {**summary(image, fingerprint, scale), "size": size, "student": kind, **story}
    return SliceNetwork(NAME, asdict(settings), fitted, learned.network, spectrum)


def restore(settings: UdcaSettings, fitted: Mapping[str, Any], tensors: Tensors) -> Denoiser:
    """Rebuild a saved student."""
    if "frame_noise" in fitted:
        return restored(NAME, asdict(settings), fitted, tensors)
    network = load_weights(student_network(fitted["size"], fitted["student"], INPUTS), tensors)
    return SliceNetwork(NAME, asdict(settings), fitted, network, tensors["noise.spectrum"])


def _two_steps(
    clips: Sequence[Clip],
    student: nn.Module,
    answer: Answer,
    spectrum: Voxels,
    settings: UdcaSettings,
    resolved: tuple[str, str],
    seed: int,
    budget: Budget,
    listener: Listener,
    started: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """Teach the teacher, let it predict, teach the student; returns the student and what happened."""
    device, (size, kind) = best_device(), resolved
    steps = budget.steps or _steps_of(kind, started, sum(len(clip.run.frames) for clip in clips))
    half = None if budget.minutes is None else budget.minutes / 2
    story: dict[str, Any] = {}
    taught = [clip.recursive for clip in clips]  # never looked at where UNS is off
    if settings.uns > 0:
        teacher = seeded(lambda: Teacher(teacher_network(size, clips[0].around.shape[1])), seed + 1).to(device)
        first = TeacherLesson(clips, settings, seed + 1)
        learned_teacher, history = learn(
            teacher, first.loss, CosineSchedule(steps, minutes=half), rate=settings.rate_for(), listener=listener
        )
        taught = [predictions(learned_teacher, clip) for clip in clips]
        story |= _renamed(history, "teacher")
    else:
        half = budget.minutes
    lesson = StudentLesson(clips, taught, settings, spectrum, answer, seed)
    student.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rate = settings.rate_for(kind) * (_GENTLER if started and not settings.rate else 1)
    learned, history = learn(student, lesson.loss, CosineSchedule(steps, minutes=half), rate=rate, listener=listener)
    still = [float((clip.sure * (1 - clip.motion))[clip.wanted].mean()) for clip in clips]
    return learned, {**story, **history.summary(), "matched_share": round(float(np.mean(still)), 4)}


def _steps_of(student: str, started: bool, frames: int) -> int:
    if started:
        return min(max(STEPS_PER_FRAME * frames, FEWEST_STEPS), MOST_STEPS)
    return STEPS if remembers(student) else STEPS_OF_OTHERS


def _renamed(history: History, who: str) -> dict[str, Any]:
    return {f"{who}_{name}": value for name, value in history.summary().items()}
