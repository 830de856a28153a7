"""The two consoles: results go to `out`, everything said along the way (progress, warnings, errors) to `err`.

So `demottle ... --json > result.json` gives a clean file while the bars stay on the screen.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say_error(sentence: str) -> None:
    """Show why nothing came of it, in red, as plain text whatever brackets it holds."""
    err.print(Text.assemble(("Error: ", "bold red"), (sentence, "red")), soft_wrap=not err.is_terminal)


def say_warnings(warnings: Iterable[str]) -> None:
    """Show each warning once, in the order they came, under a blank line."""
    for number, sentence in enumerate(dict.fromkeys(warnings)):
        if number == 0:
            err.print()
        err.print(Text.assemble(("Warning: ", "bold yellow"), sentence), soft_wrap=not err.is_terminal)


def say(text: str, style: str = "") -> None:
    """Say one line along the way, as plain text."""
    err.print(Text(text, style=style), soft_wrap=not err.is_terminal)


def show_json(value: Mapping[str, Any]) -> None:
    """Print a mapping as JSON, and nothing else, on standard output."""
    out.print(json.dumps(value, indent=2, ensure_ascii=False, default=str), markup=False, soft_wrap=True)


def heading(title: str, subtitle: str = "") -> None:
    """Print the title of a section of results."""
    out.print()
    out.print(Text.assemble((title, "bold"), ("  " + subtitle if subtitle else "", "dim")), soft_wrap=True)
