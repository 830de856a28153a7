"""Which series of an archive may share a network: those of one protocol on one scanner."""

import hashlib
import json
import re
from collections.abc import Mapping
from math import log
from typing import Any

from demottle.node.configuration import Rule

_STEP = 1.2
"""Pixels of one group differ by less: the field of view changes from patient to patient, and a network holds from 0.8 to 1.25."""
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
    asked = [rule.name, sorted((name, str(value)) for name, value in rule.request.items())]
    numbers = [_rounded(row[name]) for name in ("kvp", "thickness", "spacing_slices")]
    pixel = row["spacing_rows"]
    parts = [asked, [row[name] for name in _ALIKE], numbers, round(log(pixel) / log(_STEP)) if pixel else None]
    mark = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]
    words = [row[name] for name in _NAMED] + ([f"{row['kvp']:.0f}kV"] if row["kvp"] else [])
    name = "-".join(filter(None, (re.sub(r"[^a-z0-9]+", "-", str(word).lower()).strip("-") for word in words)))
    return f"{name[:_LONGEST].strip('-')}-{mark}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
