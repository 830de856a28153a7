"""Work that several processes share, with a bounded number of tasks waiting; a process that dies costs the task it was at."""

import logging
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from typing import TypeVar

from demottle.workers import without_main

_WAITING = 3  # tasks for each process
T = TypeVar("T")
R = TypeVar("R")


def shared_out(
    work: Callable[[list[T]], list[R]], tasks: Iterable[list[T]], processes: int, lost: Callable[[T], R]
) -> Iterator[tuple[list[T], list[R]]]:
    """Do tasks in processes of their own, and yield each with its results as it is done, in any order.

    Args:
        work: from the items of a task to as many results; a function of a module.
        tasks: lists of items; taken only as fast as they are done.
        processes: how many; 1: this one does all.
        lost: the result for an item that ends the process which works at it.
    """
    if processes < 2:
        for task in tasks:
            yield task, work(task)
        return
    source, alone = iter(tasks), deque[list[T]]()
    while True:
        left: list[list[T]] = []
        yield from _in_pool(work, source, processes, left)
        if not left:
            return
        alone += [[item] for task in left for item in task]
        while alone:  # each on its own: it is the one that ends a process, or it is done
            task, failed = alone.popleft(), list[list[T]]()
            yield from _in_pool(work, iter([task]), 1, failed)
            if failed:
                yield task, [lost(task[0])]


def _in_pool(
    work: Callable[[list[T]], list[R]], source: Iterator[list[T]], processes: int, left: list[list[T]]
) -> Iterator[tuple[list[T], list[R]]]:
    """Do tasks until there are no more, or a process dies; `left` gets what was begun and is not done then."""
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin)
    running: dict[Future[list[R]], list[T]] = {}
    try:
        more = True
        while more or running:
            while more and len(running) < _WAITING * processes:
                task = next(source, None)
                more = task is not None
                if task is not None:
                    left.append(task)  # until it is known to be running: submitting fails where a process has died
                    with without_main():
                        running[pool.submit(work, task)] = task
                    left.pop()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                results = future.result()
                yield running.pop(future), results
    except BrokenProcessPool:
        left += running.values()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C to the process that began this one, and end with it however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)  # it quotes headers
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def usual_processes() -> int:
    """As many as there are cores that this process may use."""
    cores: Sequence[int] | set[int]
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return len(cores)
