"""Looking at the first frames loses none, and a source that stalls meanwhile is not waited for without end."""

import time
from collections.abc import Iterator

import numpy as np
import pytest

from demottle.errors import InputError
from demottle.events import Progress
from demottle.image import Voxels
from demottle.stream.peeking import peeked


def frames(count: int, then: float = 0.0, error: str = "") -> Iterator[Voxels]:
    for number in range(count):
        yield np.full((2, 2), number, np.float32)
    time.sleep(then)
    if error:
        raise InputError(error)


def numbers(some: object) -> list[int]:
    return [int(frame[0, 0]) for frame in some]  # type: ignore[attr-defined]


@pytest.mark.parametrize("patience", [None, 5.0])
def test_all_frames_come_after_a_look_at_the_first(patience: float | None) -> None:
    told: list[Progress] = []
    first, every = peeked(frames(5), 3, patience, told.append)
    assert numbers(first) == [0, 1, 2]
    assert numbers(every) == [0, 1, 2, 3, 4]
    assert [(event.done, event.total) for event in told] == [(1, 3), (2, 3), (3, 3)]


def test_a_source_that_ends_before_is_no_error() -> None:
    first, every = peeked(frames(2), 9, 5.0)
    assert numbers(first) == numbers(every) == [0, 1]


def test_a_source_that_stalls_meanwhile_gives_what_came_and_says_so_after() -> None:
    begun = time.monotonic()
    first, every = peeked(frames(2, then=30), 9, 0.2)
    assert time.monotonic() - begun < 10
    assert numbers(first) == [0, 1]
    assert [next(every)[0, 0], next(every)[0, 0]] == [0, 1]
    with pytest.raises(InputError, match=r"stalled: after 2 frames none came for 0\.2 seconds"):
        next(every)


def test_what_breaks_meanwhile_breaks_in_its_place() -> None:
    first, every = peeked(frames(2, error="Broken."), 9, 5.0)
    assert numbers(first) == [0, 1]
    assert [next(every)[0, 0], next(every)[0, 0]] == [0, 1]
    with pytest.raises(InputError, match="Broken"):
        next(every)
