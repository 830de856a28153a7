"""From blind answers and the key to scores: who gave which arm of which case how many points."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demottle.study.answers import Answer, Answers
from demottle.study.design import Key, Study, Trial
from demottle.study.questions import EQUAL, report_name

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Rating:
    """All that one reader said in one trial, with what was shown.

    Attributes:
        arms: arms of the image, or of both images of a pair, left and right.
        again: whether the trial showed something a second time.
        answers: by name of the question.
        seconds: spent on it.
    """

    reader: str
    trial: str
    case: int
    arms: tuple[str, ...]
    again: str | None
    answers: dict[str, Answer]
    seconds: float


@dataclass(frozen=True)
class Ratings:
    """Every rating of a study; incomplete trials are left out, since what is missing might not be missing by chance."""

    study: Study
    key: Key
    readers: tuple[str, ...]
    all: tuple[Rating, ...]

    @property
    def first(self) -> list[Rating]:
        """Ratings of first showings: what everything but a reader's agreement with themselves is computed from."""
        return [rating for rating in self.all if rating.again is None]

    def unfinished(self) -> dict[str, int]:
        """Number of trials that each reader has not finished; readers who have finished all are left out."""
        done = {reader: sum(rating.reader == reader for rating in self.all) for reader in self.readers}
        return {
            reader: len(self.study.trials) - count for reader, count in done.items() if count < len(self.study.trials)
        }

    def scores(self, item: str, arm: str) -> Scores:
        """Return the points that readers gave an arm, shown alone: shape (cases, readers), NaN where there is none."""
        return self._matrix((r, float(r.answers[item])) for r in self.first if r.arms == (arm,))

    def gains(self, item: str, arm: str, reference: str) -> Scores:
        """Return by how many points an arm is better than the reference: shape (cases, readers), NaN where not known.

        Shown alone: difference of the scores, from -4 to 4. Side by side: the preference, from -2 to 2, 0 for equal.
        """
        if not self.study_is_of_pairs:
            return self.scores(item, arm) - self.scores(item, reference)
        return self._matrix((r, preference(r, item, arm)) for r in self.first if set(r.arms) == {arm, reference})

    def reported(self, arm: str, reference: str | None = None) -> Scores:
        """Return 1 where a reader would report from an image of an arm, 0 where not: shape (cases, readers).

        Args:
            arm: the images asked about.
            reference: in pairs, the arm they were shown beside.
        """
        if not self.study_is_of_pairs:
            return self._matrix((r, float(r.answers[report_name()])) for r in self.first if r.arms == (arm,))
        shown = [r for r in self.first if arm in r.arms and (reference is None or reference in r.arms)]
        return self._matrix((r, float(r.answers[report_name(r.arms.index(arm))])) for r in shown)

    @property
    def study_is_of_pairs(self) -> bool:
        """Whether two images were shown at a time."""
        return len(self.study.trials[0].images) == 2

    @property
    def scans(self) -> list[int]:
        """Number of the scan that each case was taken from."""
        paths = [tuple(source[arm] for arm in self.key.arms) for source in self.key.sources]
        return [list(dict.fromkeys(paths)).index(path) for path in paths]

    def by_scan(self, table: Scores) -> Scores:
        """Average a table (cases, readers) over the cases of each scan: shape (scans, readers).

        Cases of one scan share its anatomy and its noise. Counted one by one they would make an interval too narrow.
        """
        scans = np.array(self.scans)
        known = np.isfinite(table)
        sums, counts = np.zeros((2, scans.max() + 1, table.shape[1]))
        np.add.at(sums, scans, np.where(known, table, 0.0))
        np.add.at(counts, scans, known)
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    def both_times(self, reader: str, item: str) -> tuple[list[float], list[float]]:
        """Return what a reader said of an item the first and the second time, of all trials shown twice."""
        mine = {rating.trial: rating for rating in self.all if rating.reader == reader}
        pairs = [(mine[r.again], r) for r in mine.values() if r.again in mine]
        values = [
            tuple(self._value(rating, item, first.arms[0]) for rating in (first, second)) for first, second in pairs
        ]
        return [value[0] for value in values], [value[1] for value in values]

    def rated(self, item: str) -> Scores:
        """Return what each reader said of each thing shown: shape (things, readers), for the agreement of readers.

        A preference counts towards the same arm whichever side it was on.
        """
        places = {trial.name: place for place, trial in enumerate(t for t in self.study.trials if t.again is None)}
        table = np.full((len(places), len(self.readers)), np.nan)
        for r in self.first:
            table[places[r.trial], self.readers.index(r.reader)] = self._value(r, item, self._other_arm(r))
        return table

    def _other_arm(self, rating: Rating) -> str:
        return next((arm for arm in rating.arms if arm != self.key.arms[0]), rating.arms[0])

    def _value(self, rating: Rating, item: str, arm: str) -> float:
        if len(rating.arms) == 1:
            return float(rating.answers[item])
        return preference(rating, item, arm) + EQUAL

    def _matrix(self, values: Iterable[tuple[Rating, float]]) -> Scores:
        table = np.full((len(self.key.sources), len(self.readers)), np.nan)
        for rating, value in values:
            table[rating.case, self.readers.index(rating.reader)] = value
        return table


def preference(rating: Rating, item: str, arm: str) -> float:
    """Return how much better an arm of a pair was called than the other: from -2 to 2, 0 for equal."""
    towards_right = float(rating.answers[item]) - EQUAL
    return towards_right if rating.arms[1] == arm else -towards_right


def ratings_of(study: Study, key: Key, readers: Sequence[Answers]) -> Ratings:
    """Put answers and key together; readers who have finished nothing are left out."""
    trials: dict[str, Trial] = {trial.name: trial for trial in study.trials}
    found = []
    for one in readers:
        for name, given in one.given.items():
            if given.complete(study):
                trial = trials[name]
                arms = tuple(key.images[image].arm for image in trial.images)
                found.append(
                    Rating(one.reader, name, trial.case, arms, trial.again, dict(given.answers), given.seconds)
                )
    names = tuple(dict.fromkeys(rating.reader for rating in found))
    return Ratings(study, key, names, tuple(found))
