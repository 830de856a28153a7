"""Send: results that wait in the outbox go to a DICOM or DICOMweb server, and are removed once it has taken all of them."""

import json
import shutil

from demottle.archive.run.order import Job, Order
from demottle.archive.run.rows import FAILED, Row
from demottle.errors import DemottleError


def send(order: Order, job: Job, row: Row) -> Row:
    """Send what is in the outbox of a series; return its row, which says how many objects went, or why they did not."""
    from demottle.io.output import staged
    from demottle.node.network.delivery import deliver
    from demottle.node.toml_file import read_destination_of

    assert order.destination is not None
    name, file = order.destination
    box = job.outbox(order)
    objects = sorted(path for path in (box / "images").rglob("*") if path.is_file())
    try:
        deliver(objects, *read_destination_of(file, name))
    except DemottleError as error:
        row = {**row, "state": FAILED, "reason": str(error)}
    else:
        row = {**row, "sent": len(objects)}
    with staged(job.record(order), overwrite=True) as place:
        place.write_text(json.dumps(row), encoding="utf-8")
    if row["state"] != FAILED:
        shutil.rmtree(box, ignore_errors=True)
    return row
