"""Pages of results that exist already: what `evaluate --html` and `report` show."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demottle.cli.evaluate.case import Images
    from demottle.image import Image
    from demottle.quality.evaluation import Evaluation

Record = dict[str, Any]


def write_evaluation_page(images: "Images", found: "Evaluation", path: Path, record: Record | None = None) -> None:
    """Write the page of an evaluation; without a record of the run what the output itself says of it is shown."""
    from demottle.report import write_page

    told = dict(record) if record is not None else record_of(images.before, images.after)
    told.pop("gate", None)  # the one just found counts
    write_page(images.before, images.after, found.check, told, path, evaluation=found, truth=images.truth)


def record_of(before: "Image", after: "Image") -> Record:
    """What the images know of how the output came about: the last step that was not a simulation, and the name of the series."""
    from demottle import __version__, io
    from demottle.io.dicom.headers.marks import is_simulation

    source = {"format": before.source.format if before.source else "", "series_description": io.description_of(before)}
    record: Record = {"source": source, "version": __version__, "warnings": list(io.warnings_of(before))}
    if done := [step for step in after.history if not is_simulation(step)]:
        step = done[-1]
        record |= {
            "method": step.method,
            "version": step.version,
            "settings": dict(step.settings),
            "seed": step.seed,
            "model_hash": step.model_hash,
        }
    return record


def volume_of_record(record: Record | None) -> int | None:
    """The number of the volume that a run was of, where its series has several."""
    source = (record or {}).get("source")
    number = source.get("volume") if isinstance(source, dict) else None
    return number if isinstance(number, int) else None


def read_record(path: Path) -> Record | None:
    """Read a run.json; None where it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("program") == "demottle" else None
