"""Frames from a folder that is being written: one file for each frame, taken in the order of their names."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from demottle.errors import InputError
from demottle.image import Voxels

_LOOK_EVERY = 0.02  # seconds
_FINISHED = 0.1  # seconds without growth after which a file counts as complete
END = "END"
"""A file of this name says that no more frames come."""


def folder_frames(
    folder: Path, read_frame: Callable[[Path], Voxels], stopped: Callable[[], bool] = lambda: False
) -> Iterator[Voxels]:
    """Yield the frames of a folder as they appear, until a file `END` is there or `stopped` says so.

    Names have to sort in the order of the frames (frame-0001, frame-0002, ...). Names that begin with a dot are left out, so
    that a writer can write under such a name and rename.

    Args:
        folder: where they appear.
        read_frame: reads one file into float32 (rows, columns).
        stopped: asked while waiting.

    Raises:
        InputError: where there is no such folder, a file cannot be read, or one appears that sorts before one already taken.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder} to take frames from.")
    taken: set[str] = set()
    last = ""
    while not stopped():
        names = sorted(p.name for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
        ended = END in names
        for name in names:
            if name == END or name in taken:
                continue
            if name < last:
                raise InputError(
                    f"{folder / name} appeared after {last}, which comes later; names have to sort in time."
                )
            if not ended and not _complete(folder / name):
                break
            yield read_frame(folder / name)
            taken.add(name)
            last = name
        else:
            if ended:
                return
        time.sleep(_LOOK_EVERY)


def frames_in(folder: Path) -> int:
    """How many frames a folder holds by now."""
    return sum(1 for p in folder.iterdir() if p.is_file() and not p.name.startswith(".") and p.name != END)


def read_npy_frame(path: Path) -> Voxels:
    """Read one frame from `.npy`.

    Raises:
        InputError: where it is not an array (rows, columns) of real numbers.
    """
    try:
        frame = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path} is not a readable .npy frame, or truncated.") from error
    if frame.ndim != 2 or frame.dtype.kind not in "iuf":
        raise InputError(
            f"{path} holds {frame.dtype} of shape {frame.shape}; a frame is (rows, columns) of real numbers."
        )
    return np.asarray(frame, np.float32)


def _complete(path: Path) -> bool:
    found = path.stat()
    return found.st_size > 0 and time.time() - found.st_mtime >= _FINISHED
