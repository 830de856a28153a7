"""The command line: one file per verb, each of them thin: parse, call, show.

Nothing here imports torch, numpy or the library's rooms before a verb needs them, so that `--help` answers at once.
"""

from demottle.cli.app import app, main

__all__ = ["app", "main"]
