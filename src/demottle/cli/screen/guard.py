"""From exceptions to sentences and exit codes: 0 done, 1 a bug, 2 cannot be done as asked, 130 stopped by Ctrl-C."""

import errno
import functools
import os
import time
from collections.abc import Callable, Container
from typing import ParamSpec, TypeVar

import typer

from demottle.cli.screen.console import err, say, say_error
from demottle.cli.screen.stopping import wait_until_told
from demottle.errors import ContradictionError, DemottleError

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")

OPTIONS = {
    "spacing": "--spacing Z,Y,X",
    "series": "--series UID or its number",
    "volume": "--volume N",
    "modality": "--modality CT",
    "unit": "--unit HU",
    "accept_uneven": "--accept-uneven",
    "accept_own_output": "--accept-own-output",
    "allow_mixed": "--allow-mixed",
    "raw": "--raw ROWSxCOLUMNSxTYPE",
    "model": "--model FILE",
    "kind": "--kind KIND",
    "date": "--date YYYY-MM-DD",
    "data": "--data FOLDER",
}
"""How an argument that an error names as its remedy is given on the command line."""

_ARGUMENTS = {
    "model": "--model",
    "method": "--method",
    "settings": "--set",
    "minutes": "--minutes",
    "steps": "--steps",
    "keep_bias": "--keep-bias",
    "strength": "--strength",
    "preset": "--preset",
    "texture": "--texture",
    "keep_mtf": "--keep-mtf",
    "keep_hu": "--keep-hu",
    "noise": "--noise",
}
"""What arguments of a `Request` are called on the command line."""

_CALLED = {"cv2": "opencv-python-headless", "gdcm": "python-gdcm", "pywt": "PyWavelets", "skimage": "scikit-image"}
"""What pip calls the packages that Python calls something else."""

_SECONDS_OF_THE_FIRST = 5.0

STOPPED = 130
BUG = 1
CANNOT = 2


def guarded(verb: Callable[Arguments, Returned]) -> Callable[Arguments, Returned]:
    """Wrap a verb so that whatever it raises becomes one sentence on standard error and an exit code."""

    @functools.wraps(verb)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Returned:
        debug = bool(kwargs.get("debug")) or bool(os.environ.get("DEMOTTLE_DEBUG"))
        try:
            return verb(*args, **kwargs)
        except typer.BadParameter:
            leave_it_to_the_first()
            raise
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt as stop:
            wait_until_told()
            say(f"\n{stop}" if str(stop) else "\nStopped, nothing was written.", style="yellow")
            raise typer.Exit(STOPPED) from None
        except Exception as error:
            leave_it_to_the_first()
            if debug:
                err.print_exception(suppress=[typer])
            raise typer.Exit(explain(error, kwargs)) from None

    return run


def leave_it_to_the_first() -> None:
    """Where several processes train one model (torchrun): wait, so that what all of them refuse is said once.

    The first one says it and ends, and torchrun then ends this one, which so speaks only of what it alone has met.
    """
    if os.environ.get("WORLD_SIZE", "1") != "1" and os.environ.get("RANK", "0") != "0":
        time.sleep(_SECONDS_OF_THE_FIRST)


def explain(error: Exception, options: Container[str] = OPTIONS) -> int:
    """Say what went wrong in one sentence; return the exit code that goes with it.

    `options` are the arguments of the verb: only an option that it has is named.
    """
    say_error(sentence_of(error, options))
    expected = isinstance(error, DemottleError | OSError | MemoryError) or _missing_package(error) is not None
    return getattr(error, "exit_code", CANNOT) if expected else BUG


def sentence_of(error: Exception, options: Container[str] = OPTIONS) -> str:
    """What to tell a user about an exception: its own sentence where demottle raised it, else where to turn."""
    if isinstance(error, ContradictionError):
        return error.worded(_ARGUMENTS)
    if isinstance(error, DemottleError):
        helps = OPTIONS.get(error.remedy) if error.remedy in options else None
        how = "To take it as it is, add" if error.remedy.startswith("accept") else "Use"
        return f"{error} {how} {helps}." if helps else str(error)
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        if error.errno == errno.ENAMETOOLONG:
            return f"A name is too long for this disk{where}; choose a shorter one."
        return f"The operating system refused: {error.strerror or error}{where}."
    if isinstance(error, MemoryError):
        return "There is not enough memory for this scan; close other programs or use a machine with more."
    package = _missing_package(error)
    if package is not None:
        return (
            f"This needs the package {package}, which is not installed: pip install {package} brings it, and 'demottle doctor' "
            "says what else is missing."
        )
    kind = type(error).__name__
    return f"This is a bug in demottle ({kind}: {error}); run again with --debug and report what it prints."


def _missing_package(error: Exception) -> str | None:
    """The package of others that an import did not find, as pip calls it; None for any other error."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    package = error.name.partition(".")[0]
    return None if package == "demottle" else _CALLED.get(package, package)
