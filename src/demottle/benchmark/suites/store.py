"""What is costly to simulate, kept in a folder; a file there is whole or not there."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from demottle.benchmark.suites.cases import CaseSpec
from demottle.image import Voxels
from demottle.io.output import staged

Parts = dict[str, Voxels]


def place_of(cache: Path, spec: CaseSpec) -> Path:
    """Where the arrays of a case lie."""
    return cache / f"{spec.suite}-{spec.key}.npz"


def kept(cache: Path, spec: CaseSpec, make: Callable[[], Parts]) -> Parts:
    """Return the arrays of a case, made now or before."""
    return kept_as(cache, place_of(cache, spec).stem, make)


def kept_as(cache: Path, name: str, make: Callable[[], Parts]) -> Parts:
    """Return the arrays of that name, made now or before."""
    path = cache / f"{name}.npz"
    if not path.exists():
        parts = make()
        with staged(path, overwrite=True) as place:  # another cell may have made it meanwhile, with the same numbers
            np.savez(place, allow_pickle=False, **parts)
    with np.load(path) as file:
        return {name: file[name] for name in file.files}
