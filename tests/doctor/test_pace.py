"""The trial run measures something, and scales it to a scan of usual size."""

import pytest

from demottle.doctor.pace import Pace, measure_pace
from demottle.events import Progress


def test_time_of_a_usual_scan_is_its_slices_and_its_steps() -> None:
    assert Pace(step=0.5, once=9.0, slice=1.0, steps=400).scan == pytest.approx(64 * 1.0 + 9 + 400 * 0.5)


@pytest.mark.slow
def test_this_machine_has_a_pace() -> None:
    heard: list[Progress] = []
    pace = measure_pace(heard.append)
    assert 0 < pace.step < 60 and 0 < pace.slice < 60
    assert 100 <= pace.steps <= 550
    assert {event.stage for event in heard} == {"timing"}
