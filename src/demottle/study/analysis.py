"""The analysis of a reader study: everything that is told of it, computed from answers and key."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from demottle.errors import InputError, counted
from demottle.quality.to_plain import plain
from demottle.study.agreement import Agreement, SelfAgreement, between_readers, with_oneself
from demottle.study.answers import readers_of
from demottle.study.comparing import RESAMPLES, Gain, Mean, YesNo, fewest_scans, gains_of, mean_of, yes_no_of
from demottle.study.design import PAIRS
from demottle.study.files import StudyFolder, key_file, read_key, read_study
from demottle.study.questions import EQUAL, ITEMS
from demottle.study.scoring import Rating, Ratings, ratings_of

MARGIN = 0.5
_TOO_FAST = 3.0  # seconds for six answers: nobody looks and judges in that time


@dataclass(frozen=True)
class ArmMean:
    """Mean points of an arm in one item, with the number of times each point was given (from 1 to 5)."""

    item: str
    arm: str
    mean: Mean
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """How a reader went about it: trials finished, median seconds for one, and how many took less than three seconds."""

    reader: str
    trials: int
    seconds: float
    too_fast: int


@dataclass(frozen=True)
class Analysis:
    """Everything that is told of a study.

    Attributes:
        title, design, arms, reference, readers: what it was.
        cases, scans: number of cases shown, and of scans they come from: what means and tests rest on.
        margin: margin of non-inferiority, in points.
        means: points of each arm and item; for pairs the mean preference over the reference, 3 for equal.
        gains: each arm against the reference, in each item.
        yes_no: would one report from it.
        agreement, self_agreement: agreement of readers with each other and with themselves.
        reading: how long readers took.
        warnings: what to know before believing it, in sentences.
    """

    title: str
    design: str
    arms: tuple[str, ...]
    reference: str
    readers: tuple[str, ...]
    cases: int
    scans: int
    margin: float
    means: tuple[ArmMean, ...]
    gains: tuple[Gain, ...]
    yes_no: tuple[YesNo, ...]
    agreement: tuple[Agreement, ...]
    self_agreement: tuple[SelfAgreement, ...]
    reading: tuple[Reading, ...]
    warnings: tuple[str, ...]

    @property
    def paired(self) -> bool:
        """Whether two images were shown at a time."""
        return self.design == PAIRS

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON; what could not be computed as None."""
        value: dict[str, Any] = plain(self)
        return value


def load(folder: Path, key: Path | None = None) -> Ratings:
    """Read a study, its key and all answers.

    Raises:
        InputError: for a study, key or answers that are missing, damaged or do not belong together.
    """
    study = read_study(folder)
    found = read_key(key or key_file(folder), study)
    ratings = ratings_of(study, found, readers_of(StudyFolder(folder).answers, study))
    if not ratings.all:
        raise InputError(
            f"No reader has finished a case of {folder} yet; let readers answer with 'demottle study serve' first."
        )
    return ratings


def analyse(
    ratings: Ratings,
    reference: str | None = None,
    margin: float = MARGIN,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Analysis:
    """Analyse a study.

    Args:
        ratings: from `load`.
        reference: the arm that others are compared with; None: the first. Pairs have been shown beside the first only.
        margin: points that an arm may be worse and still count as non-inferior.
        resamples, seed: resamples and seed of the bootstrap.

    Raises:
        InputError: for a reference that is not an arm, or of a pair not the first.
    """
    reference = _reference(ratings, reference)
    others = [arm for arm in ratings.key.arms if arm != reference]
    tables = [(item, arm, ratings.by_scan(ratings.gains(item, arm, reference))) for arm in others for item in ITEMS]
    answers = [(arm, ratings.reported(arm, reference), ratings.reported(reference, arm)) for arm in others]
    gains = tuple(gains_of(tables, reference, margin, resamples, seed))
    own = tuple(_self_agreement(ratings))
    reading = tuple(_reading(ratings))
    return Analysis(
        title=ratings.study.title,
        design=ratings.study.design,
        arms=ratings.key.arms,
        reference=reference,
        readers=ratings.readers,
        cases=len({rating.case for rating in ratings.all}),
        scans=len({ratings.scans[rating.case] for rating in ratings.all}),
        margin=margin,
        means=tuple(_means(ratings, others, resamples, seed)),
        gains=gains,
        yes_no=tuple(yes_no_of(answers, reference, ratings.readers)),
        agreement=_agreement(ratings, resamples, seed),
        self_agreement=own,
        reading=reading,
        warnings=(*_size_warnings(ratings, gains), *_warnings(ratings, own, reading)),
    )


def _reference(ratings: Ratings, wanted: str | None) -> str:
    arms = ratings.key.arms
    if wanted is not None and wanted not in arms:
        raise InputError(f"'{wanted}' is not an arm of this study; choose one of {', '.join(arms)}.")
    if wanted is not None and wanted != arms[0] and ratings.study_is_of_pairs:
        raise InputError(
            f"The pairs of this study were shown beside {arms[0]}, so that is the reference; name no other."
        )
    return wanted or arms[0]


def _means(ratings: Ratings, others: list[str], resamples: int, seed: int) -> Iterator[ArmMean]:
    pairs = ratings.study_is_of_pairs
    arms = others if pairs else list(ratings.key.arms)
    for item in ITEMS:
        for arm in arms:
            table = ratings.gains(item, arm, ratings.key.arms[0]) + EQUAL if pairs else ratings.scores(item, arm)
            counts = tuple(int((table == point).sum()) for point in range(1, 6))
            yield ArmMean(item, arm, mean_of(ratings.by_scan(table), resamples, seed), counts)


def _agreement(ratings: Ratings, resamples: int, seed: int) -> tuple[Agreement, ...]:
    if len(ratings.readers) == 1:
        return ()
    return tuple(between_readers(item, ratings.rated(item), resamples, seed) for item in ITEMS)


def _self_agreement(ratings: Ratings) -> Iterator[SelfAgreement]:
    for reader in ratings.readers:
        first: list[float] = []
        second: list[float] = []
        for item in ITEMS:
            one, other = ratings.both_times(reader, item)
            first += one
            second += other
        if first:
            yield with_oneself(reader, len(first) // len(ITEMS), first, second)


def _reading(ratings: Ratings) -> Iterator[Reading]:
    for reader in ratings.readers:
        seconds = [rating.seconds for rating in _of(ratings, reader)]
        yield Reading(reader, len(seconds), float(np.median(seconds)), sum(value < _TOO_FAST for value in seconds))


def _of(ratings: Ratings, reader: str) -> list[Rating]:
    return [rating for rating in ratings.all if rating.reader == reader]


def _size_warnings(ratings: Ratings, gains: Sequence[Gain]) -> Iterator[str]:
    scans = max(gain.scans for gain in gains)
    needed = fewest_scans(len(gains))
    if scans < needed:
        yield (
            f"With {counted(scans, 'scan')} none of the {len(gains)} tests can fall below 0.05 after Holm, whatever readers say: "
            f"that takes {needed} scans, and in practice more."
        )
    if len(ratings.readers) == 1:
        yield "There is one reader only: the intervals say nothing about what other readers would find."
    elif len(ratings.readers) == 2:
        yield "There are two readers only: the spread between readers is hardly known."


def _warnings(ratings: Ratings, own: Sequence[SelfAgreement], reading: Sequence[Reading]) -> Iterator[str]:
    for reader, missing in ratings.unfinished().items():
        yield f"Reader {reader} has not finished {counted(missing, 'case')} of {len(ratings.study.trials)}."
    cases, scans = len(ratings.key.sources), len(set(ratings.scans))
    if scans < cases:
        yield (
            f"The {cases} cases come from {counted(scans, 'scan')}: means and tests count each scan once, but the tests of yes "
            "and no count cases, which are not independent, so their p-values are too small."
        )
    for one in reading:
        if one.too_fast:
            yield f"Reader {one.reader} took less than {_TOO_FAST:g} s for {counted(one.too_fast, 'case')}."
    for mine in own:
        if mine.repeats >= 3 and mine.within_one < 0.8:
            share = f"{1 - mine.within_one:.0%}"
            yield f"Reader {mine.reader} moved by two points or more in {share} of the answers to what was shown twice."
