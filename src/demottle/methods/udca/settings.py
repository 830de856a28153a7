"""Settings of UDCA, and the networks that go with a size."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from demottle.errors import InputError
from demottle.networks.half_resolution_student import HalfResolutionStudent
from demottle.networks.light_causal_student import LightCausalStudent
from demottle.networks.recurrent_residual_attention_unet import RecurrentResidualAttentionUNet
from demottle.networks.single_frame_unet import SingleFrameUNet

_MULTIPLE = 8


@dataclass(frozen=True)
class UdcaSettings:
    """Settings of the method.

    Attributes:
        size: "light" (a teacher and a student for CPUs), "paper" (those of the paper), or "auto": the paper's where there is
            a GPU.
        student: "causal-half" (sees the frame and a memory of those before, works at half resolution), "causal" (the same at full
            resolution, five times slower), "single" (the frame alone, as published), or "auto": causal-half for sequences
            with the light size, single otherwise, and always for slices, which have no before.
        uns: weight of the teacher's frame as target; 0 switches it off, and no teacher is fitted. Off by default: with the light
            teacher it made frames worse by 0.8 to 1.2 dB, and takes 60 % of the time. As published: 1.
        cns: weight of the recursive average as target; 0 switches it off.
        recursion: weight of a new frame in the recursive average, in the long run.
        memory: the same for what a causal student remembers.
        motion_compensation: bring frames onto one another by optical flow before averaging.
        hide_frame: leave the frame itself out of its recursive average. As published (false) the student learns to hand a
            share of its own noise on.
        still_frames: how far ahead frames count, as they are, in the recursive average of a student that remembers, where
            nothing around moves; 4: only those that are brought onto the frame.
        fusion: "noise" (cross-fusion matrix normalized by the noise), "released" (as in the authors' release), or "none".
        edges: weight of the edge-preserving loss; 0 switches it off.
        penalty: "square" (linear for outliers), or "absolute" as published, for UNS and CNS.
        own: factor a of the recorrupted frame as its own target; 0 switches it off, as published.
        own_share: share of a batch that is recorrupted.
        structured_share: share of a batch to which random structures are added: to frame, memory and targets alike, or such
            that they have just appeared or gone. They teach that edges are sharp and that nothing trails behind them.
        wires: how much the contrast of thin faint wires counts, which are drawn into half of the patches with structures; 0: none
            are drawn.
        correct_lag: undo the detector's lag where it is measured.
        start: begin with weights that were trained on simulated runs and come with demottle, in place of random ones, and learn
            for fewer steps; only causal-half has such weights.
        patch, batch: side of a patch in pixels, patches per step.
        outlier: errors beyond this many deviations count linearly.
        rate: peak learning rate; 0: 3e-3 for students that remember (a third of it where they begin with shipped weights), 1e-3
            for all others and for the teacher.
    """

    size: Literal["auto", "light", "paper"] = "auto"
    student: Literal["auto", "causal-half", "causal", "single"] = "auto"
    uns: float = 0.0
    cns: float = 1.0
    recursion: float = 0.2
    memory: float = 0.1
    motion_compensation: bool = True
    hide_frame: bool = True
    still_frames: int = 32
    fusion: Literal["noise", "released", "none"] = "noise"
    edges: float = 0.1
    penalty: Literal["square", "absolute"] = "square"
    own: float = 0.5
    own_share: float = 0.25
    structured_share: float = 0.25
    wires: float = 60.0
    correct_lag: bool = True
    start: bool = True
    patch: int = 96
    batch: int = 8
    outlier: float = 4.0
    rate: float = 0.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        words = {
            "size": ("auto", "light", "paper"),
            "student": ("auto", "causal-half", "causal", "single"),
            "fusion": ("noise", "released", "none"),
            "penalty": ("square", "absolute"),
        }
        for name, known in words.items():
            if getattr(self, name) not in known:
                raise InputError(f'{name} is "{getattr(self, name)}"; it has to be one of: {", ".join(known)}.')
        if min(self.uns, self.cns, self.edges, self.own, self.still_frames, self.wires) < 0 or not all(
            0 <= share <= 1 for share in (self.own_share, self.structured_share)
        ):
            raise InputError(
                "uns, cns, edges, own, still_frames and wires cannot be negative, and shares have to lie between 0 and 1."
            )
        if self.uns + self.cns + self.own * self.own_share == 0:
            raise InputError("uns, cns and own are all switched off; there is nothing left to learn from.")
        if not (0 < self.recursion <= 1 and 0 < self.memory <= 1):
            raise InputError("recursion and memory are weights of a frame and have to lie between 0 and 1.")
        if self.patch < 32 or self.patch % _MULTIPLE:
            raise InputError(f"patch is {self.patch}; it has to be a multiple of {_MULTIPLE} and at least 32.")
        if self.batch < 1 or self.outlier <= 0 or self.rate < 0:
            raise InputError("batch has to be at least 1, outlier has to be positive, and rate cannot be negative.")

    def rate_for(self, student: str = "") -> float:
        """Peak learning rate of a student; without one, of the teacher."""
        return self.rate or (3e-3 if student and remembers(student) else 1e-3)

    def resolved(self, in_time: bool) -> tuple[str, str]:
        """Decide what "auto" is: the size, and the student for a sequence in time or for slices."""
        size = ("paper" if torch.cuda.is_available() else "light") if self.size == "auto" else self.size
        if not in_time:
            return size, "single"
        return size, ("causal-half" if size == "light" else "single") if self.student == "auto" else self.student


def teacher_network(size: str, frames: int) -> nn.Module:
    """Build the teacher of a size for so many neighbors."""
    if size == "paper":
        return RecurrentResidualAttentionUNet(frames)
    return RecurrentResidualAttentionUNet(frames, (16, 32), stem=4, recurrences=2, norm=False)


def remembers(student: str) -> bool:
    """True for a student that sees a memory of the frames before."""
    return student != "single"


def student_network(size: str, student: str, inputs: int) -> nn.Module:
    """Build the student of a size for so many input images."""
    if student == "causal-half":
        return HalfResolutionStudent(inputs)
    if student == "causal":
        return LightCausalStudent(inputs)
    return SingleFrameUNet(inputs) if size == "paper" else SingleFrameUNet(inputs, (24, 48, 96))
