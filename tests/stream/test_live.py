"""A live run: every frame once, in order, whatever the denoiser's delay and pace; what goes wrong is said."""

import time
from collections.abc import Iterator

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.events import Progress
from demottle.image import Voxels
from demottle.methods.streaming import Stream
from demottle.stream import run_live


class Late(Stream):
    """Gives every frame back, some frames later."""

    def __init__(self, delay: int = 0, seconds: float = 0.0) -> None:
        self.delay, self._seconds = delay, seconds
        self._held: list[Voxels] = []

    def _step(self, frame: Voxels) -> Voxels | None:
        time.sleep(self._seconds)
        self._held.append(frame)
        return self._held.pop(0) if len(self._held) > self.delay else None

    def finish(self) -> list[Voxels]:
        return self._held


def frames(count: int) -> Iterator[Voxels]:
    for number in range(count):
        yield np.full((4, 4), number, np.float32)


class Kept:
    def __init__(self) -> None:
        self.got: list[tuple[int, float]] = []

    def __call__(self, number: int, frame: Voxels) -> None:
        self.got.append((number, float(frame[0, 0])))


@pytest.mark.parametrize("delay", [0, 2])
def test_every_result_belongs_to_its_frame(delay: int) -> None:
    kept = Kept()
    report = run_live(frames(7), Late(delay), kept, policy="slow")
    assert kept.got == [(n, float(n)) for n in range(7)]
    assert (report.results, report.dropped, report.trouble) == (7, (), "")
    assert 0 <= report.latency.median <= report.latency.p99 <= report.latency.worst


def test_falling_behind_drops_frames_and_never_changes_their_order() -> None:
    kept = Kept()
    report = run_live(frames(12), Late(0, 0.03), kept, queue=2, policy="drop", rate=200)
    numbers = [number for number, _ in kept.got]
    assert numbers == sorted(numbers)
    assert all(number == value for number, value in kept.got)
    assert report.dropped
    assert sorted([*numbers, *report.dropped]) == list(range(12))
    assert report.latency.worst >= report.latency.work >= 25


def test_the_pace_is_kept() -> None:
    report = run_live(frames(6), Late(), Kept(), rate=100)
    assert report.seconds >= 0.05


def test_a_source_that_stalls_ends_the_run_and_keeps_what_came() -> None:
    def stalling() -> Iterator[Voxels]:
        yield from frames(3)
        time.sleep(0.5)
        yield from frames(1)

    kept = Kept()
    report = run_live(stalling(), Late(1), kept, patience=0.1)
    assert [number for number, _ in kept.got] == [0, 1, 2]
    assert "stalled: after 3 frames" in report.trouble


def test_a_source_that_breaks_is_told_after_what_came() -> None:
    def breaking() -> Iterator[Voxels]:
        yield from frames(2)
        raise InputError("The cable fell out.")

    kept = Kept()
    report = run_live(breaking(), Late(), kept)
    assert len(kept.got) == 2
    assert report.trouble == "The cable fell out."


def test_a_frame_of_another_size_ends_the_run_and_keeps_what_came() -> None:
    def odd() -> Iterator[Voxels]:
        yield np.zeros((4, 4), np.float32)
        yield np.zeros((4, 4), np.float32)
        yield np.zeros((5, 4), np.float32)

    kept = Kept()
    report = run_live(odd(), Late(1), kept)
    assert [number for number, _ in kept.got] == [0, 1]
    assert "all frames have one size" in report.trouble


def test_a_first_frame_the_denoiser_refuses_is_an_error() -> None:
    class Strict(Late):
        def step(self, frame: Voxels) -> Voxels | None:
            raise InputError("This is no frame.")

    with pytest.raises(InputError, match="no frame"):
        run_live(iter(frames(1)), Strict(), Kept())


def test_the_listener_can_stop_it() -> None:
    def stop(event: Progress) -> None:
        if event.done == 2:
            raise KeyboardInterrupt

    kept = Kept()
    with pytest.raises(KeyboardInterrupt):
        run_live(frames(1000), Late(), kept, policy="slow", listener=stop)
    assert len(kept.got) == 2


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="positive"):
        run_live(frames(1), Late(), Kept(), rate=0)


def test_frames_that_came_while_a_filter_was_measured_are_not_dropped() -> None:
    kept = Kept()
    report = run_live(frames(12), Late(0, 0.01), kept, queue=2, policy="drop", at_hand=8)
    assert [number for number, _ in kept.got][:8] == list(range(8))
    assert all(number >= 8 for number in report.dropped)
