"""Several scans of one phantom that differ by their noise alone."""

from collections.abc import Iterator
from typing import cast, get_args

import numpy as np

from demottle.errors import InputError
from demottle.events import Listener, Progress, silent
from demottle.image import Image
from demottle.physics.ct.projection import Kernel
from demottle.physics.phantoms.phantom import low_dose_scan


def repeat_seed(seed: int, number: int, group: int = 0) -> int:
    """Seed of repeat `number` (from 0): `seed` itself for the first of group 0, else a 64-bit hash of all three.

    So a single scan is the first of many, and a longer series begins as a shorter one does. Groups are series that are
    independent of each other, such as scans with and without a signal.
    """
    if number == 0 and group == 0:
        return seed
    return int(np.random.SeedSequence([seed, group, number]).generate_state(1, np.uint64)[0])


def kernel_named(name: str) -> Kernel:
    """Look a kernel up by its name.

    Raises:
        InputError: for a name that is not one.
    """
    for kernel in get_args(Kernel):
        if kernel == name:
            return cast(Kernel, kernel)
    raise InputError(f"There is no kernel {name!r}; choose one of {', '.join(get_args(Kernel))}.")


def repeated_scans(
    truth: Image,
    count: int,
    sigma: float,
    rho: float,
    seed: int = 0,
    kernel: Kernel = "soft",
    group: int = 0,
    listener: Listener = silent,
    dose: float = 1.0,
) -> Iterator[tuple[int, Image]]:
    """Yield `count` scans of `truth`, one after the other, each with the seed of its noise.

    Arguments as `low_dose_scan`; `group` as `repeat_seed`. The listener hears of one stage for all of them.

    Raises:
        InputError: as `low_dose_scan`; for a count below one.
    """
    if count < 1:
        raise InputError(f"{count} repeats cannot be made; ask for at least one.")
    for number in range(count):

        def part(event: Progress, number: int = number) -> None:
            listener(Progress(event.stage, number * event.total + event.done, count * event.total, event.note))

        own = repeat_seed(seed, number, group)
        yield own, low_dose_scan(truth, sigma, rho, own, kernel, part, dose)
