"""What was learned is looked at before anybody gets it: noise simulated on held-out slices has to become less."""

from dataclasses import replace

import numpy as np
import pytest
from tests.methods.small_sets import small_sets

from demottle.errors import UnsuitableError
from demottle.image import Voxels
from demottle.learning.data.cohort import Sets
from demottle.learning.validation import SimulatedValidation
from demottle.methods.unpaired import pdml
from demottle.methods.unpaired.playing import noise_left

TINY = pdml.PdmlSettings(
    **{**pdml.PRESETS["small"], "features": 8, "growth": 2, "batch": 2, "warm_up": 0, "simulated": 0.0}
)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    return small_sets(tmp_path_factory.mktemp("sets"))


def test_doing_nothing_leaves_all_of_the_noise_and_a_filter_leaves_less(sets: Sets) -> None:
    def blurred(plane: Voxels) -> Voxels:
        return np.asarray((plane + np.roll(plane, 1, 0) + np.roll(plane, 1, 1)) / 3, np.float32)

    validation = SimulatedValidation(sets)
    assert noise_left(validation, lambda plane: plane) == pytest.approx(1, abs=0.05)
    left = noise_left(validation, blurred)
    assert left < 0.95


def test_a_training_that_went_astray_gives_no_model(sets: Sets) -> None:
    with pytest.raises(UnsuitableError, match=r"diverged.*lower learning rate"):
        pdml.train(sets, replace(TINY, steps=12, rate=0.3, skip=True))


def test_the_model_file_says_what_is_left(sets: Sets) -> None:
    left = pdml.train(sets, replace(TINY, steps=1, rate=1e-6)).fitted["simulated_noise_left"]
    assert left == pytest.approx(1, abs=0.05)
