"""Simulate: a CT series as it would have been at a lower dose, marked SIMULATED."""

import json
import time
from collections.abc import Callable

from demottle.archive.run.order import Job, Order
from demottle.archive.run.rows import Row, number
from demottle.archive.run.tasks.volumes import volumes_of
from demottle.errors import InputError


def run(order: Order, job: Job, row: Row, closing: Callable[[], Row]) -> Row:
    """Add the noise of a lower dose to one series.

    Raises:
        DemottleError: it is no CT, the noise cannot be told, or the result cannot be written; nothing was.
    """
    from demottle import io
    from demottle.events import silent
    from demottle.io.output import publishing
    from demottle.physics.low_dose.scan import LowDose, LowDoseSettings

    begun = time.monotonic()
    images = [image for image, _ in volumes_of(order, job)]
    if len(images) > 1:
        raise InputError(
            f"The series holds {len(images)} volumes, of which a lower dose is not simulated; it was left out."
        )
    image, read = images[0], time.monotonic() - begun
    output, record = job.result(order), job.record(order)
    io.check_output(image, output, "dicom")
    settings = LowDoseSettings(**{"accept_truncated": order.accept_truncated, **(job.settings or {})})
    simulation = LowDose(image, order.dose, settings, silent, workers=max(order.threads, 1))
    made = simulation.realization(order.seed, 0, silent)
    level = simulation.level_of(made)
    warnings = (*simulation.warnings, *simulation.check([level]))
    applied = time.monotonic() - begun - read
    with publishing([output, record], overwrite=True) as at:
        io.write(made, output, format="dicom", place=at[output])
        row = {
            **row,
            "method": "low-dose",
            "volumes": 1,
            "unit": image.unit,
            "noise_before": number(simulation.level),
            "noise_after": number(level),
            "warnings": len(warnings),
            "warning": next(iter(warnings), ""),
            "output": str(output),
            "seconds_read": round(read, 2),
            "seconds_apply": round(applied, 2),
            "seconds_write": round(time.monotonic() - begun - read - applied, 2),
            "record": simulation.to_dict(),
            **closing(),
        }
        at[record].write_text(json.dumps(row, default=str), encoding="utf-8")
    return row
