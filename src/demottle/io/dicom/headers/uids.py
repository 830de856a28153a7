"""Identifiers that are the same whenever the same thing is done to the same object."""

import hashlib
import json
from collections.abc import Sequence

from demottle.image import ProcessingStep
from demottle.io.dicom.headers.marks import plain


def uid_from(*parts: object) -> str:
    """Return a DICOM UID derived from `parts`: equal parts, equal UID. Root 2.25 (PS3.5 B.2), 128 bits of a SHA-256."""
    digest = hashlib.sha256(json.dumps([plain(part) for part in parts], sort_keys=True).encode()).digest()
    number = bytearray(digest[:16])
    number[6] = number[6] & 0x0F | 0x80  # the bits that make it a UUID of version 8 (RFC 9562)
    number[8] = number[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(number, 'big')}"


def steps_key(steps: Sequence[ProcessingStep]) -> list[object]:
    """Return what tells two processings apart; the measured noise does not, it follows from the rest."""
    return [[step.method, step.version, plain(step.settings), step.seed, step.model_hash] for step in steps]
