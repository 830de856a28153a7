"""What the reader of docstrings needs to be told: `a, b: text` describes two arguments at once."""

import re
from typing import Any

import griffe

_TOGETHER = re.compile(r"^( +)((?:[a-z_]+, )+)([a-z_]+): ", flags=re.MULTILINE)


class NamesTogether(griffe.Extension):
    """Give each of several names that are described together a line of its own."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of one class or function."""
        if obj.docstring is not None:
            obj.docstring.value = _TOGETHER.sub(_apart, obj.docstring.value)


def _apart(found: re.Match[str]) -> str:
    indent, others, last = found.groups()
    return "".join(f"{indent}{name}: see `{last}`.\n" for name in others.split(", ")[:-1]) + f"{indent}{last}: "
