"""A Hotelling observer in whole scans: can the discs of a phantom be seen, and told apart, before and after?

Images that an observer learns from have to be independent, so only every n-th slice counts, n being the distance at which the
noise of slices is no longer shared. Before and after are the same boxes of the same slices: how d' changed is known better
than either d'.
"""

from dataclasses import dataclass, field
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from demottle.errors import InputError
from demottle.image import Image
from demottle.physics.phantoms.structures import GroundTruth
from demottle.quality.check.leak import Leak
from demottle.quality.objects.hotelling import Hotelling, change_of_dprime, hotelling_of_outputs
from demottle.quality.objects.observer_crops import MOST_CHANNELS, Look, Question, questions_of
from demottle.quality.objects.sharpness import whole_slices

FEWEST_IMAGES = 10
_IMAGES_PER_CHANNEL = 10
_SHARED = 0.1  # correlation below which slices count as independent
_UNKNOWN_STEP = 2

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Observed:
    """What the observer reached with one question.

    Attributes:
        name: name of the disc, or of the two that are to be told apart.
        task: "detection" or "discrimination".
        before, after: d' with its interval, area under the ROC curve, numbers of images and channels.
        change, change_low, change_high: d' after minus before, with its 95 % interval (paired).
    """

    name: str
    task: str
    before: Hotelling
    after: Hotelling
    change: float
    change_low: float
    change_high: float

    @property
    def change_share(self) -> float:
        """Change over d' before; NaN where nothing is seen before."""
        return self._share(self.change)

    @property
    def change_high_share(self) -> float:
        """The upper end of the interval over d' before: negative where d' fell for sure."""
        return self._share(self.change_high)

    def _share(self, change: float) -> float:
        return change / self.before.dprime if self.before.dprime_low > 0 else float("nan")


@dataclass(eq=False)
class _Answers:
    """Channel outputs (before, after) of one question, slice by slice."""

    present: tuple[list[Array], list[Array]] = field(default_factory=lambda: ([], []))
    absent: tuple[list[Array], list[Array]] = field(default_factory=lambda: ([], []))


class Observers:
    """Observers of all discs of a phantom, shown scan by scan so that no more than one lies in memory."""

    def __init__(self, known: GroundTruth, without: bool, step: int) -> None:
        """Work out what can be asked.

        Args:
            known: the phantom.
            without: scans of it without its discs will be shown too.
            step: distance of slices that count as independent, see `independent_step`.
        """
        self._questions, self.refused = questions_of(known, without)
        self._answers = [_Answers() for _ in self._questions]
        self._step = step

    def show(self, before: Image, after: Image) -> None:
        """Show a scan with the discs, and what was made of it."""
        for asked, kept in zip(self._questions, self._answers, strict=True):
            self._look(asked, asked.present, (before, after), kept.present)
            if not asked.elsewhere:
                self._look(asked, asked.absent, (before, after), kept.absent)

    def show_without(self, before: Image, after: Image) -> None:
        """Show a scan of the phantom without its discs."""
        for asked, kept in zip(self._questions, self._answers, strict=True):
            if asked.elsewhere:
                self._look(asked, asked.absent, (before, after), kept.absent)

    def _look(
        self, asked: Question, look: Look, pair: tuple[Image, Image], kept: tuple[list[Array], list[Array]]
    ) -> None:
        slices = [set(whole_slices(pair[0], disc)) for disc in asked.structures]
        for z in sorted(set.intersection(*slices))[:: self._step]:
            for image, outputs in zip(pair, kept, strict=True):
                outputs.append(look.outputs(image.voxels[z]))

    def found(self) -> tuple[list[Observed], list[str]]:
        """Return what the observers reached, and in sentences (NAME: why) what they could not be asked."""
        made, refused = [], list(self.refused)
        for asked, kept in zip(self._questions, self._answers, strict=True):
            try:
                made.append(_observed(asked, kept))
            except InputError as error:
                refused.append(f"{asked.name}: {error}")
        return made, refused


def independent_step(leak: Leak | None) -> int:
    """Distance in slices at which noise is shared by no more than a tenth, before and after; 2 where it is not known."""
    if leak is None:
        return 1
    known = False
    for lag in range(1, min(len(leak.before.rho), len(leak.after.rho)) + 1):
        shared = [rho for rho in (leak.before.at(lag), leak.after.at(lag)) if isfinite(rho)]
        known = known or bool(shared)
        if shared and max(shared) <= _SHARED:
            return lag
    return len(leak.before.rho) + 1 if known else _UNKNOWN_STEP


def _observed(asked: Question, kept: _Answers) -> Observed:
    present, absent = ([_joined(outputs) for outputs in pair] for pair in (kept.present, kept.absent))
    n1, n2 = len(present[0]), len(absent[0])
    if min(n1, n2) < FEWEST_IMAGES:
        raise InputError(
            f"An observer needs {FEWEST_IMAGES} independent images, and there {_are(min(n1, n2))}; give repeats of the phantom, "
            "or more slices."
        )
    count = int(np.clip((n1 + n2) // _IMAGES_PER_CHANNEL, 2, MOST_CHANNELS))
    before, after = ((p[:, :count], a[:, :count]) for p, a in zip(present, absent, strict=True))
    measured = hotelling_of_outputs(*before), hotelling_of_outputs(*after)
    return Observed(asked.name, asked.task, *measured, *change_of_dprime(before, after))


def _are(count: int) -> str:
    return "is only 1" if count == 1 else f"are only {count}" if count else "are none"


def _joined(outputs: list[Array]) -> Array:
    return np.concatenate(outputs) if outputs else np.empty((0, MOST_CHANNELS))
