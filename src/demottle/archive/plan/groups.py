"""Which series of an archive may share a network: those of one protocol on one scanner."""

import re
from collections.abc import Mapping
from typing import Any

from demottle.node.configuration import Rule
from demottle.pipeline.shared import mark_of

_ALIKE = ("modality", "manufacturer", "model", "station", "kernel", "protocol")
_NAMED = ("modality", "manufacturer", "kernel")
_LONGEST = 48


def group_of(row: Mapping[str, Any], rule: Rule) -> str:
    """The name of a series' group, which can be the name of a file.

    The same: rule and what it asks for, scanner, kernel, protocol, tube voltage, slice thickness and distance (0.1 mm); about
    the same: size of pixels.

    Args:
        row: of `demottle.archive.layout.SERIES`.
        rule: the one that it meets.
    """
    asked = [rule.name, rule.preset, sorted((name, str(value)) for name, value in rule.request.items())]
    numbers = [row[name] for name in ("kvp", "thickness", "spacing_slices")]
    mark = mark_of(asked, [row[name] for name in _ALIKE], numbers, row["spacing_rows"])
    words = [row[name] for name in _NAMED] + ([f"{row['kvp']:.0f}kV"] if row["kvp"] else [])
    name = "-".join(filter(None, (re.sub(r"[^a-z0-9]+", "-", str(word).lower()).strip("-") for word in words)))
    return f"{name[:_LONGEST].strip('-')}-{mark[:8]}"
