"""One run of frames after reading: denoise, check, draw the page; what `job.treated` does for a volume."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from demottle.cli.denoise.outcome import Done, Draw, Record, Wishes, source_of
from demottle.cli.denoise.series_files import gathered, writers_of
from demottle.cli.gate import gate_warning
from demottle.cli.places import Places
from demottle.cli.screen.progress import Stages

if TYPE_CHECKING:
    from demottle.image import Image
    from demottle.methods import Denoiser
    from demottle.pipeline.denoise_sequence import SequenceResult
    from demottle.quality.gate import Gate


@dataclass(frozen=True)
class RunOutcome(Done):
    """What came of one run; with a gate where it is of MR volumes: X-ray frames have no limits."""

    result: "SequenceResult"
    gate: "Gate | None" = None
    refused: bool = False

    def to_dict(self) -> Record:
        """Plain values: the content of `run.json`."""
        held = {} if self.gate is None else {"gate": self.gate.to_dict(), "refused": self.refused}
        return {**super().to_dict(), **held}


def treated_run(
    scan: Path, image: "Image", places: Places, wishes: Wishes, model: "Denoiser | None", listener: Stages
) -> tuple[RunOutcome, Draw]:
    """Denoise and check a run that was read; nothing is written yet. Returns how to draw its page too.

    Raises:
        DemottleError: for a run that cannot be used or results that cannot be written.
    """
    from demottle import io
    from demottle.pipeline.denoise_sequence import denoise_sequence
    from demottle.quality.sequence.series_gate import series_gate
    from demottle.report.sequence import write_sequence_page

    found = gathered(image, scan, wishes.files, wishes.method, listener)
    asked = wishes.of_denoising(model)
    if model is None:
        asked |= {"method": found.method, "settings": {**wishes.settings, **found.settings} or None}
    result = denoise_sequence(found.image, **asked, listener=listener)
    held = series_gate(result.check, wishes.limits) if image.modality == "MR" else None
    refused = held is not None and not (held.passed or wishes.force)
    said = () if held is None else gate_warning(held, refused)
    warnings = tuple(dict.fromkeys((*said, *io.warnings_of(image), *found.told, *result.record["warnings"])))

    def draw(record: Record, page: Path) -> None:
        write_sequence_page(
            result.before, result.image, result.check, record, page, result.response, compared=result.compared
        )

    whole = result
    if found.whole.shape != found.image.shape:
        from demottle.pipeline.series_files import with_noise_volumes

        whole = replace(result, image=with_noise_volumes(result.image, found.whole))
    writers = writers_of(whole, found, scan, wishes.files, wishes.overwrite) if places.extras else {}
    return RunOutcome(
        scan, places, whole, warnings, source_of(image), listener.seconds, held, refused, writers=writers
    ), draw
