"""A bar for who calls demottle from Python, in a terminal or a notebook; the command line has its own."""

import sys
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, Self

from demottle.events import Listener, Progress, Stage, silent


def listening(listener: Listener, progress: bool | None) -> AbstractContextManager[Listener]:
    """Return the listener to call: the one that was given, or a bar.

    Args:
        listener: what the caller gave.
        progress: True: a bar; False: none; None: where the caller gave no listener and a person sees it (a terminal, a notebook).
    """
    if progress is False or (progress is None and listener is not silent):
        return nullcontext(listener)
    notebook = _in_notebook()
    if not (progress or notebook or sys.stderr.isatty()):
        return nullcontext(listener)
    return _NotebookBar(listener) if notebook else _TerminalBar(listener)


def _in_notebook() -> bool:
    """True where an IPython kernel shows what is displayed; importing nothing that is not there already."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class _TerminalBar:
    """One line on the terminal's error output, gone at the end."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self._bars = Bars(*columns, console=Console(stderr=True), transient=True)
        self._stage: Stage | None = None
        self._task: Any = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def __call__(self, event: Progress) -> None:
        if event.stage != self._stage:
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._stage, self._task = event.stage, self._bars.add_task(event.stage.words)
        self._bars.update(self._task, completed=event.done, total=event.total or None)
        self._listener(event)


class _NotebookBar:
    """The browser's own bar below the cell, without widgets; gone at the end."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._shown: Any = None
        self._last = ""

    def __enter__(self) -> Self:
        from IPython.display import HTML, display

        self._html = HTML
        self._shown = display(HTML(""), display_id=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shown.update(self._html(""))

    def __call__(self, event: Progress) -> None:
        share = min(100 * event.done // max(event.total, 1), 100)
        text = f'{event.stage.words} <progress value="{share}" max="100"></progress>'
        if text != self._last:  # a message to the browser for each per cent, not for each slice
            self._shown.update(self._html(text))
            self._last = text
        self._listener(event)
