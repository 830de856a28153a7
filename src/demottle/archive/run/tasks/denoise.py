"""Denoise: as `demottle denoise` does it, with the network of the series' group; images, page, record and row appear together."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demottle.archive.run.order import Job, Order
from demottle.archive.run.rows import FAILED, Row, judged, measured
from demottle.archive.run.tasks.network import Treated, treated
from demottle.archive.run.tasks.volumes import volumes_of
from demottle.errors import InputError

if TYPE_CHECKING:
    from demottle.image import Image


@dataclass(frozen=True)
class _Volume:
    """One volume; nothing was done with phase images."""

    image: "Image"
    done: Treated | None = None


def run(order: Order, job: Job, row: Row, closing: Callable[[], Row]) -> Row:
    """Denoise one series.

    Raises:
        DemottleError: it cannot be denoised, or the results cannot be written; nothing was.
    """
    begun = time.monotonic()
    volumes = [_unchanged(image) if phase else _denoised(order, job, image) for image, phase in volumes_of(order, job)]
    done = [one.done for one in volumes if one.done is not None]
    if not done:
        raise InputError("The series holds phase images alone, which are not denoised.")
    spent = time.monotonic() - begun
    reasons = "; ".join(one.verdict.reasons for one in done if one.verdict is not None and not one.verdict.passed)
    refused = bool(reasons) and not order.force
    row = {**row, **_told(done), "volumes": len(volumes), "gate_reasons": reasons}
    row["seconds_read"] = round(
        max(spent - sum(row[f"seconds_{name}"] for name in ("measure", "learn", "apply", "check")), 0.0), 2
    )
    if refused:
        kept = job.beside(order, "-refused")
        row = {**row, "state": FAILED, "reason": f"The result fails the gate: {reasons}; it is kept in {kept}."}
    return _published(order, job, volumes, row, refused, closing)


def _denoised(order: Order, job: Job, image: "Image") -> _Volume:
    from demottle import io

    io.check_output(image, Path("result"), "dicom")  # before the work
    done = treated(order, job, image)
    return _Volume(done.result.image, done)


def _unchanged(image: "Image") -> _Volume:
    from demottle import __version__
    from demottle.image import ProcessingStep
    from demottle.io.dicom.headers.marks import UNCHANGED

    step = ProcessingStep(UNCHANGED, __version__, {"reason": "phase images"})
    return _Volume(image.with_voxels(image.voxels, step))


def _told(done: Sequence[Treated]) -> Row:
    """What the row says: figures of the first volume, times of all, and the worst verdict."""
    first, record = done[0], done[0].result.record
    times = {
        name: sum(one.result.record["times"].get(name, 0.0) for one in done)
        for name in ("measure", "learn", "apply", "check")
    }
    worst = next((one.verdict for one in done if one.verdict is not None and not one.verdict.passed), first.verdict)
    warnings = [warning for one in done for warning in one.result.record["warnings"]]
    return {
        "method": record["method"],
        "shared": first.shared,
        "network": first.why,
        "model_hash": record.get("model_hash") or "",
        **measured(record["check"]),
        **({} if worst is None else judged(worst.to_dict())),
        "warnings": len(warnings),
        "warning": warnings[0] if warnings else "",
        "device": _device(),
        **{f"seconds_{name}": round(spent, 2) for name, spent in times.items()},
    }


def _device() -> str:
    from demottle.learning.device import best_device

    return best_device().type


def _published(
    order: Order, job: Job, volumes: Sequence[_Volume], row: Row, refused: bool, closing: Callable[[], Row]
) -> Row:
    """Put everything in its place; what is to be sent waits in the outbox."""
    from demottle import io
    from demottle.io.output import publishing
    from demottle.io.refused import marked_refused

    began, record = time.monotonic(), job.record(order)
    sends = order.destination is not None and not refused
    output = job.outbox(order) if sends else job.beside(order, "-refused") if refused else job.result(order)
    pages = job.beside(order, "-refused-report" if refused else "-report")
    wanted = [pages / "report.html", pages / "run.json"] if order.pages else []
    with ExitStack() as stack:
        at = stack.enter_context(publishing([*wanted, output, record], overwrite=True))
        if order.pages:
            _write_pages(volumes, at[wanted[0]], at[wanted[1]], job, row)
        images = [
            marked_refused(one.image, str(row["gate_reasons"])) if refused and one.done else one.image
            for one in volumes
        ]
        images_at = at[output] / "images" if sends else at[output]
        images_at.parent.mkdir(parents=True, exist_ok=True)
        io.write(images, output, format="dicom", place=images_at)
        told = {
            "output": str(output),
            "page": str(wanted[0]) if order.pages else "",
            "record": str(wanted[1]) if order.pages else "",
        }
        if sends:
            told["output"] = ""
        row = {**row, **told, **closing(), "seconds_write": round(time.monotonic() - began, 2)}
        text = json.dumps(row)
        if sends:
            (at[output] / "row.json").write_text(text, encoding="utf-8")
        at[record].write_text(text, encoding="utf-8")
    return row


def _write_pages(volumes: Sequence[_Volume], page: Path, record: Path, job: Job, row: Row) -> None:
    """A page and a record; of a series with several volumes the page is that of the first, the record has all."""
    told: list[dict[str, Any]] = []
    for one in volumes:
        if one.done is not None:
            gate = {} if one.done.verdict is None else {"gate": one.done.verdict.to_dict()}
            said = {**one.done.result.record, **gate, "input": job.folder, "shared_network": one.done.shared}
            if not told:
                replace(one.done.result, image=one.image).save_page(page, said)
            told.append(said)
    text = json.dumps(told[0] if len(told) == 1 else {"volumes": told}, indent=2, ensure_ascii=False, default=str)
    record.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
