"""The pixels of many slices at once, and where they were measured: the same for volumes, runs and volumes over time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from demottle.events import Listener, Progress, Stage
from demottle.image import Mask, Voxels
from demottle.io.dicom.payload import by_file
from demottle.io.dicom.pixels import iter_stored, meaning
from demottle.io.dicom.slice_header import SliceHeader

_THREADS = 4


def decoded(slices: Sequence[SliceHeader], listener: Listener) -> tuple[Voxels, Mask | None]:
    """Decode slices of one size.

    Args:
        slices: their headers.
        listener: told of every file; of every slice where all lie in one file. Stage "read".

    Returns:
        Voxels and where they were measured, shape (slices, rows, columns); None: everywhere.

    Raises:
        InputError: as `iter_stored`.
    """
    voxels = np.empty((len(slices), slices[0].rows, slices[0].columns), np.float32)
    measured = decode(slices, list(voxels), listener)
    if not measured:
        return voxels, None
    valid = np.ones(voxels.shape, np.bool_)
    for index, where in measured.items():
        valid[index] = where
    return voxels, valid


def decode(slices: Sequence[SliceHeader], views: Sequence[Voxels], listener: Listener) -> dict[int, Mask]:
    """Decode each slice into its view; no more than a few stored slices are in memory at a time.

    Returns:
        Where each slice was measured, for those that were not measured everywhere.
    """
    found: dict[int, Mask] = {}

    def one(indices: Sequence[int], told: Listener | None = None) -> None:
        planes = iter_stored([slices[index] for index in indices])
        for done, (index, stored) in enumerate(zip(indices, planes, strict=True), start=1):
            views[index][:], measured = meaning(slices[index], stored)
            if not measured.all():
                found[index] = measured
            if told is not None:
                told(Progress(Stage.READ, done, len(indices)))

    files = list(by_file(slices).values())
    if len(files) == 1:
        one(files[0], listener)
        return found
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for done, _ in enumerate(pool.map(one, files), start=1):
                listener(Progress(Stage.READ, done, len(files)))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return found
