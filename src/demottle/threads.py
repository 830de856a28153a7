"""Slices side by side: what is done to each by itself is done in as many threads as there are processors, in the same order.

NumPy, OpenCV and torch let other threads run while they reckon. What comes out does not depend on how many there are.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

MOST = 4
"""Threads at a time: each holds a slice and what is reckoned of it."""
_VARIABLE = "OMP_NUM_THREADS"
A = TypeVar("A")
B = TypeVar("B")


def processors() -> int:
    """How many processors may be used: what OMP_NUM_THREADS says, else those that this process may run on."""
    with suppress(KeyError, ValueError):
        return max(1, int(os.environ[_VARIABLE].partition(",")[0]))
    with suppress(AttributeError):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def count() -> int:
    """How many threads `in_order` uses."""
    return min(MOST, processors())


def in_order(do: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """Yield what is made of each item, in their order; a few are made ahead of the one that is yielded.

    Args:
        do: makes it, and touches nothing that another item's making or the caller's own block changes.
        items: taken one after the other, in the caller's thread.
    """
    threads = count()
    if threads == 1:
        yield from map(do, items)
        return
    waiting: deque[Future[B]] = deque()
    with ThreadPoolExecutor(threads, "slices") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(do, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


def each(do: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """What is made of each item, as a list."""
    return list(in_order(do, items))
