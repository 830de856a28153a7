"""Inspect: measure the noise of a series, and say which method would be used."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from demottle.archive.run.order import Job, Order
from demottle.archive.run.rows import Row, number
from demottle.archive.run.tasks.volumes import volumes_of

if TYPE_CHECKING:
    from demottle.image import Image


def run(order: Order, job: Job, row: Row, closing: Callable[[], Row]) -> Row:
    """Measure one series; of several volumes the first.

    Raises:
        DemottleError: it cannot be read or measured.
    """
    from demottle.io.output import staged

    begun = time.monotonic()
    image, _ = next(volumes_of(order, job, results=True))
    read = time.monotonic() - begun
    found, method = _measured(image)
    row = {
        **row,
        "method": method,
        "volumes": 1,
        "unit": found["unit"],
        "noise_before": number(found["noise_level"]),
        "warnings": len(found["warnings"]),
        "warning": next(iter(found["warnings"]), ""),
        "seconds_read": round(read, 2),
        "seconds_measure": round(time.monotonic() - begun - read, 2),
        "record": found,
        **closing(),
    }
    with staged(job.record(order), overwrite=True) as place:
        place.write_text(json.dumps(row, default=str), encoding="utf-8")
    return row


def _measured(image: "Image") -> tuple[dict[str, Any], str]:
    """The fingerprint as plain values, and the method; empty where none can be used."""
    from demottle.errors import UnsuitableError
    from demottle.noise.fingerprint import measure
    from demottle.noise.sequence.fingerprint import measure_sequence
    from demottle.pipeline.plan import make_plan
    from demottle.pipeline.sequence_risk import plan_run

    if not image.sequence:
        fingerprint = measure(image)
        return fingerprint.to_dict(), make_plan(fingerprint).method
    run = measure_sequence(image)
    try:
        return run.to_dict(), plan_run(image, run).method if image.shape[0] > 1 else ""
    except UnsuitableError:
        return run.to_dict(), ""
