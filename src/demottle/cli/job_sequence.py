"""One run of frames after reading: denoise, check, draw the page; what `job.treated` does for a volume."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from demottle.cli.outcome import Done, Draw, Record, Wishes, source_of
from demottle.cli.places import Places
from demottle.cli.progress import Stages

if TYPE_CHECKING:
    from demottle.denoise_sequence import SequenceResult
    from demottle.image import Image
    from demottle.methods import Denoiser


@dataclass(frozen=True)
class RunOutcome(Done):
    """What came of one run; without a gate: its limits are for volumes."""

    result: "SequenceResult"


def treated_run(
    scan: Path, image: "Image", places: Places, wishes: Wishes, model: "Denoiser | None", listener: Stages
) -> tuple[RunOutcome, Draw]:
    """Denoise and check a run that was read; nothing is written yet. Returns how to draw its page too.

    Raises:
        DemottleError: for a run that cannot be used or results that cannot be written.
    """
    from demottle import io
    from demottle.denoise_sequence import denoise_sequence
    from demottle.report.sequence import write_sequence_page

    result = denoise_sequence(image, **wishes.of_denoising(model), listener=listener)
    warnings = tuple(dict.fromkeys((*io.warnings_of(image), *result.record["warnings"])))

    def draw(record: Record, page: Path) -> None:
        write_sequence_page(result.before, result.image, result.check, record, page, result.response)

    return RunOutcome(scan, places, result, warnings, source_of(image), listener.seconds), draw
