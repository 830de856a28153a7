"""Beginning with the shipped student: short runs gain at once, and `start=False` begins with nothing."""

import numpy as np
import pytest

from demottle.errors import UnsuitableError
from demottle.image import Image
from demottle.methods import Budget
from demottle.methods.udca import method as udca
from demottle.methods.udca.settings import UdcaSettings
from demottle.noise.sequence.fingerprint import SequenceFingerprint, measure_sequence
from demottle.physics.fluoroscopy.acquisition import Exposure, Run, acquire
from demottle.physics.fluoroscopy.dynamic import dynamic_phantom

SMALL = UdcaSettings(size="light", patch=32, batch=2)


@pytest.fixture(scope="module")
def run() -> Run:
    return acquire(dynamic_phantom(8, 96, 15, 200 / 512, seed=3, motion="fast").image, Exposure(24, bits=8), seed=4)


@pytest.fixture(scope="module")
def found(run: Run) -> SequenceFingerprint:
    return measure_sequence(run.noisy)


def error(image: Image, run: Run) -> float:
    return float(np.sqrt(((image.voxels - run.clean.voxels).astype(np.float64) ** 2).mean()))


def test_the_student_as_it_is_shipped_removes_most_of_the_noise_of_eight_frames(
    run: Run, found: SequenceFingerprint
) -> None:
    begun = udca.untaught(run.noisy, SMALL, found)
    assert begun is not None and begun.fitted["steps"] == 0
    assert error(begun(run.noisy), run) < 0.5 * error(run.noisy, run)


def test_eight_frames_are_enough_to_learn_from_and_seven_are_not(run: Run, found: SequenceFingerprint) -> None:
    model = udca.fit(run.noisy, SMALL, found, budget=Budget(steps=5))
    assert model.fitted["start_network"]
    assert error(model(run.noisy), run) < 0.5 * error(run.noisy, run)
    short = Image(run.noisy.voxels[:7].copy(), run.noisy.spacing, "XA", sequence=True)
    with pytest.raises(UnsuitableError, match="at least 8; there are 7"):
        udca.fit(short, SMALL, found, budget=Budget(steps=1))


def test_without_a_start_learning_begins_with_nothing_and_takes_longer(run: Run, found: SequenceFingerprint) -> None:
    alone = UdcaSettings(size="light", patch=32, batch=2, start=False)
    model = udca.fit(run.noisy, alone, found, budget=Budget(steps=1))
    assert not model.fitted["start_network"]
    assert udca.untaught(run.noisy, alone, found) is None
    slow, quick = (udca.learning_seconds(run.noisy, settings, Budget()) for settings in (alone, SMALL))
    assert slow > 2 * quick


def test_other_students_have_no_start(run: Run, found: SequenceFingerprint) -> None:
    other = UdcaSettings(size="light", student="single", patch=32, batch=2)
    assert udca.untaught(run.noisy, other, found) is None
    assert not udca.fit(run.noisy, other, found, budget=Budget(steps=1)).fitted["start_network"]
