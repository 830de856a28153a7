"""Evaluate: measure what an earlier run made of a series, from its files, with the limits of the gate."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from demottle.archive.run.order import Job, Order
from demottle.archive.run.rows import Row, judged, measured
from demottle.archive.run.tasks.volumes import volumes_in, volumes_of
from demottle.errors import InputError


def run(order: Order, job: Job, row: Row, closing: Callable[[], Row]) -> Row:
    """Measure the result of one series; of several volumes the first that was denoised.

    Raises:
        DemottleError: there is no result, or it cannot be read or measured.
    """
    from demottle.io.output import staged
    from demottle.quality.check.whole import check
    from demottle.quality.gate import gate
    from demottle.quality.sequence.check import check_sequence
    from demottle.quality.sequence.series_gate import series_gate

    begun = time.monotonic()
    output = _result(job)
    before = next(image for image, phase in volumes_of(order, job, results=True) if not phase)
    after = next(image for image, phase in volumes_in(output) if not phase)
    read = time.monotonic() - begun
    if before.sequence:
        run = check_sequence(before, after)
        verdict = series_gate(run, order.limits) if before.modality == "MR" else None
        found = run.to_dict()
    else:
        volume = check(before, after)
        verdict, found = gate(volume, order.limits), volume.to_dict()
    row = {
        **row,
        **measured(found),
        **({} if verdict is None else {**judged(verdict.to_dict()), "gate_reasons": verdict.reasons}),
        "volumes": 1,
        "output": str(output),
        "warning": next(iter(found["warnings"]), ""),
        "seconds_read": round(read, 2),
        "seconds_check": round(time.monotonic() - begun - read, 2),
        **closing(),
    }
    with staged(job.record(order), overwrite=True) as place:
        place.write_text(json.dumps(row), encoding="utf-8")
    return row


def _result(job: Job) -> Path:
    place = Path(str((job.settings or {}).get("result", "")))
    if not (job.settings or {}).get("result") or not place.is_dir():
        raise InputError("The run that is evaluated has left no images of this series where it says; run it again.")
    return place
