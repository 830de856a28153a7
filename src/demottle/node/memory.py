"""Memory that is of no use any more goes back to the system, so that a node holds no more after a year than after a day.

The C library of Linux (glibc) gives threads heaps of their own, eight for each processor, and each keeps the most that it ever
held. Every association has a thread or two, so that all heaps are filled in turn, over hundreds of associations. Elsewhere
nothing of this is needed, and nothing is done.
"""

import ctypes
import gc
import os
from functools import cache
from typing import Any

HEAPS = 2
"""Enough for threads that wait for each other anyway."""
_HEAPS_MOST = -8  # M_ARENA_MAX of malloc.h


def few_heaps() -> None:
    """Let the threads of this process share a few heaps; to be called before they begin.

    Whoever starts the node with MALLOC_ARENA_MAX decides otherwise.
    """
    library = _library()
    if "MALLOC_ARENA_MAX" not in os.environ and hasattr(library, "mallopt"):
        library.mallopt(_HEAPS_MOST, HEAPS)


def give_back() -> None:
    """Collect what only refers to itself, and give what is free to the system; some tenths of a second."""
    gc.collect()
    library = _library()
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


@cache
def _library() -> Any:
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):  # no such thing as the program's own library (Windows)
        return None
