"""Who sees what, in which order."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from demottle.study.design import PAIRS, SINGLE, Study, Trial, draw_images, draw_trials, order_for
from demottle.study.questions import questions_for

ARMS = ("original", "clean", "bm3d")


def study(design: str = SINGLE, cases: int = 12, repeats: int = 6, seed: int = 0) -> tuple[Study, dict]:
    rng = np.random.default_rng(seed)
    images = draw_images(cases, ARMS, rng)
    trials = draw_trials(images, ARMS, design, repeats, rng)
    return Study(f"name{seed}", "Study", design, questions_for(design == PAIRS), (), trials), images


def test_every_arm_of_every_case_is_shown_once_and_repeats_twice() -> None:
    made, images = study()
    shown = Counter(trial.images[0] for trial in made.trials)
    assert set(shown) == set(images)
    assert Counter(shown.values()) == {1: 30, 2: 6}
    for trial in made.trials:
        assert trial.again is None or made.trial(trial.again).images == trial.images


def test_pairs_hold_the_reference_on_each_side_equally_often() -> None:
    made, images = study(PAIRS, repeats=4)
    firsts = [trial for trial in made.trials if trial.again is None]
    arms = [tuple(images[image].arm for image in trial.images) for trial in firsts]
    assert len(firsts) == 24
    assert all(("original" in pair) and pair[0] != pair[1] for pair in arms)
    assert sum(pair[0] == "original" for pair in arms) == 12
    for trial in made.trials:
        assert len({images[image].case for image in trial.images}) == 1
        if trial.again:
            assert trial.images == made.trial(trial.again).images[::-1]


def test_names_tell_nothing_of_arm_or_case() -> None:
    """Sorted by name, arms and cases come in no order; a name that counted would show here."""
    made, images = study(cases=40)
    arms = [ARMS.index(what.arm) for what in images.values()]
    cases = [trial.case for trial in made.trials]
    assert abs(np.corrcoef(arms, np.arange(len(arms)))[0, 1]) < 0.25
    assert abs(np.corrcoef(cases, np.arange(len(cases)))[0, 1]) < 0.25


@pytest.mark.parametrize("design", [SINGLE, PAIRS])
def test_each_reader_has_an_order_that_stays(design: str) -> None:
    made, _ = study(design)
    orders = [[trial.name for trial in order_for(made, reader)] for reader in ("r1", "r2", "r1")]
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0]) == sorted(trial.name for trial in made.trials)


@pytest.mark.parametrize("reader", ["r1", "r2", "r3", "r4", "r5"])
def test_a_case_does_not_come_again_at_once_and_a_repeat_comes_late(reader: str) -> None:
    made, _ = study()
    order = order_for(made, reader)
    place = {trial.name: i for i, trial in enumerate(order)}
    assert all(a.case != b.case for a, b in pairwise(order))
    for trial in order:
        if trial.again:
            assert place[trial.name] - place[trial.again] > 4


def test_first_places_are_shared_by_the_arms() -> None:
    """Over many readers no arm comes systematically earlier: it would be judged while readers warm up."""
    made, images = study(repeats=0)
    place: dict[str, list[int]] = {arm: [] for arm in ARMS}
    for number in range(200):
        for i, trial in enumerate(order_for(made, f"r{number}")):
            place[images[trial.images[0]].arm].append(i)
    means = [np.mean(values) for values in place.values()]
    assert np.ptp(means) < 1  # of 36 places; its standard error is about 0.3


def test_the_same_seed_gives_the_same_design() -> None:
    assert study(seed=3) == study(seed=3)
    assert study(seed=3)[0].trials != study(seed=4)[0].trials


def test_one_case_alone_has_an_order() -> None:
    trials = (Trial("a", 0, ("x",)), Trial("b", 0, ("y",)), Trial("c", 0, ("x",), again="a"))
    alone = Study("s", "S", SINGLE, questions_for(False), (), trials)
    assert {trial.name for trial in order_for(alone, "r1")} == {"a", "b", "c"}
