"""The design of a reader study: what is shown to whom, in which order, without saying what it is.

Two values are kept apart, and in two files: `Study` is what serving needs and says nothing of arms; `Key` says which image
is of which arm and is needed for the analysis only.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demottle.study.questions import Question

SINGLE, PAIRS = "single", "pairs"
_MOST_GAP = 4


@dataclass(frozen=True)
class CaseGeometry:
    """How the images of one case are to be shown; the same for all of its arms.

    Attributes:
        slices, rows, columns: shape of the stack.
        aspect: width over height of a pixel.
        slope, intercept: value = intercept + slope x stored code.
        unit: "HU" or "a.u.".
        windows: (name, center, width) in that unit, the one shown first at the front.
    """

    slices: int
    rows: int
    columns: int
    aspect: float
    slope: float
    intercept: float
    unit: str
    windows: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Trial:
    """One showing: one image, or two side by side (left, right), of one case.

    Attributes:
        name: tells nothing of case and arm.
        case: number of the case.
        images: names of the images, which the key explains.
        again: name of the trial that this one shows once more, for the reader's agreement with themselves.
    """

    name: str
    case: int
    images: tuple[str, ...]
    again: str | None = None


@dataclass(frozen=True)
class Study:
    """All that is shown, without what it is."""

    name: str
    title: str
    design: str
    questions: tuple[Question, ...]
    cases: tuple[CaseGeometry, ...]
    trials: tuple[Trial, ...]

    def trial(self, name: str) -> Trial:
        """Return the trial of that name; KeyError where there is none."""
        return {trial.name: trial for trial in self.trials}[name]


@dataclass(frozen=True)
class Labeled:
    """What an image is: an arm of a case."""

    case: int
    arm: str


@dataclass(frozen=True)
class Key:
    """What the images of a study are.

    Attributes:
        study: name of the study it belongs to.
        arms: their names; the first is the reference that others are compared with.
        images: by name of the image.
        sources: for each case, what was read: path by arm, and the number of the first slice shown (from 1).
        seed: all draws of the design follow from it.
    """

    study: str
    arms: tuple[str, ...]
    images: dict[str, Labeled]
    sources: tuple[dict[str, str | int], ...]
    seed: int

    @property
    def labels(self) -> list[str]:
        """What results call the cases: never the name of a file, which may be that of a patient."""
        digits = max(2, len(str(len(self.sources))))
        return [f"case-{number:0{digits}d}" for number in range(1, len(self.sources) + 1)]


def draw_images(cases: int, arms: Sequence[str], rng: np.random.Generator) -> dict[str, Labeled]:
    """Return a name for each arm of each case, in random order, which tells neither."""
    labeled = [Labeled(case, arm) for case in range(cases) for arm in arms]
    numbers = rng.choice(16**6, size=len(labeled), replace=False)
    drawn = dict(zip((f"{number:06x}" for number in numbers), labeled, strict=True))
    return dict(sorted(drawn.items()))


def draw_trials(
    images: dict[str, Labeled], arms: Sequence[str], design: str, repeats: int, rng: np.random.Generator
) -> tuple[Trial, ...]:
    """Return the trials in random order.

    Args:
        images: what to show, from `draw_images`.
        arms: the first is the reference; pairs show it beside each of the others.
        design: `SINGLE` or `PAIRS`. Each side of a pair holds the reference about equally often.
        repeats: number of trials that are shown a second time, of those there are; a pair then with its sides changed.
        rng: source of all draws.
    """
    shown = _singles(images) if design == SINGLE else _pairs(images, arms, rng)
    shown = [shown[i] for i in rng.permutation(len(shown))]
    chosen = sorted(int(i) for i in rng.choice(len(shown), size=repeats, replace=False))
    names = [f"{number:05x}" for number in rng.choice(16**5, size=len(shown) + repeats, replace=False)]
    trials = [Trial(names[i], case, pair) for i, (case, pair) in enumerate(shown)]
    for place, i in enumerate(chosen):
        case, pair = shown[i]
        trials.append(Trial(names[len(shown) + place], case, pair[::-1], again=names[i]))
    return tuple(sorted(trials, key=lambda trial: trial.name))


def _singles(images: dict[str, Labeled]) -> list[tuple[int, tuple[str, ...]]]:
    return [(what.case, (name,)) for name, what in images.items()]


def _pairs(
    images: dict[str, Labeled], arms: Sequence[str], rng: np.random.Generator
) -> list[tuple[int, tuple[str, ...]]]:
    named = {(what.case, what.arm): name for name, what in images.items()}
    cases = sorted({what.case for what in images.values()})
    pairs = [(case, (named[case, arms[0]], named[case, arm])) for arm in arms[1:] for case in cases]
    swapped = rng.permutation(len(pairs)) % 2 == 1
    return [(case, pair[::-1] if swap else pair) for (case, pair), swap in zip(pairs, swapped, strict=True)]


def order_for(study: Study, reader: str) -> list[Trial]:
    """Return all trials in the order of one reader: random, different for each reader, the same whenever they come back.

    A repeat comes in the second half and its original in the first; up to four other cases lie between two showings of one
    case, so that no image is compared with the memory of the one before.
    """
    digest = hashlib.sha256(f"{study.name}/{reader}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    repeated = {trial.again for trial in study.trials if trial.again}
    place = {}
    for trial in study.trials:
        half = 0.5 * rng.random()
        anywhere = rng.random()
        place[trial.name] = 0.5 + half if trial.again else half if trial.name in repeated else anywhere
    return _spread(sorted(study.trials, key=lambda trial: place[trial.name]))


def _spread(line: list[Trial]) -> list[Trial]:
    """Always take the first in line whose case was not among the last shown; one that is left over goes in further up."""
    gap = min(_MOST_GAP, (len({trial.case for trial in line}) - 1) // 2)
    waiting = list(line)
    order: list[Trial] = []
    while waiting:
        recent = {trial.case for trial in order[len(order) - gap :]}
        following = next((trial for trial in waiting if trial.case not in recent), waiting[0])
        waiting.remove(following)
        order.insert(_latest_place(order, following, gap), following)
    return order


def _latest_place(order: list[Trial], trial: Trial, gap: int) -> int:
    """Where a trial is at least `gap` trials away from its case, and behind the one it repeats; the end where it never is."""
    first = next((place + 1 for place, earlier in enumerate(order) if earlier.name == trial.again), 0)
    for place in range(len(order), first - 1, -1):
        if all(other.case != trial.case for other in order[max(0, place - gap) : place + gap]):
            return place
    return len(order)
