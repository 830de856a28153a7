"""From exceptions to sentences and exit codes: 0 done, 1 a bug, 2 cannot be done as asked, 130 stopped by Ctrl-C."""

import functools
import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer

from demottle.cli.console import err, say, say_error
from demottle.errors import DemottleError

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")

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
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except KeyboardInterrupt as stop:
            say(f"\n{stop}" if str(stop) else "\nStopped, nothing was written.", style="yellow")
            raise typer.Exit(STOPPED) from None
        except Exception as error:
            if debug:
                err.print_exception(suppress=[typer])
            raise typer.Exit(explain(error)) from None

    return run


def explain(error: Exception) -> int:
    """Say what went wrong in one sentence; return the exit code that goes with it."""
    say_error(sentence_of(error))
    expected = isinstance(error, DemottleError | OSError | MemoryError)
    return getattr(error, "exit_code", CANNOT) if expected else BUG


def sentence_of(error: Exception) -> str:
    """What to tell a user about an exception: its own sentence where demottle raised it, else where to turn."""
    if isinstance(error, DemottleError):
        return str(error)
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"The system refused: {error.strerror or error}{where}."
    if isinstance(error, MemoryError):
        return "There is not enough memory for this scan; close other programs or use a machine with more."
    kind = type(error).__name__
    return f"This is a bug in demottle ({kind}: {error}); run again with --debug and report what it prints."
