"""Progress as plain events. The library reports; only the command line draws.

A listener stops the work by raising (the command line lets `KeyboardInterrupt` pass through): every long operation calls
its listener often, and leaves nothing half-written when the call does not return.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Stage(StrEnum):
    """Every stage that is ever reported: its short name, which is its value, and what a user is told of it (`words`)."""

    words: str

    START = "start", "Starting"
    PHANTOM = "phantom", "Painting the phantom"
    SIMULATE = "simulate", "Simulating noise"
    NOISE = "noise", "Adding noise"
    EXPOSE = "expose", "Taking frames"
    READ = "read", "Reading"
    GATHER = "gather", "Reading the data set"
    INDEX = "index", "Reading headers"
    GROUP = "group", "Putting series together"
    WAIT = "wait", "Waiting for frames"
    MEASURE = "measure", "Measuring noise"
    COMPARE = "compare", "Trying filters"
    PREPARE = "prepare", "Preparing"
    FEATURES = "features", "Learning CT features"
    WARM_UP = "warm-up", "Learning from simulated noise"
    LEARN = "learn", "Learning"
    TRAIN = "train", "Training"
    WEIGH = "weigh", "Weighting neighboring slices"
    GUIDE = "guide", "Preparing the guide"
    APPLY = "apply", "Denoising"
    FUSE = "fuse", "Averaging matched slices"
    RESTORE = "restore", "Restoring what slices agree on"
    PROMISE = "promise", "Measuring what can be promised"
    CALIBRATE = "calibrate", "Keeping CT numbers"
    STREAM = "stream", "Streaming"
    CHECK = "check", "Checking"
    UNCERTAINTY = "uncertainty", "Estimating the uncertainty"
    EVALUATE = "evaluate", "Evaluating"
    BENCHMARK = "benchmark", "Comparing"
    TIMING = "timing", "Timing this machine"
    STUDY = "study", "Preparing cases"
    REPORT = "report", "Drawing the page"
    WRITE = "write", "Writing"

    def __new__(cls, name: str, words: str) -> Self:
        """Make the stage a string, its short name, that knows its words."""
        made = str.__new__(cls, name)
        made._value_ = name
        made.words = words
        return made


@dataclass(frozen=True)
class Progress:
    """One report of a running stage: `done` of `total` units of it are finished.

    `stage` stays the same for the whole stage; `note` is free text for the user such as the current loss. `left` is how many
    seconds the stage still needs, where it knows that better than by its units done (None); NaN: nobody can tell yet. A report
    with a `method` says which was chosen, and nothing of how far the stage is.
    """

    stage: Stage
    done: int
    total: int
    note: str = ""
    left: float | None = None
    method: str = ""


Listener = Callable[[Progress], None]


def silent(event: Progress) -> None:
    """Listen to nothing."""
