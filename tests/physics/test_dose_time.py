"""Dose as a time, and noise as a dose."""

from math import inf, sqrt

import numpy as np
import pytest

from demottle.physics.low_dose.dose_time import (
    added_noise,
    dose_at,
    dose_of_noise,
    dose_with,
    planned_doses,
    share_removed,
    time_of,
)

LEAST = 0.05


def test_time_goes_from_full_dose_to_the_least() -> None:
    assert (dose_at(0.0, LEAST), dose_at(1.0, LEAST)) == (1.0, LEAST)
    times = np.linspace(0, 1.3, 14)
    assert time_of(dose_at(times, LEAST), LEAST) == pytest.approx(times, abs=1e-12)
    assert dose_at(0.5, LEAST) == pytest.approx(sqrt(LEAST))


def test_noise_that_is_added_makes_the_variance_that_the_dose_has() -> None:
    doses = np.array([1.0, 0.5, 0.25, 0.05])
    assert 1 + added_noise(doses) ** 2 == pytest.approx(1 / doses)
    assert dose_with(added_noise(doses)) == pytest.approx(doses)
    assert added_noise(1.0) == 0 and added_noise(2.0) == 0  # exactly: nothing is to happen there
    assert dose_of_noise(24.0, 12.0) == 0.25 and dose_of_noise(0.0, 12.0) == inf


@pytest.mark.parametrize("wanted", [0.5, 1.0, 4.0, inf])
@pytest.mark.parametrize("passes", [1, 3, 10])
def test_a_perfect_guess_leads_to_the_noise_of_the_wanted_dose(wanted: float, passes: int) -> None:
    dose, noise = 0.1, 1 / sqrt(0.1)  # of a scan without any structure, in units of full dose's
    for planned in planned_doses(dose, wanted, passes, LEAST):
        guess = dose * noise
        noise -= share_removed(dose, planned) * (noise - guess)
        dose = planned
    assert noise == pytest.approx(1 / sqrt(wanted), abs=1e-12)


def test_the_passes_are_even_in_time_and_end_at_the_wanted_dose() -> None:
    planned = planned_doses(0.05, 1.0, 4, LEAST)
    assert [float(time_of(dose, LEAST)) for dose in planned] == pytest.approx([0.75, 0.5, 0.25, 0.0])
    assert planned_doses(0.1, 100.0, 2, LEAST)[-1] == 100.0 and planned_doses(0.1, 100.0, 2, LEAST)[0] < 1


def test_nothing_is_removed_where_the_dose_is_reached() -> None:
    for dose, wanted in ((1.0, 1.0), (1.0, inf), (2.0, 4.0), (0.5, 0.5), (0.5, 0.25)):
        assert share_removed(dose, wanted) == 0.0
