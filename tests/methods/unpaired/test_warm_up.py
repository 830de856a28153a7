"""The start on simulated noise: it removes noise before there was a game, goes on after a kill, and needs noise to go by."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.methods.small_sets import scan_of, small_sets

from demottle.errors import UnsuitableError
from demottle.events import Progress
from demottle.image import Image
from demottle.learning.data.cohort import Sets
from demottle.learning.data.dataset import entries_of, sets_of
from demottle.learning.run import Run
from demottle.methods import Budget
from demottle.methods.unpaired import pdml, perceptual_cyclegan

TINY = pdml.PdmlSettings(**{**pdml.PRESETS["small"], "features": 8, "growth": 2, "batch": 2})


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    return small_sets(tmp_path_factory.mktemp("sets"))


def test_noise_goes_before_the_game_begins(sets: Sets) -> None:
    truth, noisy = scan_of(0, 0.0), scan_of(0, 40.0)
    body = truth.voxels > -900

    def left(warm_up: int) -> float:
        trained = pdml.train(sets, replace(TINY, steps=1, rate=1e-6, warm_up=warm_up))
        return float((trained(noisy).voxels - truth.voxels)[body].std())

    before = float((noisy.voxels - truth.voxels)[body].std())
    assert left(80) < 0.95 * before < left(0)


def test_a_cyclegan_can_begin_like_that_too_and_goes_on_learning_from_it(sets: Sets) -> None:
    few = {"channels": (4, 8), "blocks": 1, "batch": 2, "judge_channels": 4, "share": 0.0}
    settings = perceptual_cyclegan.PerceptualCycleGanSettings(**{**perceptual_cyclegan.PRESETS["small"], **few})
    told: list[Progress] = []
    trained = perceptual_cyclegan.train(sets, settings, budget=Budget(steps=3), listener=told.append)
    assert {event.stage for event in told} == {"warm-up", "train"}
    assert "generators/simulated noise" in trained.fitted["losses"]
    without = perceptual_cyclegan.train(sets, replace(settings, warm_up=0, simulated=0.0), budget=Budget(steps=1))
    assert "generators/simulated noise" not in without.fitted["losses"]


def test_a_kill_in_the_warm_up_changes_no_bit(sets: Sets, tmp_path: Path) -> None:
    settings = replace(TINY, steps=2, warm_up=5)

    class Killed(Exception):  # noqa: N818
        pass

    def kill(event: Progress) -> None:
        if (event.stage, event.done) == ("warm-up", 3):
            raise Killed

    run = Run(tmp_path, save_every=2)
    with pytest.raises(Killed):
        pdml.train(sets, settings, run=run, listener=kill)
    assert pdml.train(sets, settings, run=run).model_hash == pdml.train(sets, settings).model_hash


def test_a_limit_in_steps_or_minutes_holds_for_both_parts(sets: Sets) -> None:
    told: list[Progress] = []
    pdml.train(sets, replace(TINY, steps=400, warm_up=100), budget=Budget(steps=8), listener=told.append)
    last = {event.stage: event.done for event in told}
    assert last == {"warm-up": 2, "train": 8}


def test_scans_whose_noise_cannot_be_measured_are_one_sentence(tmp_path: Path) -> None:
    def bone(seed: int) -> Image:  # no soft tissue anywhere
        random = np.random.default_rng(seed)
        voxels = np.full((3, 64, 64), -1000.0)
        voxels[:, 8:-8, 8:-8] = random.choice([600.0, 1500.0], (3, 48, 48))
        return Image(voxels.astype(np.float32), (3.0, 2.0, 2.0), "CT", "HU")

    low, full = ([(f"p{n}", bone(n)) for n in numbers] for numbers in (range(2), range(2, 4)))
    sets = sets_of(entries_of(low), entries_of(full), tmp_path)
    with pytest.raises(UnsuitableError, match="warm_up=0"):
        pdml.train(sets, TINY, budget=Budget(steps=1))
