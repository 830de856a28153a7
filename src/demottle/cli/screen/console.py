"""The two consoles: results go to `out`, everything said along the way (progress, warnings, errors) to `err`.

So `demottle ... --json > result.json` gives a clean file while the bars stay on the screen.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from unicodedata import category

from rich.console import Console
from rich.text import Text

COLORS: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
"""None where the user wants no colors (https://no-color.org): then nothing is bold or dim either."""
out = Console(highlight=False, color_system=COLORS)
err = Console(stderr=True, highlight=False, color_system=COLORS)
_spoken: dict[str, Any] = {"quiet": False, "log": None, "heard": None}
_NOT_SHOWN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control and format characters, lone surrogates, line ends


Said = tuple[Literal["note", "warning", "error"], str, str]
"""What was said: of which kind, the text, its style."""


def write_what_cannot_be_encoded() -> None:
    """Let the terminal show an escape for what its encoding lacks, rather than fail on it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def be_quiet() -> None:
    """Say warnings and errors alone from now on: no progress, no remarks, no tables."""
    _spoken["quiet"] = True
    out.quiet = True


def speak_as_usual() -> None:
    """Undo `be_quiet` and `also_to`: several commands may run in one process."""
    _spoken.update(quiet=False, log=None)
    out.quiet = False


def is_quiet() -> bool:
    """True after `be_quiet`."""
    return bool(_spoken["quiet"])


def also_to(path: Path) -> None:
    """Write what is said from now on to a file as well, a line each with the time; it is added to what the file holds."""
    _spoken["log"] = path


@contextmanager
def hear() -> Iterator[list[Said]]:
    """Keep what is said meanwhile in place of saying it: a worker process hands it to the one that people see."""
    heard: list[Said] = []
    _spoken["heard"] = heard
    try:
        yield heard
    finally:
        _spoken["heard"] = None


def say_again(said: Sequence[Said]) -> None:
    """Say what `hear` has kept."""
    for kind, text, style in said:
        if kind == "note":
            say(text, style)
        elif kind == "error":
            say_error(text)
    say_warnings(text for kind, text, _ in said if kind == "warning")


def _heard(kind: Literal["note", "warning", "error"], text: str, style: str = "") -> bool:
    """True where somebody keeps what is said."""
    if _spoken["heard"] is None:
        return False
    _spoken["heard"].append((kind, text, style))
    return True


def log(kind: str, text: str) -> None:
    """Write a line to the log file, where there is one.

    A disk that is full must not end the work, so what cannot be written there is not.
    """
    if _spoken["log"] is None:
        return
    moment = datetime.now().astimezone().isoformat(timespec="seconds")
    with suppress(OSError), Path(_spoken["log"]).open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{moment} {kind} {shown(text.strip())}\n")


def shown(text: object, lines: bool = False) -> str:
    """Return a text as it can be shown: bytes of a name that are not text, and control characters, as escapes.

    Args:
        text: a path, a sentence.
        lines: True where line breaks are meant.
    """
    return "".join(
        _escape(one) if category(one) in _NOT_SHOWN and not (lines and one == "\n") else one for one in str(text)
    )


def _escape(one: str) -> str:
    code = ord(one)
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps a byte of a file name that is not UTF-8
        code -= 0xDC00
    named = {"\n": "\\n", "\t": "\\t"}.get(one)
    return named or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def as_json(value: Any) -> str:
    """Return JSON that is UTF-8 whatever paths it holds; what reads it gets the same paths back."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return text.encode("utf-8", "backslashreplace").decode()  # \udcfc for the byte fc, which is an escape of JSON too


def say_error(sentence: str) -> None:
    """Show why nothing came of it, in red, as plain text whatever brackets it holds."""
    if _heard("error", sentence):
        return
    log("error", sentence)
    err.print(Text.assemble(("Error: ", "bold red"), (shown(sentence), "red")), soft_wrap=not err.is_terminal)


def say_warnings(warnings: Iterable[str]) -> None:
    """Show each warning once, in the order they came, under a blank line."""
    for number, sentence in enumerate(dict.fromkeys(warnings)):
        if _heard("warning", sentence):
            continue
        log("warning", sentence)
        if number == 0:
            err.print()
        err.print(Text.assemble(("Warning: ", "bold yellow"), shown(sentence)), soft_wrap=not err.is_terminal)


def say(text: str, style: str = "") -> None:
    """Say one line along the way, as plain text."""
    if _heard("note", text, style):
        return
    log("note", text)
    if is_quiet():
        return
    err.print(Text(shown(text, lines=True), style=style), soft_wrap=not err.is_terminal)


def show_json(value: Mapping[str, Any]) -> None:
    """Print a mapping as JSON, and nothing else, on standard output."""
    text = as_json(value)
    out.quiet = False  # it was asked for
    if not str(out.encoding).lower().startswith("utf"):
        text = json.dumps(value, indent=2, default=str)  # all others as escapes
    out.print(text, markup=False, soft_wrap=True)


def heading(title: str, subtitle: str = "") -> None:
    """Print the title of a section of results."""
    out.print()
    subtitle = shown(subtitle)
    out.print(Text.assemble((title, "bold"), ("  " + subtitle if subtitle else "", "dim")), soft_wrap=True)
