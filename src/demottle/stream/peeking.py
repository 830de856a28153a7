"""Looking at the first frames of a source before the live run begins, and then giving it all of them."""

import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Queue

from demottle.errors import DemottleError, InputError, counted
from demottle.events import Listener, Progress, Stage, silent
from demottle.image import Voxels

_LOOK_UP = 0.5  # seconds after which a wait is taken up again, so that Ctrl-C is heard on every system


def peeked(
    frames: Iterable[Voxels], count: int, patience: float | None = None, listener: Listener = silent
) -> tuple[list[Voxels], Iterator[Voxels]]:
    """Look at the first frames; returns them, and all frames, those included.

    Where the source breaks or stalls meanwhile, the frames until then are returned, and the error comes where it would have
    come.

    Args:
        frames: the source.
        count: how many to look at; fewer where it ends before.
        patience: seconds without a frame, once the first has come, after which the source counts as stalled; None: wait for
            ever.
        listener: told of every frame.
    """
    going = iter(frames)
    first: list[Voxels] = []
    broken: DemottleError | None = None
    try:
        while len(first) < count:
            frame = _next(going, patience if first else None)
            if frame is None:
                break
            first.append(frame)
            listener(Progress(Stage.WAIT, len(first), count))
    except TimeoutError:
        broken = InputError(stalled(len(first), patience or 0.0))
    except DemottleError as error:
        broken = error

    def every() -> Iterator[Voxels]:
        yield from first
        if broken is not None:
            raise broken
        yield from going

    return first, every()


def stalled(frames: int, patience: float) -> str:
    """What a user is told of a source that has stalled."""
    return f"The source has stalled: after {counted(frames, 'frame')} none came for {patience:g} seconds."


def _next(frames: Iterator[Voxels], patience: float | None) -> Voxels | None:
    """The next frame, None at the end.

    Raises:
        TimeoutError: none came in time; the source must not be asked again.
    """
    if patience is None:
        return next(frames, None)
    came: Queue[Voxels | BaseException | None] = Queue()

    def ask() -> None:
        try:
            came.put(next(frames, None))
        except BaseException as error:  # told to who waits
            came.put(error)

    threading.Thread(target=ask, name="first frames", daemon=True).start()
    waited = 0.0
    while waited < patience:
        step = min(_LOOK_UP, patience - waited)
        try:
            found = came.get(timeout=step)
        except Empty:
            waited += step
            continue
        if isinstance(found, BaseException):
            raise found
        return found
    raise TimeoutError
