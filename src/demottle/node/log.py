"""What the node says while it runs: one line an event on standard error, without anything that could name a patient.

Series are named by their number in the queue; never by description, UID or what a header says. Text from outside (AE titles)
is cut and freed of control characters.
"""

import logging
import sys
import threading
import warnings
from pathlib import Path
from typing import TextIO

_logger = logging.getLogger("demottle.node")


def begin_log() -> None:
    """Write the log to standard error, and keep the libraries below from writing what they see of headers."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    _logger.handlers = [handler]
    _logger.setLevel(logging.INFO)
    _logger.propagate = False
    quiet_libraries()
    warnings.showwarning = _warned
    threading.excepthook = _ended


def _ended(what: threading.ExceptHookArgs) -> None:
    """Say that a thread ended by an error, and not the text of it: it may quote what was sent."""
    complain(f"a thread ended ({what.thread.name if what.thread else 'unknown'}): {what.exc_type.__name__}")


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Say that a library warns, and not what of: pydicom quotes the values that it warns of."""
    place = Path(filename)
    complain(f"{place.parent.name}/{place.name}, line {lineno}, warns of something ({category.__name__}); work goes on")


def quiet_libraries() -> None:
    """Keep pynetdicom and pydicom from logging: both quote elements."""
    for name in ("pynetdicom", "pydicom"):
        library = logging.getLogger(name)
        library.handlers = [logging.NullHandler()]
        library.propagate = False


def tell(said: str) -> None:
    """Log what happened."""
    _logger.info("%s", plain(said, 400))


def complain(said: str) -> None:
    """Log what went wrong."""
    _logger.warning("%s", plain(said, 400))


def plain(text: object, most: int = 40) -> str:
    """A text from outside, cut, with a question mark for what is not printable ASCII."""
    return "".join(one if " " <= one <= "~" else "?" for one in str(text))[:most]
